// The questions, made from the facts of the catalogue. What the form shows follows the request; what is answered in it
// goes to `answer(name, value)`, where null is not known and UNAVAILABLE not to be had.
import { isDate, isObject, typed } from "./policy.js";
import { h, RELATIONS, sentence } from "./words.js";

export const UNAVAILABLE = Symbol("not to be had");

const NOT_KNOWN = "not known";
const MARKS = {
  next: ["▶ ", "The next question"],
  first: ["▶ ", "Asked for first"],
  open: ["? ", "Still asked for"],
  past: ["", "No longer matters"],
};

// The facts of the versions shown, each once, with what differs between the versions.
export function merged(versions) {
  const facts = new Map();
  for (const version of versions)
    for (const fact of version.facts) {
      const held = facts.get(fact.name) ?? { ...fact, asked: [] };
      if (fact.values) held.values = { ...held.values, ...fact.values };
      if (fact.synonyms) held.synonyms = { ...held.synonyms, ...fact.synonyms };
      if (fact.maximum !== undefined) {
        held.minimum = Math.min(held.minimum, fact.minimum);
        held.maximum = Math.max(held.maximum, fact.maximum);
      }
      held.asked.push({ version: version.version, question: fact.question });
      facts.set(fact.name, held);
    }
  return [...facts.values()].map((fact) => {
    const questions = new Set(fact.asked.map(({ question }) => question));
    const where = fact.asked.map(({ version }) => version).join(", ");
    if (questions.size > 1) fact.differs = fact.asked.map(({ version, question }) => `${version}: ${question}`).join(" ");
    else if (fact.asked.length < versions.length) fact.differs = `Asked by version ${where} alone.`;
    return fact;
  });
}

const plain = (word) => word.toLowerCase().split(/[\s_-]+/).filter(Boolean).join("_");

// The value that a word means: the value itself, its label or a synonym, in any case.
function meant(fact, word) {
  const known = [...Object.keys(fact.values).map((value) => [value, value]),
    ...Object.entries(fact.values).map(([value, label]) => [label, value]), ...Object.entries(fact.synonyms)];
  return known.find(([name]) => plain(name) === plain(word))?.[1];
}

// "other" stands last, whatever the alphabet says.
const listed = (fact) => Object.entries(fact.values).sort(([a], [b]) => (a === "other") - (b === "other"));

function label(fact, value, text) {
  const also = Object.entries(fact.synonyms ?? {}).filter(([, of]) => of === value).map(([name]) => name);
  return also.length ? `${text} (also ${also.join(", ")})` : text;
}

function hint(fact) {
  const range = fact.maximum === undefined ? "" : `${fact.type === "integer" ? "a whole number" : "a number"} from ` +
    `${fact.minimum} to ${fact.maximum}${fact.unit ? `, in ${fact.unit}` : ""}`;
  return [sentence(range), fact.note, fact.differs].filter(Boolean).map((text) => text.replace(/\.?$/, ".")).join(" ");
}

// What the select has beside "not known" and "not to be had", and the control beside it.
const KINDS = {
  string: (fact) => ({ options: listed(fact).map(([value, text]) => [`=${value}`, label(fact, value, text)]) }),
  boolean: () => ({ options: [["=true", "yes"], ["=false", "no"]] }),
  number: (fact, id) => ({
    options: [["exactly", "exactly"], ...Object.entries(RELATIONS)],
    entry: h("input", { id: `${id}-value`, type: "text", inputmode: "decimal", size: 8, "aria-label": `Value: ${fact.question}` }),
    unit: fact.unit,
  }),
  date: (fact, id) => ({
    options: [["exactly", "on this date"]],
    entry: h("input", { id: `${id}-value`, type: "date", min: "1900-01-01", max: "2199-12-31", "aria-label": `Date: ${fact.question}` }),
  }),
  array: (fact, id) => ({
    options: [["none", "none of them"], ["some", "those marked below, and nothing else"]],
    boxes: listed(fact).map(([value, text]) => [value,
      h("input", { type: "checkbox", id: `${id}-${value}` }), label(fact, value, text)]),
  }),
};
KINDS.integer = KINDS.number;

// What an answer is in the form: the choice of the select, the text beside it, the boxes; undefined where it cannot be shown.
function asShown(fact, value) {
  if (value == null) return { choice: "" };
  const text = (entry) => (JSON.isRawJSON(entry) ? entry.rawJSON : typeof entry === "string" ? entry : undefined);
  const option = (each) => typeof each === "string" && Object.hasOwn(fact.values, each);
  switch (fact.type) {
    case "string": return option(value) ? { choice: `=${value}` } : undefined;
    case "boolean": return typeof value === "boolean" ? { choice: `=${value}` } : undefined;
    case "date": return isDate(value) ? { choice: "exactly", text: value } : undefined;
    case "array": return Array.isArray(value) && value.every(option) ? { choice: value.length ? "some" : "none", marked: value } : undefined;
  }
  const bound = isObject(value) ? Object.entries(value) : [["exactly", value]];
  const [relation, limit] = bound[0] ?? [];
  return bound.length === 1 && (relation === "exactly" || Object.hasOwn(RELATIONS, relation)) && text(limit) !== undefined
    ? { choice: relation, text: text(limit) } : undefined;
}

