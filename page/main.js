// The page: a request, the form that shows it, and what the policy decides. The request is all there is to know; each
// answer changes it, and everything else is drawn from it anew.
import examples from "page:examples";
import packed from "page:policy";
import readings from "page:readings";
import { panel } from "./decision.js";
import { field, merged, UNAVAILABLE } from "./form.js";
import { isDate, isObject, load, refused } from "./policy.js";
import { requestIn, textOf, Unreadable } from "./reading.js";
import { h, inForce, sentence, words } from "./words.js";

const at = (id) => document.getElementById(id);

let evaluate, documents;
let request; // any JSON value, since any can be loaded
let compare = ""; // a version
let aside = {}; // answers that the version chosen does not ask for or take; another may
let others = new Map(); // what was asked of other documents, to come back to: an arrow key on the choice leaves one
let wrong = new Map(); // the facts with a value that no version shown takes, and why
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
  request = { ...request, facts: value === null || value === UNAVAILABLE ? rest : { ...rest, [name]: value } };
  if (away.length) request.unavailable = away;
  else if (Array.isArray(request.unavailable)) delete request.unavailable; // what else stands there is an error, and stays
  at("example").value = ""; // it is no longer that one
  draw();
}

function decide(value, version) {
  try {
    return version ? evaluate("decisions", JSON.stringify({ requests: [value], version: version.effective_from }))[0]
      : evaluate("decision", JSON.stringify(value));
  } catch {
    return null; // a request that no engine can take, such as one with half a character
  }
}

const asks = (version, name) => version.facts.some((fact) => fact.name === name);

function without(names) {
  if (!names.length) return request;
  const fits = { ...request, facts: Object.fromEntries(Object.entries(factsOf(request)).filter(([name]) => !names.includes(name))) };
  if (unavailable().length) fits.unavailable = unavailable().filter((name) => !names.includes(name));
  return fits;
}

// Two versions decide what each asks for, and takes: a value that only one of them refuses is left out for it, as by the
// client's impact. What neither has stays, since it is an error.
function decided(shown) {
  if (!compare) return [{ version: shown[0], decision: decide(request) }];
  const named = [...new Set([...Object.keys(factsOf(request)), ...unavailable()])];
  const side = (version, leftOut) => ({ version, leftOut, decision: decide(without(leftOut), version) });
  const sides = shown.map((version, n) => side(version, named.filter((name) => asks(shown[1 - n], name) && !asks(version, name))));
  const refusals = sides.map(({ decision }) => refused(decision));
  return sides.map(({ version, leftOut }, n) => {
    const values = [...refusals[n].keys()].filter((name) => !refusals[1 - n].has(name) && shown.every((each) => asks(each, name)));
    return values.length ? side(version, [...leftOut, ...values]) : sides[n];
  });
}

