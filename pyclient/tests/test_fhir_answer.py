"""A decision becomes the FHIR that is due: what the guides require, on the decision of every vector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from payer_policy import Decision, EmbeddedPolicy, InvalidRequest, InvalidValue, NextStep, Outcome
from payer_policy.fhir import (
    Reading,
    Records,
    card,
    claim_response,
    coverage_information,
    next_question,
    person_decided,
    questionnaire,
    read_bundle,
    response_bundle,
)
from payer_policy.fhir.answer import _after
from payer_policy.fhir.mapping import fhirpath
from payer_policy.letter import letter
from payer_policy.runtime.errors import InvalidResource

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
CREATED = datetime(2025, 6, 2, 9, 30, tzinfo=timezone.utc)
CLAIM: Json = {
    "resourceType": "Claim",
    "id": "c",
    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
    "patient": {"reference": "Patient/p"},
    "insurer": {"reference": "Organization/payer"},
    "provider": {"reference": "Organization/hospital"},
    "item": [{"sequence": 2}, {"sequence": 5}],
}
PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-"


def coded(url: str) -> str:
    return f"extension.where(url = '{PAS}{url}')"


# What the guide requires of a ClaimResponse, as FHIRPath that must be true: of any, by its outcome, by its action.
REQUIRED = {
    "any": [
        "status = 'active' and type.exists() and use = 'preauthorization' and patient.exists() and insurer.exists()",
        "created.exists() and request.count() = 1 and (outcome = 'complete' or outcome = 'error')",
        "item.adjudication.category.coding.where(code != 'submitted').empty()",
        "processNote.all(number.exists() and text.exists())",
        "item.noteNumber.distinct().count() = processNote.number.count()",
    ],
    "complete": [
        "item.itemSequence = (2 | 5) and item.count() = 2 and error.empty()",
        f"{coded('claimResponseReviewer')}.extension.where(url = 'wasHumanReviewedFlag').count() = 1",
        f"item.adjudication.{coded('reviewAction')}.{coded('reviewActionCode')}.count() = 2",
    ],
    "A1": [
        f"item.{coded('itemPreAuthPeriod')}.count() = 2",
        f"item.{coded('itemPreAuthIssueDate')}.count() = 2",
        f"item.{coded('itemAuthorizedProvider')}.{coded('authorizedProviderType')}.count() = 2",
        "item.adjudication.extension.extension.where(url = 'number').count() = 2",
    ],
    "A4": [f"item.{coded('administrationReferenceNumber')}.count() = 2", "processNote.exists()"],
    "error": [f"error.exists() and error.all(code.exists() and {coded('errorPath')}.count() = 1)"],
}

# What a person decides: their flag and number, and for A3 the reasons.
PERSON = [
    *REQUIRED["any"][:3],
    *REQUIRED["complete"][:1],
    *REQUIRED["complete"][2:],
    "processNote.empty() and item.noteNumber.empty()",
    f"{coded('claimResponseReviewer')}.extension.where(url = 'wasHumanReviewedFlag' and value = true).count() = 1",
    f"{coded('claimResponseReviewer')}.extension.where(url = 'reviewerNPI').value.value = '1234567893'",
    f"item.adjudication.extension.{coded('reviewActionCode')}.value.coding.where(code = 'A3').exists() implies "
    "item.adjudication.extension.extension.where(url = 'reasonCode').count() = 2",
]

# profile-pas-response-bundle.
BUNDLE = [
    "type = 'collection' and identifier.count() = 1 and timestamp.count() = 1 and entry.exists()",
    "entry.first().resource is ClaimResponse and entry.resource.ofType(ClaimResponse).count() = 1",
    "entry.all(fullUrl.count() = 1 and resource.count() = 1)",
    "entry.search.empty() and entry.request.empty() and entry.response.empty()",
]

# Of ext-coverage-information each part: how many at least and at most, the type of its value, and the codes that it may
# have. Parts that a payer need not know are not made.
PARTS: dict[str, tuple[int, int | None, str, str]] = {
    "coverage": (1, 1, "Reference", ""),
    "covered": (1, 1, "code", "covered conditional indeterminate"),  # and never not-covered
    "pa-needed": (0, 1, "code", "no-auth auth-needed satisfied performpa conditional indeterminate"),
    "doc-needed": (0, None, "code", "clinical admin patient conditional indeterminate"),
    "doc-purpose": (0, None, "code", "withpa withclaim withorder retain-doc OTH"),
    "info-needed": (0, None, "code", "performer location timeframe contract-window detail-code OTH"),
    "reason": (0, None, "CodeableConcept", ""),
    "detail": (0, None, "", ""),
    "questionnaire": (0, None, "canonical", ""),
    "date": (1, 1, "date", ""),
    "coverage-assertion-id": (1, 1, "string", ""),
    "satisfied-pa-id": (0, 1, "string", ""),
    "expiry-date": (0, 1, "date", ""),
}


def parts() -> Iterator[tuple[str, str]]:
    yield "no other", f"extension.where((url in ({' | '.join(repr(url) for url in PARTS)})).not()).empty()"
    for url, (least, most, kind, codes) in PARTS.items():
        those = f"extension.where(url = '{url}')"
        yield url, f"{those}.count() >= {least}" + (f" and {those}.count() <= {most}" if most else "")
        if kind:
            value = f"value{kind[0].upper()}{kind[1:]}"
            yield f"{url}, a {kind}", f"{those}.all({value}.exists() and extension.empty())"
        if codes:
            yield f"{url}, its codes", f"{those}.all(valueCode in ({' | '.join(map(repr, codes.split()))}))"
    categories = "('cat-decisional' | 'cat-limitation' | 'cat-other')"
    yield (
        "detail in full",
        f"extension.where(url = 'detail').all(extension.where(url = 'category').valueCode in {categories} and "
        "extension.where(url = 'code').valueCodeableConcept.count() = 1 and "
        "extension.where(url = 'value').valueString.count() = 1 and extension.count() = 3)",
    )


# A card of CDS Hooks, and what CRD asks of it beside.
CARD = [
    "uuid.count() = 1 and summary.count() = 1 and summary.length() <= 140 and detail.length() > 0",
    "indicator in ('info' | 'warning' | 'critical')",
    "source.label.count() = 1 and source.topic.count() = 1",
    "source.topic.system = 'http://terminology.hl7.org/CodeSystem/cdshooks-card-type'",
    "source.topic.code = 'coverage-info' and suggestions.empty() and links.empty()",
]

# crd-ci-q1 to q9, as the guide has them. `memberOf` asks a terminology server: no reason made here is coded.
INVARIANTS = {
    "q1": "extension.where(url='questionnaire').exists() implies extension.where(url = 'doc-needed').exists()",
    "q2": "extension.where(url = 'covered' and value = 'not-covered').exists() implies "
    "extension.where(url = 'pa-needed').exists().not()",
    "q3": "(extension.where((url = 'covered' or url = 'pa-needed' or url = 'doc-needed') and value = 'conditional')"
    ".count() >= 1) = extension.where(url = 'info-needed').exists()",
    "q4": "extension.where(url = 'pa-needed' and (value = 'satisfied' or value = 'no-auth')).exists() implies "
    "extension.where(url = 'doc-purpose' and value = 'withpa').empty()",
    "q5": "extension.where(url = 'pa-needed' and value = 'satisfied').exists() = "
    "extension.where(url = 'satisfied-pa-id').exists()",
    "q6": "extension.where(url = 'info-needed' and value = 'OTH').exists() implies "
    "(extension.where(url = 'reason').exists() and extension.where(url = 'detail').exists())",
    "q7": "extension.where(url = 'reason').empty() or extension.where(url = 'reason').value.text.exists()",
    "q8": "extension.where(url = 'doc-purpose').exists() implies extension.where(url = 'reason').exists()",
    "q9": "extension.where((url = 'covered' or url = 'pa-needed' or url = 'doc-needed') and value = 'indeterminate')"
    ".count() >= 1 implies extension.where(url = 'reason').exists()",
    "once": "extension.where(url = 'coverage').count() = 1 and extension.where(url = 'covered').count() = 1 and "
    "extension.where(url = 'date').count() = 1 and extension.where(url = 'coverage-assertion-id').count() = 1",
    "never": "extension.where(value = 'not-covered').empty()",
}


def decide(policy: EmbeddedPolicy, request: Json) -> Decision:
    try:
        return policy.decide(request)
    except InvalidRequest as invalid:
        return invalid.decision


@pytest.fixture(scope="module")
def decisions(policy: EmbeddedPolicy) -> list[tuple[str, Decision]]:
    """Of every vector."""
    found = []
    for file in sorted((ROOT / "policy_tests" / "vectors").glob("*/*.yaml")):
        for vectors in yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader).values():
            for vector in vectors:
                if isinstance(vector["input"], dict):
                    found.append((vector["name"], decide(policy, vector["input"])))
    assert len(found) > 600
    return found


def responded(decision: Decision) -> Json:
    return claim_response(decision, CLAIM, id="r", created=CREATED, number="AUTH1", provider_type="SJ")


def action(response: Json) -> Any:  # noqa: ANN401
    codes = fhirpath(f"item.adjudication.extension.{coded('reviewActionCode')}.value.coding.code")
    found = set(codes(response))
    assert len(found) <= 1
    return found.pop() if found else None


def test_a_claim_response_of_every_decision(decisions: list[tuple[str, Decision]]) -> None:
    seen: dict[str | None, int] = {}
    held: set[str] = set()
    for name, decision in decisions:
        response = responded(decision)
        text = json.dumps(response)
        assert text == json.dumps(responded(decision))
        given = action(response)
        seen[given] = seen.get(given, 0) + 1
        assert given == (decision.review_action.value if decision.review_action else None)
        assert given != "A3"
        for kind in ("any", response["outcome"], given) if text not in held else ():  # many decisions make the same
            for expression in REQUIRED.get(str(kind), ()):
                assert fhirpath(expression)(response) == [True], (name, expression)
        if text not in held:
            bundle = response_bundle(response, identifier={"value": "1"}, created=CREATED, base="https://payer.example")
            assert [each for each in BUNDLE if fhirpath(each)(bundle) != [True]] == [], name
        held.add(text)
        assert "valueBoolean': True" not in str(response)  # no person has seen it
    assert seen["A1"] > 100
    assert seen["A4"] > 100
    assert seen[None] > 100
    assert len(held) > 100


def test_what_a_person_decides_of_every_decision(decisions: list[tuple[str, Decision]]) -> None:
    given: Json = {"reviewer": "1234567893", "id": "r", "created": CREATED, "number": "REF1"}
    held: set[str] = set()
    for name, decision in decisions:
        if decision.errors:
            continue
        denied = person_decided(decision, CLAIM, certified=False, reasons=["0V"], **given)
        allowed = person_decided(decision, CLAIM, certified=True, provider_type="SJ", **given)
        for response, code in ((denied, "A3"), (allowed, "A1")):
            if (text := json.dumps(response)) not in held:
                held.add(text)
                assert action(response) == code
                required = PERSON + (REQUIRED["A1"] if code == "A1" else [])
                assert [each for each in required if fhirpath(each)(response) != [True]] == [], name
    assert len(held) > 20


def test_coverage_information_of_every_decision(policy: EmbeddedPolicy, decisions: list[tuple[str, Decision]]) -> None:
    form = questionnaire(policy, "CC-0126", base="https://payer.example/fhir")
    cards: set[str] = set()
    seen: dict[str, str] = {}  # by resource what it says of coverage: many decisions make the same
    for name, decision in decisions:
        made = coverage_information(
            decision, "Coverage/1", day=date(2025, 6, 2), assertion_id="a", number="AUTH1", questionnaire=form
        )
        text = json.dumps(made)
        if text not in seen:
            for id, expression in (*INVARIANTS.items(), *parts()):
                assert fhirpath(expression)(made) == [True], (name, id)
            seen[text] = fhirpath("extension.where(url = 'covered').value")(made)[0]
        covered = seen[text]
        assert (covered == "covered") is (decision.review_action is not None and decision.review_action.value == "A1")
        shown = card(decision, uuid="u", source="Payer")
        if (text := json.dumps(shown)) not in cards:
            cards.add(text)
            assert [each for each in CARD if fhirpath(each)(shown) != [True]] == [], name
        assert ("denial" in shown["detail"]) is (
            decision.next_step in (NextStep.CLINICAL_REVIEW, NextStep.CORRECT_REQUEST)
        )
    assert {*seen.values()} == {"covered", "conditional", "indeterminate"}
    assert len(seen) > 50


def test_an_invariant_can_fail() -> None:
    made: dict[str, list[Json]] = {
        "extension": [{"url": "covered", "valueCode": "not-covered"}, {"url": "pa-needed", "valueCode": "satisfied"}]
    }
    made["extension"].append({"url": "doc-purpose", "valueCode": "withpa"})
    failed = {id for id, expression in INVARIANTS.items() if fhirpath(expression)(made) != [True]}
    assert failed == {"q2", "q4", "q5", "q8", "once", "never"}
    made["extension"][0] = {"url": "covered", "valueString": "perhaps"}
    made["extension"].append({"url": "detail", "extension": [{"url": "category", "valueCode": "cat-other"}]})
    made["extension"].append({"url": "date", "valueDate": "2025-06-02"})
    made["extension"].append({"url": "fee", "valueString": "1"})
    unmet = {id for id, expression in parts() if fhirpath(expression)(made) != [True]}
    assert unmet == {
        "no other", "coverage", "covered, a code", "covered, its codes", "coverage-assertion-id", "detail in full",
    }  # fmt: skip


@pytest.fixture
def approved(policy: EmbeddedPolicy) -> Decision:
    request = yaml.safe_load((ROOT / "examples" / "ncd240_4" / "01-first-12-weeks.yaml").read_text(encoding="utf-8"))
    decision = policy.decide(request)
    assert decision.outcome is Outcome.APPROVED
    return decision


def test_an_approval_is_good_for_its_terms(approved: Decision) -> None:
    response = responded(approved)
    day = approved.date_of_service
    assert day is not None
    period = fhirpath(f"item.{coded('itemPreAuthPeriod')}.value")(response)
    assert period == [{"start": day.isoformat(), "end": _after(day, "P12W").isoformat()}] * 2  # type: ignore[union-attr]
    made = coverage_information(approved, "Coverage/1", day=day, assertion_id="a", number="AUTH1")
    assert fhirpath("extension.where(url = 'expiry-date').value")(made) == [period[0]["end"]]
    assert [note["text"] for note in response["processNote"]]


@pytest.mark.parametrize(
    ("duration", "last"),
    [
        ("P12W", date(2024, 4, 23)),
        ("P1M", date(2024, 2, 28)),
        ("P1Y", date(2025, 1, 30)),
        ("P30D", date(2024, 2, 29)),
        ("P13M1D", date(2025, 2, 28)),
        ("P", None),
        ("PT1H", None),
        (None, None),
    ],
)
def test_the_last_day_of_a_duration(duration: str | None, last: date | None) -> None:
    assert _after(date(2024, 1, 31), duration) == last


def test_what_is_missing_is_asked_in_order(policy: EmbeddedPolicy) -> None:
    decision = policy.decide({"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": "all"}})
    notes = [note["text"] for note in responded(decision)["processNote"]]
    first = decision.ask_first
    assert first is not None
    assert set(notes) == {item.question for item in decision.missing}
    asked = next_question(decision)
    assert asked is not None
    assert (asked.fact, asked.question) == (first.facts[0], notes[0])
    approved = policy.decide(yaml.safe_load((ROOT / "examples" / "01-relapsed.yaml").read_text(encoding="utf-8")))
    assert next_question(approved) is None


def test_an_error_says_where_in_the_bundle(policy: EmbeddedPolicy) -> None:
    record = read_bundle((ROOT / "examples" / "fhir" / "relapsed-b-all.json").read_bytes())
    reading = Records(policy).read(record)
    request = reading.request.to_dict()
    request["facts"] |= {"lineage": "B", "mrd_percent": 101}
    invalid = decide(policy, request)
    response = claim_response(invalid, reading, id="r", created=CREATED, number="")
    places = fhirpath(f"error.{coded('errorPath')}.value")(response)
    assert places == ["Bundle.entry[5].resource.code", "Bundle"]
    with pytest.raises(InvalidResource) as caught:
        Records(policy).read({"resourceType": "Bundle", "entry": {}})
    response = claim_response(caught.value, CLAIM, id="r", created=CREATED, number="")
    assert response["outcome"] == "error"
    assert fhirpath(f"error.{coded('errorPath')}.value")(response) == ["Bundle.entry"]


def test_a_person_decides(policy: EmbeddedPolicy, approved: Decision) -> None:
    given: Json = {"id": "r", "created": CREATED, "number": "REF1"}
    refused = policy.decide(yaml.safe_load((ROOT / "examples" / "11-dlbcl.yaml").read_text(encoding="utf-8")))
    denied = person_decided(refused, CLAIM, certified=False, reviewer="1234567893", reasons=["0V"], **given)
    assert action(denied) == "A3"
    flag = f"{coded('claimResponseReviewer')}.extension.where(url = 'wasHumanReviewedFlag').value"
    assert fhirpath(flag)(denied) == [True]
    reasons = "item.adjudication.extension.extension.where(url = 'reasonCode').value.coding.code"
    assert fhirpath(reasons)(denied) == ["0V", "0V"]
    until = date(2025, 7, 1)
    allowed = person_decided(
        refused, CLAIM, certified=True, reviewer="1234567893", until=until, provider_type="SJ", **given
    )
    assert action(allowed) == "A1"
    ends = fhirpath(f"item.{coded('itemPreAuthPeriod')}.value.end")(allowed)
    assert ends == [until.isoformat()] * 2
    wrongs: list[Json] = [
        {"reviewer": ""},
        {"reviewer": "123"},
        {"reviewer": None},
        {"reviewer": 1234567893},
        {"reasons": []},
        {"reasons": "0V"},  # of which each letter is a code
    ]
    for wrong in wrongs:
        asked: Json = {"certified": False, "reviewer": "1234567893", "reasons": ["0V"], **given, **wrong}
        with pytest.raises(InvalidValue, match=r"reviewer|reasons"):
            person_decided(refused, CLAIM, **asked)
    invalid = decide(policy, {"document": "CC-0126"})
    with pytest.raises(InvalidValue, match="decision is of an invalid request"):
        person_decided(invalid, CLAIM, certified=False, reviewer="1234567893", reasons=["0V"], **given)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"insurer": None}, "Claim.insurer"),
        ({"patient": "p"}, "Claim.patient"),
        ({"id": None}, "Claim.id"),
        ({"item": []}, "Claim.item"),
        ({"item": [{"sequence": True}]}, "Claim.item[0].sequence"),
        ({"item": [{"sequence": 1}, {}]}, "Claim.item[1].sequence"),
        ({"provider": None}, "Claim.provider"),
    ],
)
def test_a_claim_that_cannot_be_answered(approved: Decision, change: Json, path: str) -> None:
    with pytest.raises(InvalidResource) as caught:
        claim_response(approved, CLAIM | change, id="r", created=CREATED, number="N", provider_type="SJ")
    assert caught.value.path == path


def test_what_the_caller_must_give(approved: Decision) -> None:
    with pytest.raises(InvalidValue, match="created must be a datetime with a time zone"):
        claim_response(approved, CLAIM, id="r", created=datetime(2025, 6, 2), number="N", provider_type="SJ")
    today: Any = CREATED.date()
    with pytest.raises(InvalidValue, match="created must be a datetime with a time zone"):
        claim_response(approved, CLAIM, id="r", created=today, number="N", provider_type="SJ")
    for name, value in (("day", CREATED), ("day", "2025-06-02")):
        wrong: Any = {name: value}
        with pytest.raises(InvalidValue, match="day must be a date"):
            coverage_information(approved, "Coverage/1", assertion_id="a", number="N", **wrong)
    given: Json = {"certified": True, "reviewer": "1234567893", "id": "r", "created": CREATED, "number": "N"}
    for until, message in ((CREATED, "until must be a date"), (date(2000, 1, 1), "until must not be before")):
        with pytest.raises(InvalidValue, match=message):
            person_decided(approved, CLAIM, provider_type="SJ", until=until, **given)
    with pytest.raises(InvalidValue, match="provider_type must be given"):
        claim_response(approved, CLAIM, id="r", created=CREATED, number="N")
    with pytest.raises(InvalidValue, match="number must be given"):
        coverage_information(approved, "Coverage/1", day=date(2025, 6, 2), assertion_id="a")


@pytest.fixture(scope="module")
def reading(policy: EmbeddedPolicy) -> Reading:
    return Records(policy).read(read_bundle((ROOT / "examples" / "fhir" / "relapsed-b-all.json").read_bytes()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, None),
        ({"document": "NCD-240.4", "facts": {}}, "decision is of another document than the claim"),
        ({"request_id": "PA-2"}, None),  # the record was read under none
        ({"date_of_service": "2025-06-02"}, "decision is of another date of service than the claim"),
    ],
)
def test_a_decision_on_another_request_is_no_answer(
    policy: EmbeddedPolicy, reading: Reading, change: Json, message: str | None
) -> None:
    decision = policy.decide(reading.request.to_dict() | change)
    given: Json = {"id": "r", "created": CREATED, "number": "N"}
    person: Json = {"certified": False, "reviewer": "1234567893", "reasons": ["0V"], **given}
    if message is None:
        assert claim_response(decision, reading, **given)["request"] == {"reference": "Claim/blinatumomab"}
        return
    with pytest.raises(InvalidValue, match=rf"^{message}$"):
        claim_response(decision, reading, **given)
    with pytest.raises(InvalidValue, match=rf"^{message}$"):
        person_decided(decision, reading, **person)


def test_a_decision_under_another_number_is_no_answer(policy: EmbeddedPolicy, reading: Reading) -> None:
    numbered = replace(reading, request=replace(reading.request, request_id="PA-1"))
    assert claim_response(policy.decide(numbered.request), numbered, id="r", created=CREATED, number="N")
    other = policy.decide(replace(reading.request, request_id="PA-2"))
    with pytest.raises(InvalidValue, match=r"^decision is of another request_id than the claim$"):
        claim_response(other, numbered, id="r", created=CREATED, number="N")


def test_an_item_of_no_document_is_not_certified(policy: EmbeddedPolicy) -> None:
    """A claim may ask for more than the policy decides."""
    record = read_bundle((ROOT / "examples" / "fhir" / "relapsed-b-all.json").read_bytes())
    items = record["entry"][0]["resource"]["item"]
    other = json.loads(json.dumps(items[0]).replace("J9039", "J1100")) | {"sequence": 7}
    items.insert(0, other)
    reading = Records(policy).read(record)
    assert reading.items == (1,)
    request = reading.request.to_dict()
    decision = policy.decide({**request, "facts": {**request["facts"], "cd19_positive": True, "combined_with": []}})
    given: Json = {"id": "r", "created": CREATED, "number": "N", "provider_type": "SJ"}
    response = claim_response(decision, reading, **given)
    codes = f"extension.{coded('reviewActionCode')}.value.coding.code"
    assert [
        (item["itemSequence"], fhirpath(f"adjudication.{codes}")(item), item.get("noteNumber"))
        for item in response["item"]
    ] == [(7, ["A4"], [1]), (1, ["A1"], None)]
    assert [note["text"] for note in response["processNote"]] == [
        "This item is no service of the document. A person reviews the request before anything is decided; "
        "this is not a denial."
    ]
    assert fhirpath(f"item.{coded('administrationReferenceNumber')}.value")(response) == ["N"]
    for expression in REQUIRED["any"]:
        assert fhirpath(expression)(response) == [True]
    whole = claim_response(decision, reading.order, **given)  # of a Claim alone all items are the decision's
    assert action(whole) == "A1"


@pytest.mark.parametrize(
    ("items", "answered"),
    [
        ([{}], True),
        ([{"servicedDate": "2025-06-02"}, {"servicedDate": "2025-06-01"}], True),
        ([{"servicedDate": "2025-06-02"}], False),
        ([{"servicedDate": "2025-06"}], True),
        ([{"servicedDate": "2025-05"}], False),
        ([{"servicedPeriod": {"start": "2025-05-01T00:00:00Z", "end": "2025-06-01"}}], True),
        ([{"servicedPeriod": {"start": "2025-05-01", "end": "2025-05-31"}}], False),
        ([{"servicedPeriod": {"start": "2025-05-01"}}], True),
        ([{"servicedPeriod": {"start": "2025-06-02"}}], False),
        ([{"servicedDate": 20250602}, None, {"servicedPeriod": []}], True),  # says nothing that can be read
    ],
)
def test_a_claim_alone_says_when(policy: EmbeddedPolicy, items: list[Any], answered: bool) -> None:
    decision = policy.decide({"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}})
    claim = CLAIM | {"item": [each if each is None else {"sequence": 1, **each} for each in items]}
    refused = r"another date of service" if not answered else r"Claim\.item\[1\]\.sequence"
    with pytest.raises(InvalidValue, match=refused) if not answered or None in items else nullcontext():
        claim_response(decision, claim, id="r", created=CREATED, number="N")


def test_what_is_no_decision_or_no_claim_is_named(approved: Decision, reading: Reading) -> None:
    received: Any = approved.to_dict()
    wrong: Any = reading.request
    given: Json = {"id": "r", "created": CREATED, "number": "N"}
    person: Json = {"certified": True, "reviewer": "1234567893", **given}
    nothing: Any = None
    with pytest.raises(InvalidValue, match=r"^decision must be a Decision, .* and is a NoneType$"):
        claim_response(nothing, CLAIM, **given)
    for made in (
        lambda: claim_response(received, CLAIM, **given),
        lambda: person_decided(received, CLAIM, **person),
        lambda: coverage_information(received, "Coverage/1", day=date(2025, 6, 2), assertion_id="a"),
        lambda: card(received, uuid="u", source="Payer"),
        lambda: next_question(received),
        lambda: letter(received),
    ):
        with pytest.raises(InvalidValue, match=r"^decision must be a Decision, as decide returns it, and is a dict$"):
            made()
    for made in (
        lambda: claim_response(approved, wrong, **given),
        lambda: claim_response(InvalidResource("Bundle", "is none"), wrong, **given),
        lambda: person_decided(approved, wrong, **person),
    ):
        with pytest.raises(InvalidValue, match=r"^claim must be a Claim, .* and is a Request$"):
            made()


def test_the_response_comes_first_in_its_bundle(approved: Decision) -> None:
    response = responded(approved)
    patient = {"resourceType": "Patient", "id": "p"}
    bundle = response_bundle(
        response, identifier={"value": "1"}, created=CREATED, base="https://payer.example/fhir/", others=[patient]
    )
    assert [entry["fullUrl"] for entry in bundle["entry"]] == [
        "https://payer.example/fhir/ClaimResponse/r",
        "https://payer.example/fhir/Patient/p",
    ]
    wrong: Any
    for wrong, path in (
        ([patient, {"resourceType": "Patient"}], "others[1].id"),
        ([{"id": "p"}], "others[0].resourceType"),
        ([None], "others[0].resourceType"),
    ):
        with pytest.raises(InvalidResource) as caught:
            response_bundle(response, identifier={"value": "1"}, created=CREATED, base="https://p", others=wrong)
        assert caught.value.path == path