export function field(fact, answer) {
  const id = `fact-${fact.name}`;
  const { options, entry, unit, boxes } = KINDS[fact.type](fact, id);
  const element = (name, attributes) => h("span", { id: `${id}-${name}`, class: name, ...attributes });
  const [mark, fault] = [element("mark"), element("fault-of-field")];
  const unfit = h("option", { value: "unfit", hidden: true }, "as in the request");
  const described = { "aria-describedby": `${id}-mark ${id}-hint ${id}-fault-of-field` };
  for (const [name, value] of Object.entries(described)) entry?.setAttribute(name, value);
  const select = h("select", { id, ...described },
    h("option", { value: "" }, NOT_KNOWN), options.map(([value, text]) => h("option", { value }, text)),
    h("option", { value: "unavailable" }, "asked for, not to be had"), unfit);

  const pending = () => answer(fact.name, null);
  function read() {
    const choice = select.value;
    if (choice !== "exactly" && !Object.hasOwn(RELATIONS, choice)) {
      if (entry) entry.value = "";
      if (choice !== "some") for (const [, box] of boxes ?? []) box.checked = false;
    }
    if (choice === "") return answer(fact.name, null);
    if (choice === "unavailable") return answer(fact.name, UNAVAILABLE);
    if (choice === "none") return answer(fact.name, []);
    if (choice === "some") {
      const marked = boxes.filter(([, box]) => box.checked).map(([value]) => value);
      return marked.length ? answer(fact.name, marked) : pending();
    }
    if (!entry) return answer(fact.name, fact.type === "boolean" ? choice === "=true" : choice.slice(1));
    const text = entry.value.trim();
    if (!text) return pending();
    const value = fact.type === "date" ? text : typed(text);
    return answer(fact.name, choice === "exactly" ? value : { [choice]: value });
  }
  select.addEventListener("change", read);
  entry?.addEventListener("input", () => {
    if (["", "unavailable", "unfit"].includes(select.value)) select.value = "exactly";
    read();
  });
  // The last mark gone is not known again: that there is none of them is for a person to say.
  for (const [, box] of boxes ?? [])
    box.addEventListener("change", () => {
      select.value = boxes.some(([, each]) => each.checked) ? "some" : "";
      read();
    });

  let named;
  if (fact.synonyms) {
    const said = h("span", { role: "status", class: "said" });
    const input = h("input", { type: "text", list: `${id}-names`, size: 18, "aria-label": `By name: ${fact.question}` });
    const take = () => {
      if (!input.value.trim()) return;
      const value = meant(fact, input.value);
      said.textContent = value ? `${input.value.trim()}: ${fact.values[value]}` : "This name is not in the list.";
      if (!value) return;
      if (boxes) {
        boxes.find(([each]) => each === value)[1].checked = true;
        select.value = "some";
      } else select.value = `=${value}`;
      input.value = "";
      read();
    };
    input.addEventListener("change", take);
    named = h("p", { class: "named" }, h("label", null, "By name ", input), " ", said,
      h("datalist", { id: `${id}-names` }, [...Object.keys(fact.synonyms), ...Object.values(fact.values)].map((name) => h("option", { value: name }))));
  }

  const box = h("div", { class: "field", "data-fact": fact.name },
    h("p", { class: "marks" }, mark),
    h("label", { for: id, id: `${id}-label` }, fact.question),
    h("p", { class: "answer" }, select, entry && [" ", entry], unit && ` ${unit}`),
    boxes && h("div", { role: "group", class: "boxes", "aria-labelledby": `${id}-label`, ...described },
      boxes.map(([, each, text]) => h("label", null, each, ` ${text}`))),
    named,
    h("p", { class: "hint", id: `${id}-hint` }, hint(fact)),
    h("p", { class: "fault" }, fault));

  function show(value, unavailable, state, error) {
    const shown = unavailable ? { choice: "unavailable" } : asShown(fact, value);
    unfit.hidden = Boolean(shown);
    // A choice that waits for its number, date or mark stays.
    const waits = shown?.choice === "" && !entry?.value && !boxes?.some(([, each]) => each.checked) &&
      (select.value === "exactly" || select.value === "some" || Object.hasOwn(RELATIONS, select.value));
    if (!waits) select.value = shown ? shown.choice : "unfit";
    if (entry && shown && entry.value.trim() !== (shown.text ?? "")) entry.value = shown.text ?? "";
    for (const [of, each] of boxes ?? []) each.checked = shown?.marked?.includes(of) ?? false;
    const [sign, word] = MARKS[state] ?? [];
    mark.replaceChildren(...(word ? [h("span", { "aria-hidden": "true" }, sign), word] : []));
    box.dataset.state = state ?? "";
    fault.textContent = error ? `This answer ${error}.` : "";
    for (const control of [select, entry]) control?.setAttribute("aria-invalid", Boolean(error));
  }
  return { element: box, select, show };
}
