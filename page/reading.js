// What a person hands over becomes a request: JSON or YAML, which say what they say to the command, or answers to the
// Questionnaire of a document, which establish what they do there.
import { parseDocument } from "yaml";
import { isObject, NUMBER, parse, typed } from "./policy.js";
import { inForce, words } from "./words.js";

export class Unreadable extends Error {}

const MOST = 1 << 19; // bytes, as everywhere

// More than any request: what has more of it would keep the browser busy for minutes.
const DEEPEST = 32, MOST_YAML = 1 << 15;

function level(text) {
  let depth = 0;
  for (const [sign] of text.matchAll(/[[{\]}]/g))
    if ((depth += "[{".includes(sign) ? 1 : -1) > DEEPEST) throw new Unreadable("This is nested too deeply for a request.");
}

export async function textOf(file) {
  if (file.size > MOST) throw new Unreadable(`${file.name} is too large: 512 KiB is the most that a request may have.`);
  let bytes;
  try {
    bytes = await file.arrayBuffer();
  } catch {
    throw new Unreadable(`${file.name} cannot be read: it is a folder, has been moved or changed, or may not be read.`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Unreadable(`${file.name} is no text in UTF-8.`);
  }
}

// Without quotes a number, kept as it was written, true, false, null or ~; all else is text, dates too.
const PLAIN = { null: [/^(~|null|Null|NULL|)$/, () => null], bool: [/^(true|True|TRUE|false|False|FALSE)$/, (text) => /^t/i.test(text)], float: [NUMBER, typed] };
const YAML = {
  schema: "failsafe",
  customTags: (tags) => [...tags, ...Object.entries(PLAIN).map(([name, [test, resolve]]) =>
    ({ tag: `tag:yaml.org,2002:${name}`, default: true, identify: () => false, test, resolve }))],
  maxAliasCount: 0, // a few lines of aliases hold billions of values
  prettyErrors: true, // with the line
};

function valueOf(text) {
  level(text);
  try {
    return parse(text);
  } catch {
    if (text.length > MOST_YAML) throw new Unreadable("This is no JSON, and larger than YAML of a request: 32 KiB is the most.");
    let line;
    try {
      const document = parseDocument(text, YAML);
      const [problem] = [...document.errors, ...document.warnings];
      const value = document.toJSON();
      level(JSON.stringify(value));
      if (!problem && isObject(value)) return value;
      line = problem?.linePos?.start.line;
    } catch (error) {
      if (error instanceof Unreadable) throw error;
    } // an alias, or what is nested too deep for any engine
    throw new Unreadable(`${line ? `Line ${line}` : "This"} is neither JSON nor YAML of a request.`);
  }
}

// The request, and the facts whose answers were not taken over. `date` is the date of service for answers, which name none;
// `wrong` tells of a request which values the policy refuses.
export function requestIn(text, documents, date, wrong) {
  const value = valueOf(text);
  if (!isObject(value) || value.resourceType === undefined) return [value, []];
  if (value.resourceType === "QuestionnaireResponse") return answersIn(value, documents, date, wrong);
  throw new Unreadable("The page reads no FHIR record: the command payer-policy request makes a request of it, which can be loaded here.");
}

function answersIn(response, documents, date, wrong) {
  const [, form, name, number] = /^(.*\/Questionnaire\/([^/|]+))\|([^|]+)$/.exec(response.questionnaire) ?? [];
  const version = documents.find(({ document }) => document === name)?.versions.find((each) => each.version === number);
  if (!version) throw new Unreadable("These answers are to the questionnaire of no version that is held here.");
  if (date < version.effective_from || (version.effective_to && date > version.effective_to))
    throw new Unreadable(`These answers are for ${name}, version ${number}, ${inForce(version)}: choose a date of service for it first.`);
  const status = response.status;
  if (!["completed", "amended", "in-progress"].includes(status))
    throw new Unreadable("These answers are neither completed, amended nor in progress: they establish nothing.");
  if (typeof response.authored === "string" && response.authored.slice(0, 10) > date)
    throw new Unreadable("These answers were given after the date of service.");
  if (JSON.stringify(response).includes('"modifierExtension"'))
    throw new Unreadable("These answers hold a modifier, which may turn what they mean.");
  const facts = {}, left = new Set();
  for (const fact of version.facts)
    for (const item of listed(response.item).filter(({ linkId, answer }) => linkId === fact.name && listed(answer).length)) {
      const value = answerOf(fact, listed(item.answer), form);
      const fits = value != null && !isObject(value) && (fact.type !== "array" || status !== "in-progress");
      if (fits && JSON.stringify(facts[fact.name] ?? value) === JSON.stringify(value)) facts[fact.name] = value;
      else left.add(fact.name);
    }
  const request = { document: name, date_of_service: date, facts };
  for (const each of wrong(request).keys()) left.add(each);
  for (const each of left) delete facts[each]; // answered twice, and not alike, or with what is no answer
  return [request, [...left].map(words)];
}

const listed = (value) => (Array.isArray(value) ? value.filter(isObject) : []);

const VALUE = { boolean: "valueBoolean", integer: "valueInteger", number: "valueDecimal", date: "valueDate" };

// Undefined where there is more than one, or none of its type.
function answerOf(fact, answers, form) {
  if (VALUE[fact.type]) return answers.length === 1 ? answers[0][VALUE[fact.type]] : undefined;
  const options = `${form}/${fact.name}`; // a code of another system means something else
  const codes = answers.map(({ valueCoding }) => ((valueCoding?.system ?? options) === options ? valueCoding?.code : undefined));
  if (fact.type === "string") return codes.length === 1 ? codes[0] : undefined;
  if (codes.length === 1 && codes[0] === "none") return []; // since no answer says nothing
  return new Set(codes).size === codes.length ? codes : undefined;
}
