// Words for people, and elements made of them.

export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false && child !== ""));
  return element;
}

export const words = (name) => name.replaceAll("_", " ");
export const sentence = (name) => words(name).replace(/^./, (letter) => letter.toUpperCase());

export const RELATIONS = { less_than: "less than", at_most: "at most", at_least: "at least", more_than: "more than" };

export const NEXT = {
  issue_approval: "The approval can be issued.",
  clinical_review: "A person reviews the request before anything is decided; this is not a denial.",
  request_information: "The request stays open until more is known; this is not a denial.",
  correct_request: "Nothing was decided. The request must be corrected.",
};

export function inForce(version) {
  const until = version.effective_to ? `to ${version.effective_to}` : "on";
  return `in force from ${version.effective_from} ${until}, last reviewed ${version.last_reviewed}`;
}

// A value as the tree shows it, in the words of the catalogue.
export function shown(value, fact) {
  const unit = fact?.unit ? ` ${fact.unit}` : "";
  if (Array.isArray(value)) return value.length ? value.map((item) => shown(item, fact)).join("; ") : "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return fact?.values?.[value] ?? value;
  if (value !== null && typeof value === "object") {
    const [[relation, limit]] = Object.entries(value);
    return `${RELATIONS[relation]} ${limit}${unit}`;
  }
  return `${value}${unit}`;
}

export const PARTS = { all_of: "all of", any_of: "at least one of", none_of: "none of", of: "of" };

export const partsOf = (node) => Object.keys(PARTS).flatMap((kind) => node[kind] ?? []);

export function* nodesOf(criteria) {
  const nodes = criteria ? [...criteria.pathways, ...criteria.exclusions] : [];
  while (nodes.length) {
    const node = nodes.pop();
    yield node;
    nodes.push(...partsOf(node));
  }
}

// What is missing: the shortest way to an approval, and the rest.
export function toAsk(decision) {
  const first = decision.ask_first?.facts ?? [];
  return [
    decision.missing.filter(({ fact }) => first.includes(fact)),
    decision.missing.filter(({ fact }) => !first.includes(fact)),
  ];
}

// What is still needed, as a text for a letter; the client's letter says it in the same words.
export function letter(decision) {
  const [first, rest] = toAsk(decision);
  const asked = (items, start) =>
    items.map(({ fact, question, criteria }, n) => `  ${start + n}. ${question} (${fact}, for ${criteria.join(", ")})`);
  const { policy } = decision;
  return [
    [`Prior authorisation: ${policy.title}`, `Date of service: ${decision.date_of_service}`],
    ["The request stays open until the facts below are known; this is not a denial."],
    first.length && [
      `To send in first, since it can approve by pathway ${decision.ask_first.pathway}:`,
      ...asked(first, 1),
    ],
    rest.length && [
      first.length ? "To send in if that does not settle it:" : "To send in:",
      ...asked(rest, first.length + 1),
    ],
    [`Decided under ${policy.document}, version ${policy.version}, ${inForce(policy)}.`],
  ]
    .filter(Boolean)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}
