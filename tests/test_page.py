"""The page of `make page`, opened from its file in a real Chromium that has no network."""

import gzip
import json
import re
import shutil
import socket
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from payer_policy import EmbeddedPolicy
from payer_policy.fhir import Records, questionnaire
from payer_policy.letter import letter
from payer_policy.runtime.documents import Documents
from payer_policy.runtime.reading import read_json, read_yaml
from payer_policy.runtime.values import Decision
from payer_policy.workshop.impact import Side, decided, impact
from payer_policy.workshop.page import page as report
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests import ROOT
from tests.oracle.vectors import VECTORS, in_process, states
from tests.stage.opa import fail

FILE = ROOT / "build" / "criteria.html"
AXE = ROOT / "page" / "node_modules" / "axe-core" / "axe.min.js"
EXAMPLES = {
    str(file.relative_to(ROOT / "examples")): yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in sorted((ROOT / "examples").rglob("*.yaml"))
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        fail("There is no Chromium. Run `make test`, or install it with `tools/setup browser`.")
    if not FILE.exists():
        fail(f"{FILE} is missing. Run `make test`, or `make page`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


def test_the_page_has_the_licence_of_every_package_in_it() -> None:
    held = json.loads((ROOT / "page" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    shipped = {name: package["license"] for name, package in held.items() if name and "dev" not in package}
    text = FILE.read_text(encoding="utf-8")
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert f"<!--\n{notice}" in text
    for folder, licence in shipped.items():
        assert (ROOT / "page" / folder / "LICENSE").read_text(encoding="utf-8") in text
        assert f"{folder.removeprefix('node_modules/')} ({licence})" in " ".join(notice.split())


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Nothing is asked for but the file, and no error is thrown, whatever a test does."""
    context = browser.new_context(offline=True, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(5_000)
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("#")[0]))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    yield page
    context.close()
    assert set(asked) == {FILE.as_uri()}
    assert errors == []


def opened(page: Page, document: str = "CC-0126", date: str = "2025-06-01") -> Page:
    page.goto("about:blank")
    page.goto(f"{FILE.as_uri()}#document={document}&date={date}")
    expect(page.locator("#main")).to_be_visible()
    return page


def load(page: Page, request: object) -> None:
    page.locator("#request").fill(json.dumps(request))
    page.get_by_role("button", name="Decide this request").click()


def choose(page: Page, file: Path) -> None:
    """Waits until the page has read the file, which it does in its own time, and lets go of it."""
    page.locator("#file").set_input_files(file)
    expect(page.locator("#file")).to_have_value("")


def request_of(page: Page) -> Any:  # noqa: ANN401
    return json.loads(page.locator("#request").input_value())


def decision_of(page: Page) -> Any:  # noqa: ANN401
    return json.loads(page.locator("#decision").text_content() or "")


def field(page: Page, fact: str) -> Locator:
    return page.locator(f"[data-fact={fact}]")


def enter(page: Page, fact: str, value: object) -> None:
    """An answer, as a person gives it."""
    box = field(page, fact)
    select = page.locator(f"#fact-{fact}")
    match value:
        case bool():
            select.select_option(label="yes" if value else "no")
        case list():
            select.select_option("none" if not value else "some")
            for item in value:
                box.locator(f"#fact-{fact}-{item}").check()
        case {**bound} if bound:
            [(relation, limit)] = bound.items()
            select.select_option(label=str(relation).replace("_", " "))
            page.locator(f"#fact-{fact}-value").fill(str(limit))
        case str() if box.locator("input[type=date]").count():
            page.locator(f"#fact-{fact}-value").fill(value)
        case str():
            select.select_option(f"={value}")
        case _:
            page.locator(f"#fact-{fact}-value").fill(str(value))


def evidence(criteria: Any) -> list[str]:  # noqa: ANN401
    """The labels of all clauses, as the tree has them."""
    nodes, found = [*criteria["pathways"], *criteria["exclusions"]], []
    for node in nodes:
        nodes += [part for kind in ("all_of", "any_of", "none_of", "of") for part in node.get(kind, [])]
        if node.get("evidence"):
            found.append(f"({', '.join(node['evidence'])})")
    return found


def in_order(request: dict[str, Any]) -> dict[str, Any]:
    facts = {name: sorted(value) if isinstance(value, list) else value for name, value in request["facts"].items()}
    return {**request, "facts": facts}


def test_the_policy_in_it_is_that_of_the_package() -> None:
    [packed] = re.findall(r'"(H4sI[A-Za-z0-9+/=]+)"', FILE.read_text(encoding="utf-8"))
    shipped = ROOT / "pyclient" / "src" / "payer_policy" / "policy.wasm"
    assert gzip.decompress(b64decode(packed)) == shipped.read_bytes()


def test_every_vector_is_decided_as_by_the_policy(page: Page, policy: EmbeddedPolicy) -> None:
    opened(page)
    texts = [json.dumps(vector["input"]) for vector in VECTORS.values()]
    decisions = page.evaluate(
        """texts => texts.map(text => {
          document.getElementById("request").value = text;
          document.getElementById("decide").click();
          return document.getElementById("decision").textContent;
        })""",
        texts,
    )
    differ = [
        name
        for (name, vector), text in zip(VECTORS.items(), decisions, strict=True)
        if json.loads(text) != in_process(policy, "decision", vector["input"])
    ]
    assert differ == []
    assert len(decisions) == len(VECTORS) > 300


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_typed_through_the_form(name: str, page: Page, policy: EmbeddedPolicy) -> None:
    example = EXAMPLES[name]
    asked = {key: example[key] for key in ("document", "date_of_service", "facts")}
    if example.get("unavailable"):
        asked["unavailable"] = example["unavailable"]
    expected = in_process(policy, "decision", asked)
    opened(page, example["document"], example["date_of_service"])
    if expected["policy"] is None:  # nothing to type, or nothing that the form lets in: it is loaded
        page.locator("#example").select_option(name)
        assert decision_of(page) == in_process(policy, "decision", example)
        return
    for fact, value in example["facts"].items():
        enter(page, fact, value)
    for fact in example.get("unavailable", []):
        page.locator(f"#fact-{fact}").select_option("unavailable")
    sent = request_of(page)
    assert in_order(sent) == in_order(asked)
    assert decision_of(page) == in_process(policy, "decision", sent)
    shown = page.locator("[data-id]").evaluate_all("nodes => nodes.map(node => [node.dataset.id, node.dataset.state])")
    assert dict(shown) == states(expected["criteria"])
    expect(page.locator("#announced")).to_contain_text(expected["outcome"].replace("_", " ").capitalize())
    read = page.locator(".decision").inner_text()
    said = [
        expected["summary"],
        *(each["text"] for part in ("reasons", "terms", "advisories") for each in expected[part]),
    ]
    said += evidence(expected["criteria"])
    assert [text for text in said if text not in read] == []
    if expected["missing"]:
        [answer] = policy.decide_many([sent])
        assert isinstance(answer, Decision)
        as_by_the_client = " ".join(letter(answer).split())
        for paragraph in page.locator(".letter").inner_text().split("\n\n"):
            assert " ".join(paragraph.split()) in as_by_the_client
    if expected["ask_first"]:
        first = expected["ask_first"]["facts"][0]
        question = next(item["question"] for item in expected["missing"] if item["fact"] == first)
        expect(page.locator("#announced")).to_contain_text(question)
        expect(field(page, first)).to_have_attribute("data-state", "next")
    open_ = {item["fact"] for item in expected["missing"]}
    past = page.locator("[data-state=past]").evaluate_all("all => all.map(each => each.dataset.fact)")
    unknown = {fact for fact in page.locator("[data-fact]").evaluate_all("all => all.map(each => each.dataset.fact)")}
    assert set(past) == unknown - open_ - set(example["facts"]) - set(example.get("unavailable", []))


def test_examples_are_enough(policy: EmbeddedPolicy) -> None:
    decided = [example for example in EXAMPLES.values() if in_process(policy, "decision", example)["policy"]]
    assert len(decided) >= 36
    assert {example["document"] for example in decided} >= {"CC-0126", "NCD-240.4", "NCD-110.21"}


def test_keyboard_alone(page: Page) -> None:
    opened(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Go to the next question"
    for answer in ("acute", "B-cell", "yes"):
        page.keyboard.press("Enter")
        page.keyboard.type(answer, delay=5)
        page.locator("#next button").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("relapsed", delay=5)
    assert decision_of(page)["outcome"] == "approved"
    expect(page.locator("#announced")).to_have_text("Approved.")
    assert page.evaluate("document.activeElement.id") == "fact-disease_status"
    for control in ("select", "textarea", "button", "input", "summary", "pre"):
        assert page.locator(f"main {control}[tabindex='-1']").count() == 0


def violations(page: Page) -> list[Any]:
    """What axe finds."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert len(found["passes"]) > 10
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]


# Each a state of the page that axe sees.
SEEN = {
    "approved": ("CC-0126", "01-relapsed.yaml", ""),
    "open": ("CC-0126", "12-residual-disease-not-sent.yaml", ""),
    "invalid": ("CC-0126", "14-wrong-type.yaml", ""),
    "no version": ("CC-0126", "15-before-the-first-version.yaml", ""),
    "dates": ("NCD-110.21", "ncd110_21/10-hemoglobin-not-measured.yaml", ""),
    "compared": ("NCD-240.4", "ncd240_4/01-first-12-weeks.yaml", "2005-04-04"),
}


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_is_cut_off(seen: str, width: int, page: Page) -> None:
    document, example, compared = SEEN[seen]
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, document)
    page.locator("#example").select_option(example)
    page.locator("#compare").select_option(compared)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 1280])
