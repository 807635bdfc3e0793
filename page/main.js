// The page: a request, the form that shows it, and what the policy decides. The request is all there is to know; each
// answer changes it, and everything else is drawn from it anew.
import examples from "page:examples";
import packed from "page:policy";
import readings from "page:readings";
import { panel } from "./decision.js";
import { admits, field, merged, UNAVAILABLE } from "./form.js";
import { isDate, isObject, load } from "./policy.js";
import { requestIn, textOf, Unreadable } from "./reading.js";
import { h, inForce, sentence, words } from "./words.js";

const at = (id) => document.getElementById(id);

let evaluate, documents;
let request; // any JSON value, since any can be loaded
let compare = ""; // a version
let aside = {}; // answers to what the version chosen does not ask for; another version may
let fields = new Map(), drawn = "";
const open = new Set(); // readings, by clause

const document_ = () => documents.find((each) => each.document === request?.document);
const versionOn = (date) =>
  isDate(date) && document_()?.versions.find((version) => version.effective_from <= date && (!version.effective_to || date <= version.effective_to));
const factsOf = (value) => (isObject(value?.facts) ? value.facts : {});
const unavailable = () => (Array.isArray(request?.unavailable) ? request.unavailable : []);

// The versions shown: that in force, then the one to compare with.
function versions() {
  const other = document_()?.versions.find(({ version }) => version === compare);
  return [versionOn(request?.date_of_service), other].filter(Boolean);
}

function answer(name, value) {
  const { [name]: _, ...rest } = factsOf(request);
  const away = unavailable().filter((each) => each !== name);
  if (value === UNAVAILABLE) away.push(name);
  const { unavailable: __, ...others } = request;
  request = { ...others, facts: value === null || value === UNAVAILABLE ? rest : { ...rest, [name]: value } };
  if (away.length) request.unavailable = away;
  at("example").value = ""; // it is no longer that one
  draw();
}

// What one version asks for, of a request that holds answers for two; what neither has stays, since it is an error.
function fitted(version) {
  if (!isObject(request)) return [request, []];
  const own = new Map(version.facts.map((fact) => [fact.name, fact]));
  const known = versions().flatMap(({ facts }) => facts);
  const answered = [...Object.entries(factsOf(request)), ...unavailable().map((name) => [name, null])];
  const out = answered.filter(([name, value]) =>
    known.some((fact) => fact.name === name && admits(fact, value)) && !(own.has(name) && admits(own.get(name), value))).map(([name]) => name);
  const fits = { ...request, facts: Object.fromEntries(Object.entries(factsOf(request)).filter(([name]) => !out.includes(name))) };
  if (unavailable().length) fits.unavailable = unavailable().filter((name) => !out.includes(name));
  return [fits, out];
}

function decided(version) {
  try {
    if (!compare) return { decision: evaluate("decision", JSON.stringify(request)) };
    const [fits, leftOut] = fitted(version);
    const [decision] = evaluate("decisions", JSON.stringify({ requests: [fits], version: version.effective_from }));
    return { decision, leftOut };
  } catch {
    return { decision: null }; // a request that no engine can take, such as one nested too deep
  }
}

function draw() {
  const shown = versions();
  if (compare && (shown.length < 2 || shown[0] === shown[1])) {
    compare = "";
    return draw();
  }
  const sides = compare ? shown.map((version) => ({ version, ...decided(version) })) : [{ version: shown[0], ...decided() }];
  drawChoice(shown);
  drawQuestions(shown, sides);
  const current = document_();
  at("decisions").replaceChildren(...sides.map(({ version, decision, leftOut }, n) => panel({
    title: compare ? `Decision under version ${version.version}` : "Decision",
    decision, version, leftOut, open, copy,
    other: compare && sides[1 - n].decision ? { version: sides[1 - n].version.version, decision: sides[1 - n].decision } : undefined,
    readings: readings[current?.document] ?? [],
    away: unavailable(),
    remove: (name) => {
      answer(name, null);
      at("questions").focus(); // the button is gone
    },
  })));
  document.body.classList.toggle("compared", Boolean(compare));
  at("request").value = JSON.stringify(request, null, 2);
  at("request-fault").textContent = "";
  at("decision").textContent = JSON.stringify(sides[0].decision, null, 2);
  drawStatus(sides);
}

