// The policy of the Python package, run by OPA's own package for WebAssembly.
import { loadPolicy } from "@open-policy-agent/opa-wasm";

// Of 64 KiB: room for the constants of some hundred documents, which the module demands from the start.
const PAGES = 256;

export async function load(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const policy = await loadPolicy(await new Response(stream).arrayBuffer(), PAGES);
  // Text, so that every number reaches the policy as it was written.
  return (entryPoint, text) => policy.evaluate(new TextEncoder().encode(text).buffer, `payer/${entryPoint}`)[0].result;
}

// The facts whose values the policy refuses, and why; the path of an error names the fact, or an item, facts.symptoms[0].
export function refused(decision) {
  const found = new Map();
  for (const { path, message } of decision?.errors ?? []) {
    const [, name] = /^facts\.(.+?)(?:\[\d+\])?$/s.exec(path) ?? [];
    if (name && !found.has(name)) found.set(name, message);
  }
  return found;
}

// A number stays the text that it was written as: 0.099999999999999999 is not 0.1.
export const parse = (text) =>
  JSON.parse(text, (_, value, { source }) => (typeof value === "number" ? JSON.rawJSON(source) : value));

export const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i;

// What is no number stays a text, so that the policy itself says what is wrong with it.
export const typed = (text) => (NUMBER.test(text) ? JSON.rawJSON(text) : text);

export const isObject = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);

// A real day of the calendar, in the years that the policy knows.
export function isDate(value) {
  if (typeof value !== "string" || !/^(19|2[01])\d\d-\d\d-\d\d$/.test(value)) return false;
  const day = new Date(value);
  return !Number.isNaN(day.valueOf()) && day.toISOString().startsWith(value);
}
