// Writes build/criteria.html: one file with the policy, the page and the examples in it. Node runs here, never later.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = new URL("../", import.meta.url);
const read = (path) => readFile(new URL(path, root), "utf8");

// What a request is about stands in the comment above it.
async function examples() {
  const files = (await readdir(new URL("examples/", root), { recursive: true })).filter((name) => name.endsWith(".yaml"));
  return Promise.all(
    files.sort().map(async (name) => {
      const text = await read(`examples/${name}`);
      return { name, about: text.match(/^# (.*)/)?.[1] ?? "", text };
    }),
  );
}

// The rows of docs/readings.md, by document: the clauses each concerns, or "document", the reading and its reason.
async function readings() {
  const held = {};
  for (const section of (await read("docs/readings.md")).split(/^## /m).slice(1)) {
    const document = section.slice(0, section.indexOf("\n")).trim();
    held[document] = [...section.matchAll(/^\| \d+ \|(.*)\|$/gm)].map(([, row]) => {
      const [clauses, reading, why] = row.split("|").map((cell) => cell.trim().replaceAll("`", ""));
      return { clauses: clauses.split(", "), reading, why };
    });
  }
  return held;
}

const made = {
  "page:policy": { contents: gzipSync(await readFile(new URL("pyclient/src/payer_policy/policy.wasm", root)), { level: 9 }), loader: "binary" },
  "page:examples": { contents: JSON.stringify(await examples()), loader: "json" },
  "page:readings": { contents: JSON.stringify(await readings()), loader: "json" },
};
// What whoever passes the page on has to pass on with it: of each package in it the licence, and our own.
async function licences(inputs) {
  const names = Object.keys(inputs).map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]);
  const packages = [...new Set(names.filter(Boolean))].sort();
  const texts = await Promise.all(packages.map(async (name) => `${name}\n\n${await read(`page/node_modules/${name}/LICENSE`)}`));
  const all = [await read("NOTICE"), ...texts].join(`\n${"=".repeat(80)}\n`);
  if (all.includes("--")) throw new Error("a licence would end the comment that it stands in");
  return all;
}

const bundled = await build({
  entryPoints: [new URL("main.js", import.meta.url).pathname],
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  plugins: [
    {
      name: "made",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^page:/ }, ({ path }) => ({ path, namespace: "made" }));
        onLoad({ filter: /.*/, namespace: "made" }, ({ path }) => made[path]);
      },
    },
  ],
});
const script = bundled.outputFiles[0].text;
const style = (await read("pyclient/src/payer_policy/workshop/look.css")) + (await read("page/style.css"));

// Nothing but this very script and style runs and nothing is fetched. One wrong byte of the script, the policy in it
// included, and the browser refuses it: the text that the file is damaged then stays.
const digest = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const parts = {
  POLICY: [
    "default-src 'none'",
    `script-src ${digest(script)} 'wasm-unsafe-eval'`,
    `style-src ${digest(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; "),
  STYLE: style,
  SCRIPT: script,
  LICENCES: await licences(bundled.metafile.inputs),
};
await mkdir(new URL("build/", root), { recursive: true });
const page = (await read("page/index.html")).replace(/{{(\w+)}}/g, (_, name) => parts[name]);
await writeFile(new URL("build/criteria.html", root), page);