function drawChoice(shown) {
  const current = document_();
  const date = isDate(request?.date_of_service) ? request.date_of_service : "";
  at("document").value = current?.document ?? "";
  if (at("date").value !== date) at("date").value = date;
  const others = (current?.versions ?? []).filter((version) => version !== versionOn(date));
  at("compare").replaceChildren(h("option", { value: "" }, others.length && shown.length ? "no other version" : "no other version held"),
    ...(shown.length ? others : []).map(({ version }) => h("option", { value: version }, `version ${version}`)));
  at("compare").value = compare;
  const left = Object.keys(aside);
  at("version").textContent = (versionOn(date)
    ? `The date of service chooses version ${shown[0].version} of ${current.document}, ${shown[0].title}: ${inForce(shown[0])}.`
    : "No version is held for this document and date.") +
    (left.length ? ` Set aside, since it is not asked for here: ${left.map(words).join(", ")}.` : "");
  if (versionOn(date)) {
    at("link").href = `#${new URLSearchParams({ document: current.document, date })}`;
    history.replaceState(null, "", at("link").href);
  }
}

// What stands behind the # of a link: a document and a date, each only if it can be one.
function linked() {
  const given = new URLSearchParams(location.hash.slice(1));
  const name = documents.some((each) => each.document === given.get("document")) ? given.get("document") : undefined;
  return name && { document: name, date: isDate(given.get("date")) ? given.get("date") : undefined };
}

function drawQuestions(shown, sides) {
  const key = JSON.stringify([request?.document, ...shown.map(({ version }) => version)]);
  if (key !== drawn) {
    drawn = key;
    fields = new Map(merged(shown).map((fact) => [fact.name, field(fact, answer)]));
    at("form").replaceChildren(...(fields.size ? [...fields.values()].map((each) => each.element)
      : [h("p", null, "There is no question without a version.")]));
  }
  const decision = asking(sides);
  const missing = new Set(sides.flatMap((side) => side.decision?.missing.map(({ fact }) => fact) ?? []));
  const first = decision?.ask_first?.facts ?? [];
  const facts = factsOf(request);
  for (const [name, each] of fields) {
    const known = facts[name] != null, away = unavailable().includes(name);
    let state;
    if (missing.has(name)) state = name === nextOf(decision) ? "next" : first.includes(name) ? "first" : "open";
    else if (!known && !away && sides.every((side) => side.decision?.criteria)) state = "past";
    const errors = sides.flatMap((side) => side.decision?.errors ?? []);
    const own = errors.find(({ path }) => path === `facts.${name}` || path.startsWith(`facts.${name}.`) || path.startsWith(`facts.${name}[`));
    each.show(Object.hasOwn(facts, name) ? facts[name] : null, away, state, own?.message);
  }
}

const nextOf = (decision) => decision?.ask_first?.facts[0] ?? decision?.missing[0]?.fact;

// The first decision that asks for something.
const asking = (sides) => sides.map(({ decision }) => decision).find(nextOf);

// Said to a screen reader when it changes, and only then.
function drawStatus(sides) {
  const said = sides.map(({ version, decision }) =>
    (compare ? `${version.version}: ` : "") + (decision ? sentence(decision.outcome) : "Not decided")).join(", ");
  const next = nextOf(asking(sides));
  const question = asking(sides)?.missing.find(({ fact }) => fact === next)?.question;
  const text = `${said}.${question ? ` Next question: ${question}` : ""}`;
  if (at("announced").textContent !== text) at("announced").textContent = text;
  at("next").replaceChildren(...(next && fields.has(next)
    ? [h("button", { type: "button", onclick: () => fields.get(next).select.focus() }, "Go to the next question")] : []));
  at("status").className = compare ? "" : sides[0].decision?.outcome ?? "";
}

