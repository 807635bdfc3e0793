// A decision, as a person reads it.
import { h, inForce, letter, NEXT, nodesOf, PARTS, partsOf, sentence, shown, words } from "./words.js";

const STATES = { met: ["✔", "met"], not_met: ["✘", "not met"], unknown: ["?", "unknown"] };
const OUTCOMES = { approved: "✔", not_approved: "✘", needs_information: "?" };

const reading = ({ reading, why }) => [reading, " ", h("i", null, why)];

// `other` is what the decision under the other version says of each node, by id, where two are compared.
function tree(node, context, exclusion, kindOfNode = "") {
  const parts = partsOf(node);
  if (parts.length === 1 && parts[0].id === node.id) return tree(parts[0], context, exclusion, kindOfNode); // said once
  const { facts, readings, other, open, away } = context;
  const [sign, word] = STATES[node.state];
  // An exclusion that is met is bad news, as is a part of none-of.
  const colour = exclusion && node.state !== "unknown" ? (node.state === "met" ? "not_met" : "met") : node.state;
  const fact = facts.get(node.fact);
  const read = readings.filter(({ clauses }) => clauses.includes(node.id));
  const kind = Object.keys(PARTS).find((each) => node[each]);
  const below = other && !other.nodes.has(node.id) ? { ...context, other: undefined } : context; // said once, at the top
  return h("li", { "data-id": node.id, "data-state": node.state },
    h("span", { class: `state ${colour}` }, h("span", { "aria-hidden": "true" }, `${sign} `), word), " ",
    h("b", null, kindOfNode, node.id), ` ${node.text}`,
    node.evidence?.length && h("span", { class: "evidence" }, ` (${node.evidence.join(", ")})`),
    node.fact && h("span", { class: "value" }, ` ${words(node.fact)}`, node.value != null ? `: ${shown(node.value, fact)}` : away.includes(node.fact) && ": not to be had"),
    other && h("span", { class: "differs" }, difference(node, other)),
    read.length > 0 && h("details", { class: "reading", open: open.has(node.id), ontoggle: (event) =>
      event.target.open ? open.add(node.id) : open.delete(node.id) },
      h("summary", null, `How ${node.id} is read`), read.map((each) => h("p", null, reading(each)))),
    kind && h("p", { class: "joined" }, `${node.at_least ? `at least ${node.at_least} of` : PARTS[kind]}:`),
    parts.length > 0 && h("ul", null, parts.map((part) => tree(part, below, exclusion !== (kind === "none_of")))));
}

function difference(node, { version, nodes }) {
  const there = nodes.get(node.id);
  if (!there) return ` not in ${version}`;
  const said = [there.text !== node.text && `worded otherwise in ${version}`,
    there.state !== node.state && `${STATES[there.state][1]} in ${version}`].filter(Boolean);
  return said.length ? ` ${said.join(", ")}` : "";
}

const listOf = (title, items) => items.length > 0 && [h("h3", null, title), h("ul", null, items.map((item) => h("li", null, item)))];

export function panel({ title, decision, version, leftOut, other, readings, open, away, given, copy, remove }) {
  if (!decision)
    return h("section", { class: "decision", "aria-label": title }, h("h2", null, title),
      h("p", { class: "fault" }, "The policy could not decide this request."));
  const facts = new Map((version?.facts ?? []).map((fact) => [fact.name, fact]));
  const context = { facts, readings, away, other: other && { ...other, nodes: new Map([...nodesOf(other.decision.criteria)].map((node) => [node.id, node])) }, open };
  const { policy, criteria } = decision;
  const asks = decision.outcome === "needs_information" && decision.missing.length > 0;
  return h("section", { class: "decision", "aria-label": title },
    h("h2", null, title),
    h("p", { class: `outcome ${decision.outcome}` },
      h("span", { "aria-hidden": "true" }, `${OUTCOMES[decision.outcome] ?? "!"} `), sentence(decision.outcome)),
    h("p", null, decision.summary, " ", NEXT[decision.next_step]),
    policy && h("p", { class: "policy" }, `${policy.document} ${policy.title}, version ${policy.version}, ${inForce(policy)}.` +
      (decision.date_of_service ? ` Date of service ${decision.date_of_service}.` : "")),
    leftOut?.length > 0 && h("p", null, `Left out, since this version has no such fact or answer: ${leftOut.map(words).join(", ")}.`),
    listOf("To correct", decision.errors.map(({ path, message }) => {
      const name = path.replace(/^facts\./s, "");
      return [h("b", null, path || "the request"), ` ${message}`,
        name !== path && !facts.has(name) && Object.hasOwn(given, name) && [" ", h("button", { type: "button", onclick: () => remove(name) }, `Remove ${name}`)]];
    })),
    listOf("Terms of the approval", decision.terms.map(({ pathway, text, duration }) => `${pathway}: ${text}${duration ? ` (${duration})` : ""}`)),
    listOf("Notes", decision.advisories.map(({ text }) => text)),
    listOf(decision.outcome === "needs_information" ? "Still open" : "Settled by", decision.reasons.map(({ criterion, state, text }) => [h("b", null, criterion), ` ${STATES[state][1]}: ${text}`])),
    asks && [h("h3", null, "Still needed, as a text for a letter"),
      h("pre", { class: "letter", tabindex: 0, role: "region", "aria-label": "Still needed, as a text for a letter" }, letter(decision)),
      h("p", null, h("button", { type: "button", onclick: (event) => copy(letter(decision), event.target) }, "Copy the text"))],
    criteria && [h("h3", null, "Criteria: any one pathway suffices"),
      h("ul", { class: "tree" }, criteria.pathways.map((node) => tree(node, context, false, "pathway "))),
      h("h3", null, "Exclusions: each must be not met"),
      h("ul", { class: "tree" }, criteria.exclusions.map((node) => tree(node, context, true)))],
    criteria && listOf("How the document is read", readings.filter(({ clauses }) => clauses.includes("document")).map(reading)));
}