function draw() {
  const shown = versions();
  if (compare && (shown.length < 2 || shown[0] === shown[1])) {
    compare = "";
    return draw();
  }
  const sides = decided(shown);
  wrong = faultsOf(sides);
  drawChoice(shown);
  drawQuestions(shown, sides);
  const current = document_();
  at("decisions").replaceChildren(...sides.map(({ version, decision, leftOut }, n) => panel({
    title: compare ? `Decision under version ${version.version}` : "Decision",
    decision, version, leftOut, open, copy,
    other: compare && sides[1 - n].decision ? { version: sides[1 - n].version.version, decision: sides[1 - n].decision } : undefined,
    readings: readings[current?.document] ?? [],
    away: unavailable(),
    given: factsOf(request),
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
    (left.length ? ` Set aside, since this version has no such question or answer: ${left.map(words).join(", ")}.` : "");
  if (versionOn(date)) {
    at("link").href = `#${new URLSearchParams({ document: current.document, date })}`;
    history.replaceState(null, "", at("link").href);
  }
}

// What stands behind the # of a link is asked for as it stands, so that the policy says what of it is not held.
function linked() {
  const given = new URLSearchParams(location.hash.slice(1));
  return { name: given.get("document") ?? undefined, date: given.get("date") ?? undefined };
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
    each.show(Object.hasOwn(facts, name) ? facts[name] : null, away, state, wrong.get(name));
  }
}

const nextOf = (decision) => decision?.ask_first?.facts[0] ?? decision?.missing[0]?.fact;

const faultsOf = (sides) => new Map(sides.flatMap(({ decision }) => [...refused(decision)]));

// The first decision that asks for something.
const asking = (sides) => sides.map(({ decision }) => decision).find(nextOf);

const shortened = (name) => (name.length > 60 ? `${name.slice(0, 60)}…` : name); // what a file calls a fact may be long

// Said to a screen reader when it changes, and only then.
function drawStatus(sides) {
  const said = sides.map(({ version, decision }) =>
    (compare ? `${version.version}: ` : "") + (decision ? sentence(decision.outcome) : "Not decided")).join(", ");
  const fault = [...wrong.keys()].find((name) => fields.has(name));
  const error = fault ? { path: fault, message: wrong.get(fault) } : sides.flatMap(({ decision }) => decision?.errors ?? [])[0];
  const correct = error && `${shortened(words(error.path.replace(/^facts\./, ""))) || "the request"} ${error.message}`;
  const next = nextOf(asking(sides));
  const question = asking(sides)?.missing.find(({ fact }) => fact === next)?.question;
  const text = `${said}.${correct ? ` To correct: ${correct}.` : ""}${question ? ` Next question: ${question}` : ""}`;
  if (at("announced").textContent !== text) at("announced").textContent = text;
  const goTo = (name, label) => h("button", { type: "button", onclick: () => fields.get(name).select.focus() }, label);
  at("next").replaceChildren(...(fault ? [goTo(fault, "Go to the answer to correct")]
    : fields.has(next) ? [goTo(next, "Go to the next question")] : []));
  at("status").className = compare ? "" : sides[0].decision?.outcome ?? "";
}

// Answers that the versions shown do not ask for or take are set aside, and come back with a version that does. One that
// was wrong where it was given stays, to be corrected.
function fit() {
  const shown = versions();
  if (!shown.length || !isObject(request?.facts)) return; // no version is held for the date, or there are no facts to fit
  const all = Object.entries({ ...aside, ...factsOf(request) });
  const keep = (fits) => {
    aside = Object.fromEntries(all.filter(([name]) => !fits(name)));
    request = { ...request, facts: Object.fromEntries(all.filter(([name]) => fits(name))) };
  };
  const known = (name) => document_().versions.some((version) => asks(version, name)); // else it is an error, wherever
  const asked = (name) => !known(name) || shown.some((version) => asks(version, name));
  keep(asked);
  if (Array.isArray(request.unavailable)) request.unavailable = unavailable().filter(asked);
  const refusals = shown.map((version) => refused(decide(request, version)));
  keep((name) => asked(name) && (!known(name) || wrong.has(name) || !refusals.every((each) => each.has(name))));
}

function take(value) {
  at("example").value = "";
  request = value;
  aside = {};
  others = new Map();
  drawn = "";
  draw();
}

// All that was answered of a document comes back with it, for the date chosen since.
function turnTo(name) {
  const left = new Map(others);
  if (isObject(request?.facts)) left.set(request.document, [{ ...request, facts: { ...aside, ...request.facts } }, wrong]);
  const date = request?.date_of_service;
  take(blank(name, date));
  others = left;
  if (!left.has(name)) return;
  [request, wrong] = left.get(name);
  request = { ...request, date_of_service: date };
  fit();
  draw();
}

function setDate(date) {
  at("example").value = ""; // it is no longer that one
  request = { ...(isObject(request) ? request : blank(at("document").value)), date_of_service: date };
  fit();
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
    const [value, left] = requestIn(text, documents, request?.date_of_service, (answers) => refused(decide(answers)));
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
  at("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address is a document and a date
    at("questions").focus();
  });
  at("document").addEventListener("change", (event) => turnTo(event.target.value));
  let typing = false; // a date of which a part is typed is none yet; once it is left, it is what it is
  at("date").addEventListener("input", ({ target }) => {
    typing = !(target.value && target.validity.valid);
    if (!typing) setDate(target.value);
  });
  at("date").addEventListener("blur", ({ target }) => {
    if (typing) setDate(target.value);
    typing = false;
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
    const { name = request?.document, date = request?.date_of_service } = linked();
    if (name !== request?.document || date !== request?.date_of_service) take(blank(name, date));
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
  take(blank(link.name ?? documents[0].document, link.date ?? today));
  at("main").hidden = at("status").hidden = false;
  document.title = "Criteria: try them";
  at("fault").remove(); // last: until all of the page is there, it is damaged
}

start();