def test_the_report_of_an_impact_is_as_readable(
    width: int, loose: Page, policy: EmbeddedPolicy, tmp_path: Path
) -> None:
    requests = enumerate(vector["input"] for vector in VECTORS.values())
    old, new = "2005-04-04", "2008-03-13"
    file = tmp_path / "impact.html"
    found = impact("NCD-240.4", Side(policy, old), Side(policy, new), requests)
    file.write_text(report(found, old, new), encoding="utf-8")
    loose.set_viewport_size({"width": width, "height": 800})
    loose.goto(file.as_uri())
    assert violations(loose) == []
    assert loose.evaluate("document.documentElement.scrollWidth") <= width


def test_two_versions_side_by_side(page: Page, policy: EmbeddedPolicy) -> None:
    held = Documents(policy)
    pairs: list[tuple[Any, str, str]] = []
    for vector in VECTORS.values():
        request = vector["input"]
        if not isinstance(request, dict) or request.get("document") != "NCD-240.4":
            continue
        own = held.in_force("NCD-240.4", request.get("date_of_service"))
        if own and "date_of_service" not in vector["expect"].get("errors", []):
            pairs.append((request, own, {"2005-04-04", "2008-03-13"}.difference([own]).pop()))
    opened(page)
    compared = page.evaluate(
        """pairs => pairs.map(([text, other]) => {
          document.getElementById("request").value = text;
          document.getElementById("decide").click();
          const compare = document.getElementById("compare");
          compare.value = other;
          compare.dispatchEvent(new Event("change"));
          return [...document.querySelectorAll(".decision")].map(panel => ({
            name: panel.getAttribute("aria-label"),
            outcome: panel.querySelector(".outcome").textContent,
            states: Object.fromEntries(
              [...panel.querySelectorAll("[data-id]")].map(node => [node.dataset.id, node.dataset.state])),
            errors: [...panel.querySelectorAll("h3")].some(title => title.textContent === "To correct"),
            leftOut: /Left out, since [^:]*: (.*?)\\./.exec(panel.textContent)?.[1].split(", ").sort() ?? [],
          }));
        })""",
        [(json.dumps(request), other) for request, _, other in pairs],
    )
    invalid = values = 0
    for (request, own, other), panels in zip(pairs, compared, strict=True):
        [(_, *decisions, left_out)] = decided("NCD-240.4", Side(policy, own), Side(policy, other), [(1, request)])
        for side, version, decision, panel in zip(("old", "new"), (own, other), decisions, panels, strict=True):
            assert isinstance(decision, Decision)
            assert panel == {
                "name": f"Decision under version {version}",
                "outcome": panel["outcome"],
                "states": states(decision.to_dict()["criteria"]),
                "errors": bool(decision.errors),
                "leftOut": sorted({fact.replace("_", " ") for of, fact, _ in left_out if of == side}),
            }
            assert panel["outcome"].endswith(decision.outcome.value.replace("_", " ").capitalize())
            invalid += bool(decision.errors)
        values += any(kind == "value" for _, _, kind in left_out)
    assert len(pairs) > 300
    assert invalid > 20
    assert values > 10


