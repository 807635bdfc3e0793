"""The page of `make page`, opened from its file in a real Chromium that has no network."""

import gzip
import json
import re
import shutil
import socket
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from payer_policy import EmbeddedPolicy
from payer_policy.runtime.documents import Documents
from payer_policy.workshop.impact import Side
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
    assert {example["document"] for example in decided} == {"CC-0126", "NCD-240.4", "NCD-110.21"}


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
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
    assert len(found["passes"]) > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_two_versions_side_by_side(page: Page, policy: EmbeddedPolicy) -> None:
    held = Documents(policy)
    known: dict[str, list[Any]] = {}
    for name, fact in held.all_facts("NCD-240.4"):
        known.setdefault(name, []).append(fact)
    pairs: list[tuple[Any, str, str]] = []
    for vector in VECTORS.values():
        request = vector["input"]
        if isinstance(request, dict) and request.get("document") == "NCD-240.4" and not vector["expect"].get("errors"):
            own = in_process(policy, "decision", request)["policy"]
            if own:
                pairs.append((request, own["version"], {"2005-04-04", "2008-03-13"}.difference([own["version"]]).pop()))
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
            leftOut: panel.textContent.includes("Left out, since"),
          }));
        })""",
        [(json.dumps(request), other) for request, _, other in pairs],
    )
    for (request, own, other), panels in zip(pairs, compared, strict=True):
        for version, panel in zip((own, other), panels, strict=True):
            fitted, left_out = Side(policy, version).fitted(held, request, known)
            [decision] = in_process(policy, "decisions", {"requests": [fitted], "version": version})
            assert panel["name"] == f"Decision under version {version}"
            assert panel["outcome"].endswith(decision["outcome"].replace("_", " ").capitalize())
            assert panel["states"] == states(decision["criteria"])
            assert panel["leftOut"] == bool(left_out)
    assert len(pairs) > 80


def test_an_answer_of_another_version_is_set_aside_and_comes_back(page: Page) -> None:
    opened(page, "NCD-240.4")
    enter(page, "age", 61)
    enter(page, "period", "initial")
    page.locator("#date").fill("2006-01-01")
    assert request_of(page)["facts"] == {"age": 61}
    expect(page.locator("#version")).to_contain_text("version 2005-04-04")
    expect(page.locator("#version")).to_contain_text("Set aside, since it is not asked for here: period")
    page.locator("#date").fill("2025-06-01")
    assert request_of(page)["facts"] == {"age": 61, "period": "initial"}


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
    file.write_text("document: CC-0126")
    choose(page, file)
    expect(page.locator("#request-fault")).to_have_text("This is no JSON: nothing was changed.")
    assert request_of(page) == example


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
    page.locator("#fact-mrd_percent-value").fill("0.50")
    assert decision_of(page)["outcome"] == "needs_information"
    assert '"mrd_percent": 0.50' in page.locator("#request").input_value()  # as it was written


def test_what_is_missing_as_a_letter(page: Page) -> None:
    opened(page)
    page.locator("#example").select_option("12-residual-disease-not-sent.yaml")
    page.get_by_role("button", name="Copy the text").click()
    letter = page.evaluate("navigator.clipboard.readText()")
    assert "To send in first, since it can approve by pathway I+II:" in letter
    assert "  1. How high is the minimal residual disease, in percent? (mrd_percent, for II.C)" in letter
    assert "Decided under CC-0126, version 2025-04-01" in letter


def test_on_paper(page: Page) -> None:
    opened(page)
    page.locator("#example").select_option("01-relapsed.yaml")
    page.emulate_media(media="print")
    for hidden in ("#status", "#form", "#request", "#document", "#link"):
        expect(page.locator(hidden)).to_be_hidden()
    for shown in ("h1", ".outcome", ".policy", ".tree >> nth=0"):
        expect(page.locator(shown)).to_be_visible()
    assert page.pdf().startswith(b"%PDF")


@pytest.fixture
def loose(browser: Browser) -> Iterator[Page]:
    """Any file, and errors may come."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(5_000)
    yield page
    context.close()


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
              await new Promise(done => setTimeout(done, 300));
              return refused;
            }""",
            url,
        )
        assert arrived(server) == b""
    assert {"connect-src", "img-src", "frame-src", "script-src-elem", "form-action"} <= set(refused)
