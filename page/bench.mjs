// For bench/bench.py: what a decision takes in Node, with the page's own policy.js; a request on standard input.
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { load } from "./policy.js";

const evaluate = await load(gzipSync(await readFile(new URL("../pyclient/src/payer_policy/policy.wasm", import.meta.url))));
const request = await text(process.stdin);
const times = [];
for (let n = 0; n < 300; n += 1) {
  const start = performance.now();
  evaluate("decision", request);
  times.push(performance.now() - start);
}
console.log(times.sort((a, b) => a - b)[150] / 1000);