def test_where_one_of_two_versions_asks_its_question_leads(page: Page) -> None:
    opened(page, "NCD-240.4")
    page.locator("#example").select_option("ncd240_4/04-between-14-and-15.yaml")
    expect(page.locator("#announced")).to_have_text("Not approved.")
    page.locator("#compare").select_option("2005-04-04")
    expect(page.locator("#announced")).to_have_text(
        "2008-03-13: Not approved, 2005-04-04: Needs information."
        " Next question: Is surgery a likely alternative to CPAP?"
    )
    page.get_by_role("button", name="Go to the next question").click()
    expect(page.locator("#fact-surgery_alternative")).to_be_focused()


def test_an_answer_of_another_version_is_set_aside_and_comes_back(page: Page) -> None:
    opened(page, "NCD-240.4")
    answers = {"age": 61, "period": "initial", "sleep_test": "hst_type_ii"}
    for fact, value in answers.items():
        enter(page, fact, value)
    page.locator("#date").fill("2006-01-01")
    assert request_of(page)["facts"] == {"age": 61}
    expect(page.locator("#version")).to_contain_text("version 2005-04-04")
    expect(page.locator("#version")).to_contain_text(
        "Set aside, since this version has no such question or answer: period, sleep test."
    )
    page.locator("#date").fill("2025-06-01")
    assert request_of(page)["facts"] == answers
    page.locator("#fact-age-value").fill("old")  # wrong everywhere: it stays, to be corrected
    page.locator("#date").fill("2006-01-01")
    assert request_of(page)["facts"] == {"age": "old"}


def test_another_document_does_not_lose_the_answers(page: Page) -> None:
    """On the choice of the document an arrow key is enough to leave one."""
    opened(page, "NCD-240.4")
    enter(page, "age", 61)
    enter(page, "period", "initial")
    page.locator("#document").focus()
    page.keyboard.press("ArrowUp")
    assert request_of(page) == {"document": "NCD-110.21", "date_of_service": "2025-06-01", "facts": {}}
    page.locator("#date").fill("2006-01-01")
    page.locator("#document").focus()
    page.keyboard.press("ArrowDown")
    assert request_of(page) == {"document": "NCD-240.4", "date_of_service": "2006-01-01", "facts": {"age": 61}}
    page.locator("#date").fill("2010-01-01")
    assert request_of(page)["facts"] == {"age": 61, "period": "initial"}
    page.locator("#document").select_option("CC-0126")
    page.get_by_role("button", name="Clear all answers").click()  # of whoever they are
    page.locator("#document").select_option("NCD-240.4")
    assert request_of(page)["facts"] == {}


def test_a_link_holds_document_and_date_alone(page: Page) -> None:
    opened(page, "NCD-110.21", "2024-02-29")
    enter(page, "hemoglobin", 9.5)
    link = page.get_by_role("link", name="Link to this document and date").get_attribute("href")
    assert link == "#document=NCD-110.21&date=2024-02-29"
    assert page.url == FILE.as_uri() + link
    page.reload()
    expect(page.locator("#document")).to_have_value("NCD-110.21")
    expect(page.locator("#date")).to_have_value("2024-02-29")
    assert request_of(page)["facts"] == {}
    assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


@pytest.mark.parametrize(
    ("link", "version", "errors"),
    [
        ("#document=CC-9999&date=2025-06-01", None, ["document"]),
        ("#document=cc-0126&date=2025-06-01", None, ["document"]),
        ("#document=%3Cimg%20src=x%3E&date=2025-06-01", None, ["document"]),
        ("#document=CC-0126&date=2025-13-45", None, ["date_of_service"]),
        ("#document=CC-0126&date=2300-01-01", None, ["date_of_service"]),
        ("#document=CC-0126&date=2001-01-01", None, []),
        ("#document=NCD-240.4&date=2006-01-01&facts=x", "2005-04-04", []),
        ("#document=NCD-240.4", "2008-03-13", []),
        ("#%E0%A4%A&junk", "2025-04-01", []),
    ],
)
def test_a_link_opens_nothing_but_what_it_names(link: str, version: str | None, errors: list[str], page: Page) -> None:
    """A link to what this file does not hold had opened the first document, for today."""
    page.goto(FILE.as_uri() + link)
    expect(page.locator("#main")).to_be_visible()
    decision = decision_of(page)
    assert [error["path"] for error in decision["errors"]] == errors
    assert (decision["policy"] or {}).get("version") == version
    expect(page.locator("#version")).to_contain_text(f"version {version}" if version else "No version is held")
    if errors:
        expect(page.locator("#announced")).to_contain_text(f"To correct: {errors[0].replace('_', ' ')} ")
    opened(page, "NCD-110.21")
    page.evaluate("link => { location.hash = link }", link)  # the same from the page as it is open
    if "document" in link:
        assert decision_of(page)["errors"] == decision["errors"]
        assert (decision_of(page)["policy"] or {}).get("version") == version