// Answers that the versions shown do not ask for are set aside, and come back with a version that does.
function fit() {
  const shown = versions();
  if (!shown.length || !isObject(request)) return; // a date that is being typed
  const asked = new Set(shown.flatMap(({ facts }) => facts.map(({ name }) => name)));
  const all = Object.entries({ ...aside, ...factsOf(request) });
  aside = Object.fromEntries(all.filter(([name]) => !asked.has(name)));
  request = { ...request, facts: Object.fromEntries(all.filter(([name]) => asked.has(name))) };
  if (request.unavailable) request.unavailable = unavailable().filter((name) => asked.has(name));
}

function take(value) {
  at("example").value = "";
  request = value;
  aside = {};
  drawn = "";
  draw();
}

const blank = (name, date) => ({ document: name, date_of_service: date, facts: {} });
const said = (text) => { at("request-fault").textContent = text; };

const unchanged = (error) => {
  if (!(error instanceof Unreadable)) throw error;
  said(`${error.message} Nothing was changed.`);
};

function takeText(text) {
  try {
    const [value, left] = requestIn(text, documents, request?.date_of_service);
    take(value);
    if (left.length) said(`Not taken over, since these are no complete answers: ${left.join(", ")}.`);
  } catch (error) {
    unchanged(error);
  }
}

let chosen; // the file that is being read

async function takeFile(file) {
  chosen = file;
  const before = request;
  said("");
  at("reading").textContent = `Reading ${file.name}.`;
  let text, fault;
  try {
    text = await textOf(file);
    if (request !== before) throw new Unreadable(`What was entered while ${file.name} was read stays.`);
  } catch (error) {
    fault = error;
  }
  if (chosen !== file) return; // another was chosen meanwhile
  at("reading").textContent = "";
  at("file").value = "";
  if (fault) unchanged(fault);
  else takeText(text);
}

async function copy(text, button) {
  const label = (button.dataset.label ??= button.textContent); // a second click finds "Copied"
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not copied: select the text";
  }
  setTimeout(() => { button.textContent = label; }, 10_000);
}

function listen() {
  at("document").addEventListener("change", (event) => take(blank(event.target.value, request?.date_of_service)));
  at("date").addEventListener("input", (event) => {
    request = { ...(isObject(request) ? request : blank(at("document").value)), date_of_service: event.target.value };
    fit();
    draw();
  });
  at("compare").addEventListener("change", (event) => {
    compare = event.target.value;
    fit();
    draw();
  });
  at("example").addEventListener("change", (event) => {
    const example = examples.find(({ name }) => name === event.target.value);
    if (!example) return;
    takeText(example.text);
    event.target.value = example.name;
  });
  at("clear").addEventListener("click", () => take(blank(request?.document, request?.date_of_service)));
  at("form").addEventListener("submit", (event) => event.preventDefault());
  at("decide").addEventListener("click", () => takeText(at("request").value));
  at("copy-request").addEventListener("click", (event) => copy(at("request").value, event.target));
  at("file").addEventListener("change", ({ target: { files: [file] } }) => file && takeFile(file));
  addEventListener("hashchange", () => {
    const link = linked();
    if (link && (link.document !== request?.document || link.date !== request?.date_of_service))
      take(blank(link.document, link.date ?? request?.date_of_service));
  });
}

async function start() {
  evaluate = await load(packed);
  ({ documents } = evaluate("catalogue", "null"));
  at("document").replaceChildren(...documents.map(({ document: name, versions }) => h("option", { value: name }, `${name} ${versions.at(-1).title}`)));
  at("example").replaceChildren(h("option", { value: "" }, "none"), ...documents.map(({ document: name }) =>
    h("optgroup", { label: name }, examples.filter((each) => requestIn(each.text, documents)[0].document === name)
      .map((each) => h("option", { value: each.name }, each.about || each.name)))));
  listen();
  const link = linked();
  const now = new Date();
  const today = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
  take(blank(link?.document ?? documents[0].document, link?.date ?? today));
  at("fault").remove();
  document.title = "Criteria: try them";
  at("main").hidden = at("status").hidden = false;
}

start();
