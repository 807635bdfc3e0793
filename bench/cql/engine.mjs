// node engine.mjs policy | node engine.mjs ELM_JSON: an engine that decides the facts of CC-0126, for bench/peers.py. Each line of
// standard input is [requests, rounds]; each of standard output the outcomes, and the seconds of a decision, p50.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";

// OPA's own package, as the page runs it: the whole decision, an object that nobody has checked.
async function opa() {
  const { load } = await import("../../page/policy.js");
  const evaluate = await load(gzipSync(await readFile(new URL("../../pyclient/src/payer_policy/policy.wasm", import.meta.url))));
  return (request) => evaluate("decision", JSON.stringify(request)).outcome;
}

// cql-execution: the states of the clauses and the outcome.
async function cql(elm) {
  const { default: engine } = await import("cql-execution");
  const library = new engine.Library(JSON.parse(await readFile(elm)));
  const executor = new engine.Executor(library, new engine.CodeService({}));
  const facts = Object.keys(library.parameters);
  return async (request) => {
    const known = Object.fromEntries(facts.map((fact) => [fact, request.facts[fact] ?? null]));
    return (await executor.withParameters(known).exec(new engine.PatientSource([]))).unfilteredResults.Outcome;
  };
}

const decide = await (process.argv[2] === "policy" ? opa() : cql(process.argv[2]));
for await (const line of createInterface({ input: process.stdin })) {
  const [requests, rounds] = JSON.parse(line);
  const outcomes = [], times = [];
  for (const request of requests) outcomes.push(await decide(request));
  for (let n = 0; n < rounds; n += 1) {
    const start = performance.now();
    await decide(requests[0]);
    times.push(performance.now() - start);
  }
  console.log(JSON.stringify([outcomes, times.sort((a, b) => a - b)[rounds >> 1] / 1000]));
}