def test_the_way_to_the_questions_leaves_the_address(page: Page) -> None:
    opened(page)
    address = page.url
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#questions")).to_be_focused()
    assert page.url == address


def test_a_date_that_is_being_typed_decides_nothing(page: Page) -> None:
    opened(page, "NCD-240.4")
    enter(page, "age", 61)
    page.evaluate("""() => {
      window.said = [];
      const status = document.getElementById("announced");
      new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true });
    }""")
    page.locator("#date").focus()
    page.keyboard.type("0203200", delay=5)
    assert request_of(page)["date_of_service"] == "2025-02-03"  # a day of the year that stood there
    assert page.evaluate("said") == []
    page.keyboard.type("6")
    assert request_of(page)["date_of_service"] == "2006-02-03"
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("0")
    page.locator("#document").focus()  # left as it is
    assert request_of(page)["facts"] == {"age": 61}


def test_names_that_mean_a_value(page: Page) -> None:
    opened(page)
    name = field(page, "combined_with").get_by_label("By name")
    for typed, facts in (("Gleevec", ["imatinib"]), ("NILOTINIB", ["imatinib", "nilotinib"])):
        name.fill(typed)
        name.press("Enter")
        assert sorted(request_of(page)["facts"]["combined_with"]) == facts
    name.fill("aspirin")
    name.press("Enter")
    expect(field(page, "combined_with").get_by_role("status")).to_have_text("This name is not in the list.")
    assert sorted(request_of(page)["facts"]["combined_with"]) == ["imatinib", "nilotinib"]


def test_the_tree_says_what_is_not_to_be_had(page: Page) -> None:
    opened(page, "NCD-110.21")
    page.locator("#fact-hemoglobin").select_option("unavailable")
    expect(page.locator("[data-id='1.hemoglobin'] .value").first).to_have_text(" hemoglobin: not to be had")
    expect(page.locator("[data-id='1.hematocrit'] .value").first).to_have_text(" hematocrit")


def test_unknown_is_never_none_of_them(page: Page) -> None:
    opened(page)
    for fact in ("combined_with", "alternating_with"):
        expect(page.locator(f"#fact-{fact} option").first).to_have_text("not known")
    page.locator("#fact-combined_with-imatinib").check()
    page.locator("#fact-combined_with-imatinib").uncheck()
    page.locator("#fact-alternating_with").select_option("some")
    page.locator("#fact-mrd_percent").select_option("less_than")
    assert request_of(page)["facts"] == {}
    expect(page.locator("#fact-mrd_percent")).to_have_value("less_than")  # it waits for its number
    page.locator("#fact-mrd_percent-value").fill("0.01")
    assert request_of(page)["facts"] == {"mrd_percent": {"less_than": 0.01}}
    page.locator("#fact-mrd_percent").select_option(label="not known")
    expect(page.locator("#fact-mrd_percent-value")).to_have_value("")
    assert request_of(page)["facts"] == {}


def test_every_question_has_not_known_first(page: Page, policy: EmbeddedPolicy) -> None:
    held = Documents(policy)
    for document, version in (("CC-0126", "2025-04-01"), ("NCD-240.4", "2008-03-13"), ("NCD-110.21", "2007-07-30")):
        opened(page, document)
        firsts = page.locator("#form select").evaluate_all("all => all.map(each => each.options[0].textContent)")
        assert set(firsts) == {"not known"}
        assert len(firsts) == len(held.facts(document, version)) > 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("abc", "must be a number from 0 to 100"),
        ("0,5", "must be a number from 0 to 100"),
        ("101", "must be a number from 0 to 100"),
        ("0.099999999999999999", "must have at most 15 significant digits"),
    ],
)
def test_the_policy_says_what_is_wrong_with_an_answer(text: str, says: str, page: Page) -> None:
    opened(page)
    page.locator("#fact-mrd_percent-value").fill(text)
    assert decision_of(page)["errors"] == [{"path": "facts.mrd_percent", "message": says}]
    expect(field(page, "mrd_percent")).to_contain_text(f"This answer {says}.")
    expect(page.locator("#fact-mrd_percent-value")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#fact-mrd_percent-value")).to_have_value(text)
    expect(page.locator("#fact-mrd_percent-value")).to_have_accessible_description(
        f"A number from 0 to 100, in percent. This answer {says}."
    )
    expect(page.locator("#announced")).to_have_text(f"Invalid request. To correct: mrd percent {says}.")
    page.get_by_role("button", name="Go to the answer to correct").click()
    expect(page.locator("#fact-mrd_percent")).to_be_focused()


def test_a_request_is_loaded_from_a_file_and_copied(page: Page, policy: EmbeddedPolicy, tmp_path: Path) -> None:
    opened(page)
    file = tmp_path / "request.json"
    example = EXAMPLES["ncd110_21/09-exclusions-not-sent.yaml"]
    file.write_text(json.dumps(example))
    choose(page, file)
    assert decision_of(page) == in_process(policy, "decision", example)
    page.get_by_role("button", name="Copy the request").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == example


TAKEN = """texts => texts.map(text => {
  document.getElementById("request").value = text;
  document.getElementById("decide").click();
  return [document.getElementById("request").value, document.getElementById("request-fault").textContent];
})"""


def test_the_examples_are_loaded_from_their_files(page: Page, policy: EmbeddedPolicy) -> None:
    opened(page)
    for name, example in EXAMPLES.items():
        choose(page, ROOT / "examples" / name)
        assert request_of(page) == example
        assert decision_of(page) == in_process(policy, "decision", example)


def test_yaml_means_what_it_means_to_the_command(page: Page) -> None:
    values = ["1:10", "010", "0.10", "1e-1", '"0.1"', "yes", "TRUE", "~", "", "null", "[]", "[imatinib]", "2025-02-30",
              "{less_than: 0.01}", "+1", ".5", "0x1F", "0.099999999999999999", "a # b", "|\n  text"]  # fmt: skip
    texts = [f"document: CC-0126\ncodes:\n hcpcs: {value}\n" for value in values]
    opened(page)
    for text, (taken, fault) in zip(texts, page.evaluate(TAKEN, texts), strict=True):
        assert (read_json(taken), fault) == (read_yaml(text)[0], "")


UNCHANGED = "Nothing was changed."
NO_REQUEST = f"{{}} is neither JSON nor YAML of a request. {UNCHANGED}"
DEEP = f"This is nested too deeply for a request. {UNCHANGED}"
FAULTS = {
    "": NO_REQUEST.format("This"),
    "Dear colleague, the disease has relapsed.": NO_REQUEST.format("This"),
    "a: 1\na: 2": NO_REQUEST.format("Line 1"),
    "a: 1\nb: c: d": NO_REQUEST.format("Line 2"),
    "a: &x 1\nb: *x": NO_REQUEST.format("This"),
    "a: !x 1": NO_REQUEST.format("Line 1"),
    "a: 1\n---\na: 2": NO_REQUEST.format("This"),
    '{"document": "CC-0126"': NO_REQUEST.format("Line 1"),
    "[" * 20_000: DEEP,
    '{"facts": ' + "[" * 50_000 + "]" * 50_000 + "}": DEEP,
    "facts:\n  infant: " + "- " * 50: DEEP,
    "? " * 10_000: NO_REQUEST.format("This"),
    "".join(
        f"key{n}: 1\n" for n in range(40_000)
    ): f"This is no JSON, and larger than YAML of a request: 32 KiB is the most. {UNCHANGED}",
    '{"resourceType": "Bundle"}': "The page reads no FHIR record: the command payer-policy request makes a request"
    " of it, which can be loaded here. Nothing was changed.",
}


def test_what_is_no_request_changes_nothing(page: Page) -> None:
    opened(page)
    enter(page, "infant", True)
    before = decision_of(page)
    start = time.monotonic()
    taken = page.evaluate(TAKEN, [*FAULTS])
    assert taken == [[text, fault] for text, fault in FAULTS.items()]  # the text stays, to be mended
    assert time.monotonic() - start < 20  # some took the browser minutes
    assert decision_of(page) == before
    enter(page, "kmt2a_rearranged", True)
    assert request_of(page)["facts"] == {"infant": True, "kmt2a_rearranged": True}
    expect(page.locator("#request-fault")).to_have_text("")


@pytest.fixture(scope="module")
def forms(policy: EmbeddedPolicy) -> dict[tuple[str, str], Any]:
    return {
        (entry["document"], each["version"]): questionnaire(
            policy, entry["document"], each["version"], base="https://payer.example/fhir"
        )
        for entry in policy.catalogue()["documents"]
        for each in entry["versions"]
    }


def response(form: Any, facts: dict[str, Any], answers: dict[str, list[Any]] | None = None, **more: object) -> Any:  # noqa: ANN401
    """The answers of a form that say these facts, and answers as they stand."""
    given = {}
    for item in form["item"]:
        value = facts.get(item["linkId"])
        if item["type"] == "choice" and value is not None:
            codes = value if isinstance(value, list) else [value]
            given[item["linkId"]] = [{"valueCoding": {"code": code}} for code in codes or ["none"]]
        elif value is not None:
            given[item["linkId"]] = [{f"value{item['type'].capitalize()}": value}]
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "completed",
        "subject": {"reference": "Patient/p"},
        "item": [{"linkId": name, "answer": answer} for name, answer in {**given, **(answers or {})}.items()],
        **more,
    }


def test_answers_to_a_questionnaire_are_read_as_by_the_client(
    page: Page, policy: EmbeddedPolicy, forms: dict[tuple[str, str], Any]
) -> None:
    records = Records(policy)
    asked = []
    for vector in VECTORS.values():
        request = vector["input"]
        held = in_process(policy, "decision", request)["policy"] if isinstance(request, dict) else None
        if held and not any(isinstance(value, dict) for value in request["facts"].values()):
            form = forms[held["document"], held["version"]]
            asked.append((request["date_of_service"], response(form, request["facts"])))
    taken = opened(page).evaluate(
        """asked => asked.map(([date, text]) => {
          document.getElementById("date").value = date;
          document.getElementById("date").dispatchEvent(new Event("input"));
          document.getElementById("request").value = text;
          document.getElementById("decide").click();
          return [document.getElementById("request").value, document.getElementById("request-fault").textContent];
        })""",
        [(date, json.dumps(answers)) for date, answers in asked],
    )
    for (date, answers), (text, fault) in zip(asked, taken, strict=True):
        expected = records.facts_from_response(answers, date_of_service=date).request.to_dict()
        assert (json.loads(text), fault) == (expected, "")
    assert len(asked) > 300


CD19 = [{"valueBoolean": True}]
CODES = {code: {"valueCoding": {"code": code}} for code in ("t_cell", "other", "none", "b")}


NO_ANSWERS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("cd19_positive", [{"valueString": "true"}], {}),
    ("cd19_positive", [{"valueDecimal": 1}], {}),
    ("cd19_positive", CD19 * 2, {}),
    ("lineage", [CODES["b"]], {}),
    ("lineage", [CODES["t_cell"], CODES["other"]], {}),
    ("lineage", [{"valueString": "t_cell"}], {}),
    ("lineage", [{"valueCoding": {"system": "http://example.org", "code": "t_cell"}}], {}),
    ("combined_with", [{"valueCoding": {"system": "http://example.org", "code": "none"}}], {}),
    ("combined_with", [CODES["none"], CODES["other"]], {}),
    ("combined_with", [CODES["other"]] * 2, {}),
    ("combined_with", [CODES["other"]], {"status": "in-progress"}),
    ("mrd_percent", [{"valueDecimal": 101}], {}),
    ("mrd_percent", [{"valueDecimal": "0.5"}], {}),
    ("mrd_percent", [{"valueDecimal": {"less_than": 1}}], {}),
    ("complete_response", [{"valueInteger": 1.5}], {}),
]


def test_an_answer_that_is_none_is_not_taken_over(
    page: Page, policy: EmbeddedPolicy, forms: dict[tuple[str, str], Any]
) -> None:
    form, records = forms["CC-0126", "2025-04-01"], Records(policy)
    answers = [response(form, {"infant": True}, {name: given}, **more) for name, given, more in NO_ANSWERS]
    opened(page, "NCD-240.4")  # the answers name the document
    taken = page.evaluate(TAKEN, [json.dumps(each) for each in answers])
    for (name, _, _), each, (text, said) in zip(NO_ANSWERS, answers, taken, strict=True):
        expected = records.facts_from_response(each, date_of_service="2025-06-01").request.to_dict()
        assert json.loads(text) == expected
        assert expected["facts"] == {"infant": True}
        assert said == f"Not taken over, since these are no complete answers: {name.replace('_', ' ')}."


def test_what_is_answered_twice_and_not_alike_is_not_known(page: Page, forms: dict[tuple[str, str], Any]) -> None:
    answers = response(forms["CC-0126", "2025-04-01"], {"infant": True, "cd19_positive": True})
    answers["item"] += [
        {"linkId": "infant", "answer": CD19},
        {"linkId": "cd19_positive", "answer": [{"valueBoolean": False}]},
    ]
    load(opened(page), answers)
    assert request_of(page)["facts"] == {"infant": True}
    expect(page.locator("#request-fault")).to_contain_text("no complete answers: cd19 positive.")


NO_FORMS: list[tuple[dict[str, Any], str]] = [
    ({"questionnaire": "https://x/Questionnaire/XY-1|2025-04-01"}, "to the questionnaire of no version"),
    ({"questionnaire": "https://x/Questionnaire/CC-0126"}, "to the questionnaire of no version"),
    ({"questionnaire": None}, "to the questionnaire of no version"),
    (
        {"questionnaire": "https://x/Questionnaire/NCD-240.4|2005-04-04"},
        "NCD-240.4, version 2005-04-04, in force from 2005-04-04 to 2008-03-12, last reviewed 2005-04-04: choose a date"
        " of service for it first.",
    ),
    ({"status": "entered-in-error"}, "establish nothing"),
    ({"status": "stopped"}, "establish nothing"),
    ({"status": None}, "establish nothing"),
    ({"authored": "2025-06-02T00:00:00Z"}, "after the date of service"),
    ({"modifierExtension": [{"url": "https://x"}]}, "hold a modifier"),
]


def test_answers_that_establish_nothing_change_nothing(page: Page, forms: dict[tuple[str, str], Any]) -> None:
    answers = response(forms["CC-0126", "2025-04-01"], {"infant": True})
    opened(page)
    for change, says in NO_FORMS:
        load(page, answers | change)
        expect(page.locator("#request-fault")).to_contain_text(says)
        expect(page.locator("#request-fault")).to_contain_text("Nothing was changed.")
    enter(page, "kmt2a_rearranged", True)
    assert request_of(page)["facts"] == {"kmt2a_rearranged": True}


# What Chromium does with a file, held up until the test lets it go on.
HELD = """() => {
  const read = Blob.prototype.arrayBuffer;
  window.go = [];
  Blob.prototype.arrayBuffer = async function () {
    await new Promise(done => window.go.push(done));
    return read.call(this);
  };
}"""


def test_a_file_that_is_being_read_says_so_and_stays_out_of_the_way(page: Page, tmp_path: Path) -> None:
    slow, other = tmp_path / "slow.json", tmp_path / "other.yaml"
    slow.write_text(json.dumps(EXAMPLES["01-relapsed.yaml"]))
    other.write_text("document: NCD-110.21\ndate_of_service: 2025-06-01\nfacts: {hemoglobin: 9.50}\n")
    opened(page)
    page.evaluate(HELD)
    page.locator("#file").set_input_files(slow)
    expect(page.locator("#reading")).to_have_text("Reading slow.json.")
    page.locator("#file").set_input_files(other)
    expect(page.locator("#reading")).to_have_text("Reading other.yaml.")
    page.evaluate("go.reverse().forEach(done => done())")  # the first that was chosen comes last
    expect(page.locator("#reading")).to_have_text("")
    page.wait_for_timeout(100)
    assert request_of(page) == {"document": "NCD-110.21", "date_of_service": "2025-06-01", "facts": {"hemoglobin": 9.5}}
    assert "9.50" in page.locator("#request").input_value()  # as it was written
    page.locator("#file").set_input_files(slow)
    enter(page, "hemoglobin", 9.6)
    page.evaluate("go.at(-1)()")
    expect(page.locator("#request-fault")).to_have_text(
        "What was entered while slow.json was read stays. Nothing was changed."
    )
    assert request_of(page)["facts"] == {"hemoglobin": 9.6}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b" " * ((1 << 19) + 1), "file.json is too large: 512 KiB is the most that a request may have."),
        ('{"document": "CC-0126\u00e9"}'.encode("latin-1"), "file.json is no text in UTF-8."),
        ('{"document": "CC-0126"}'.encode("utf-16"), "file.json is no text in UTF-8."),
        (None, "file.json cannot be read: it is a folder, has been moved or changed, or may not be read."),
    ],
)
def test_a_file_that_cannot_be_read_says_so(content: bytes | None, says: str, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(content or b"{}")
    opened(page)
    enter(page, "infant", True)
    if content is None:
        page.evaluate(HELD)
        page.locator("#file").set_input_files(file)
        expect(page.locator("#reading")).to_have_text("Reading file.json.")
        file.unlink()
        page.evaluate("go[0]()")
    choose(page, file) if content else expect(page.locator("#file")).to_have_value("")
    expect(page.locator("#request-fault")).to_have_text(f"{says} Nothing was changed.")
    expect(page.locator("#reading")).to_have_text("")
    assert request_of(page)["facts"] == {"infant": True}


def test_a_folder_that_is_dropped_says_so(page: Page, tmp_path: Path) -> None:
    opened(page)
    page.locator("#file").scroll_into_view_if_needed()
    box = page.locator("#file").bounding_box()
    assert box
    session = page.context.new_cdp_session(page)
    dragged = {"items": [], "files": [str(tmp_path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 5, "y": box["y"] + 5, "data": dragged})
    expect(page.locator("#request-fault")).to_contain_text("cannot be read: it is a folder")


def test_a_number_that_is_loaded_stays_as_it_was_written(page: Page) -> None:
    opened(page)
    text = '{"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"mrd_percent": 0.099999999999999999}}'
    page.locator("#request").fill(text)
    page.get_by_role("button", name="Decide this request").click()
    assert [error["path"] for error in decision_of(page)["errors"]] == ["facts.mrd_percent"]
    assert "0.099999999999999999" in page.locator("#request").input_value()


def test_a_misspelt_fact_is_removed(page: Page) -> None:
    opened(page)
    load(page, EXAMPLES["14-wrong-type.yaml"])
    page.get_by_role("button", name="Remove cd19_postive").click()
    expect(page.locator("#questions")).to_be_focused()  # since the button is gone
    page.locator("#fact-mrd_percent-value").fill("0.50")
    assert decision_of(page)["outcome"] == "needs_information"
    assert '"mrd_percent": 0.50' in page.locator("#request").input_value()  # as it was written


def test_what_is_no_fact_is_removed_by_its_name(page: Page) -> None:
    names = ["", "__proto__", "a[0]", "mrd.percent", "toString", "<b>x</b>"]
    opened(page)
    load(page, {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": dict.fromkeys(names, True)})
    for left in range(len(names), 0, -1):
        assert len(request_of(page)["facts"]) == left
        page.locator(".decision").get_by_role("button", name="Remove").first.click()
    assert request_of(page)["facts"] == {}
    assert decision_of(page)["errors"] == []


def test_the_tree_has_the_words_of_the_catalogue_and_the_colour_of_the_news(page: Page) -> None:
    opened(page)
    page.locator("#example").select_option("05-maintenance-pomp.yaml")
    expect(page.locator("[data-id='I.disease'] .value").first).to_have_text(
        " disease: acute lymphoblastic (lymphocytic) leukemia, ALL"
    )
    expect(page.locator("[data-id='IV.alternating_with'] .value")).to_have_text(
        " alternating with: prednisone; vincristine; methotrexate; mercaptopurine"
    )
    opened(page, "NCD-110.21")
    enter(page, "hemoglobin", 9)  # met, it keeps the exclusion N.6, of which it is a part of none-of, from being met
    news = page.locator("[data-id='1'] > .state").evaluate_all("all => all.map(each => each.className)")
    assert set(news) == {"state met"}
    in_exclusion = page.locator("[data-id='N.6.limit'] [data-id='1'] > .state")
    expect(in_exclusion).to_have_text("✔ met")
    expect(page.locator("[data-id='N.6.limit'] > .state")).to_have_class("state met")


def test_what_is_missing_as_a_letter(page: Page) -> None:
    opened(page)
    page.locator("#example").select_option("12-residual-disease-not-sent.yaml")
    page.get_by_role("button", name="Copy the text").click()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text == page.locator(".letter").inner_text()
    assert "To send in first, since it can approve by pathway I+II:" in text
    assert "  1. How high is the minimal residual disease, in percent? (mrd_percent, for II.C)" in text
    assert "Decided under CC-0126, version 2025-04-01" in text


# Each a picture of the README: document, example, compared with, width, height, what it is of, what it shows.
PICTURES = {
    "approved": (*SEEN["approved"], 1000, 800, "#link", "Settled by"),
    "open": (*SEEN["open"], 1000, 800, "[data-state=next]", "▶ The next question"),
    "compared": (*SEEN["compared"], 1300, 800, "#link", "Decision under version 2005-04-04"),
    "narrow": (*SEEN["open"], 360, 720, "[data-state=next]", "▶ The next question"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_it(name: str, page: Page) -> None:
    """In build/page-*.png: what lies in docs/ is copied from there when the page has another look."""
    document, example, compared, width, height, of, shows = PICTURES[name]
    page.set_viewport_size({"width": width, "height": height})
    opened(page, document)
    page.locator("#example").select_option(example)
    page.locator("#compare").select_option(compared)
    page.locator(of).evaluate("each => each.scrollIntoView({ block: each.id ? 'start' : 'center' })")
    expect(page.get_by_text(shows, exact=True).first).to_be_in_viewport()
    page.screenshot(path=ROOT / "build" / f"page-{name}.png")


def test_on_paper(page: Page) -> None:
    opened(page)
    page.locator("#example").select_option("01-relapsed.yaml")
    page.emulate_media(media="print")
    for hidden in ("#status", "#form", "#request", "#document", "#link"):
        expect(page.locator(hidden)).to_be_hidden()
    for shown in ("h1", ".outcome", ".policy", ".tree >> nth=0"):
        expect(page.locator(shown)).to_be_visible()
    assert not page.locator(".reading").first.is_visible()
    page.emulate_media(media="screen")
    page.get_by_text("How I is read", exact=True).click()
    page.emulate_media(media="print")
    assert page.locator(".reading[open]").is_visible()
    page.emulate_media(media="screen")
    opened(page, "NCD-240.4")
    page.locator("#example").select_option("ncd240_4/04-between-14-and-15.yaml")
    page.locator("#compare").select_option("2005-04-04")
    page.emulate_media(media="print")
    paper = page.pdf(format="Letter", margin={"top": "1.5cm", "bottom": "1.5cm", "left": "1.5cm", "right": "1.5cm"})
    assert paper.startswith(b"%PDF")
    # 9 when a clause waited for a page that holds all of its parts.
    assert len(re.findall(rb"/Type /Page\b", paper)) <= 7


@pytest.fixture
def loose(browser: Browser) -> Iterator[Page]:
    """Any file, and errors may come."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(5_000)
    yield page
    context.close()


def test_a_stump_says_so_in_its_title(loose: Page, tmp_path: Path) -> None:
    broken = tmp_path / "criteria.html"
    broken.write_bytes(FILE.read_bytes()[:150])
    loose.goto(broken.as_uri())
    assert loose.title() == "This file is damaged or incomplete"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_says_so(kept: float, loose: Page, tmp_path: Path) -> None:
    whole = FILE.read_bytes()
    broken = tmp_path / "criteria.html"
    broken.write_bytes(whole[: int(len(whole) * kept)])
    loose.goto(broken.as_uri())
    loose.wait_for_timeout(300)
    expect(loose.locator("#fault")).to_be_visible()
    expect(loose.locator("#main")).to_be_hidden()
    assert loose.title() == "This file is damaged or incomplete"


@pytest.mark.parametrize("part", ["H4sI", "payer/"])
def test_one_wrong_byte_says_so(part: str, loose: Page, tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    at = text.index(part) + len(part) + 20
    broken = tmp_path / "criteria.html"
    broken.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :], encoding="utf-8")
    loose.goto(broken.as_uri())
    loose.wait_for_timeout(300)
    expect(loose.locator("#fault")).to_be_visible()
    expect(loose.locator("#main")).to_be_hidden()


def test_a_page_that_lacks_a_part_says_so(loose: Page, tmp_path: Path) -> None:
    """Each id of the page damaged in turn: nobody is left before an empty page."""
    text = FILE.read_text(encoding="utf-8")
    broken = tmp_path / "criteria.html"
    ids = re.findall(r' id="([a-z-]+)"', (ROOT / "page" / "index.html").read_text(encoding="utf-8"))
    complete = set()
    for name in ids:
        broken.write_text(text.replace(f' id="{name}"', f' id="~{name}"', 1), encoding="utf-8")
        loose.goto(broken.as_uri())
        if name != "fault":
            loose.wait_for_function(
                "!document.getElementById('main')?.hidden || document.getElementById('fault')", timeout=3_000
            )
            loose.wait_for_timeout(200)
        if loose.locator("#main").is_visible() and not loose.locator("#fault").count():
            complete.add(name)
        else:
            expect(loose.locator("p[role=alert]").first).to_contain_text("damaged")
    assert not complete & {"main", "status", "announced", "document", "date", "version", "form", "decisions", "request"}


def arrived(server: socket.socket) -> bytes:
    """The first byte of all who connect, until nobody does any more."""
    first = b""
    with suppress(TimeoutError):
        while True:
            connection, _ = server.accept()
            connection.settimeout(1)
            with connection, suppress(TimeoutError):
                first += connection.recv(1)
    return first


def test_the_page_may_reach_nobody(loose: Page) -> None:
    """Even a script that got into it could load and send nothing. Chromium connects for a frame or a form before it
    refuses them, so what counts is that no byte arrives."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        loose.goto(FILE.as_uri())
        expect(loose.locator("#main")).to_be_visible()
        refused = loose.evaluate(
            """async url => {
              const refused = [];
              document.addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
              fetch(url, { mode: "no-cors" }).catch(() => {});
              navigator.sendBeacon(url, "x");
              for (const tag of ["img", "iframe", "script"]) {
                document.body.append(Object.assign(document.createElement(tag), { src: url }));
              }
              const form = Object.assign(document.createElement("form"), { action: url, method: "post" });
              document.body.append(form);
              form.submit();
              for (let n = 0; n < 50 && new Set(refused).size < 5; n += 1) {
                await new Promise(done => setTimeout(done, 100));
              }
              return refused;
            }""",
            url,
        )
        assert arrived(server) == b""
    assert {"connect-src", "img-src", "frame-src", "script-src-elem", "form-action"} <= set(refused)
