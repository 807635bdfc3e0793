"""The facts of a document as a form: what is answered comes back, and what is asleep can no longer matter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from payer_policy import Decision, EmbeddedPolicy, InvalidRequest, InvalidValue
from payer_policy.fhir import Records, questionnaire, read_bundle
from payer_policy.fhir.mapping import fhirpath
from payer_policy.runtime.documents import Documents

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
BASE = "https://payer.example/fhir"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
VALUE = {"boolean": "valueBoolean", "integer": "valueInteger", "number": "valueDecimal", "date": "valueDate"}


@pytest.fixture(scope="module")
def forms(policy: EmbeddedPolicy) -> dict[tuple[str, str], Json]:
    return {
        (entry["document"], held["version"]): questionnaire(policy, entry["document"], held["version"], base=BASE)
        for entry in policy.catalogue()["documents"]
        for held in entry["versions"]
    }


@pytest.fixture(scope="module")
def decided(policy: EmbeddedPolicy) -> list[tuple[str, Json, Decision]]:
    """Every vector that the policy takes and a form can say, with its decision: forms have no bounds."""
    found = []
    for file in sorted((ROOT / "policy_tests" / "vectors").glob("*/*.yaml")):
        for vectors in yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader).values():
            for vector in vectors:
                request = vector["input"]
                if not isinstance(request, dict) or request.get("unavailable"):
                    continue
                try:
                    decision = policy.decide(request)
                except InvalidRequest:
                    continue
                if decision.criteria and not any(isinstance(value, dict) for value in request["facts"].values()):
                    found.append((vector["name"], request, decision))
    assert len(found) > 400
    return found


def answered(form: Json, types: Json, facts: Json) -> Json:
    items = []
    for name, value in facts.items():
        if value is None:
            continue
        if types[name]["type"] in VALUE:
            answers = [{VALUE[types[name]["type"]]: value}]
        else:
            codes = value if isinstance(value, list) else [value]
            answers = [{"valueCoding": {"code": code}} for code in codes or ["none"]]
        items.append({"linkId": name, "answer": answers})
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "completed",
        "subject": {"reference": "Patient/p"},
        "item": items,
    }


def test_answers_give_the_decision_on_the_facts(
    policy: EmbeddedPolicy, forms: dict[tuple[str, str], Json], decided: list[tuple[str, Json, Decision]]
) -> None:
    records, documents = Records(policy), Documents(policy)
    for name, request, decision in decided:
        assert decision.policy is not None
        held = (decision.policy.document, decision.policy.version)
        response = answered(forms[held], dict(documents.facts(*held)), request["facts"])
        again = records.facts_from_response(response, date_of_service=request["date_of_service"])
        same = {**request, "facts": again.request.to_dict()["facts"]}
        assert policy.decide(same).to_dict() == decision.to_dict(), name


def test_what_is_missing_is_never_asleep(
    forms: dict[tuple[str, str], Json], decided: list[tuple[str, Json, Decision]]
) -> None:
    asleep = 0
    for name, request, decision in decided:
        assert decision.policy is not None
        form = forms[(decision.policy.document, decision.policy.version)]
        missing = {item.fact for item in decision.missing}
        for item in form["item"]:
            awake = all(
                request["facts"].get(when["question"])
                != (when["answerBoolean"] if "answerBoolean" in when else when["answerCoding"]["code"])
                for when in item.get("enableWhen", ())
            )
            asleep += not awake
            assert awake or item["linkId"] not in missing, (name, item["linkId"])
    assert asleep > 500


def test_a_form_has_all_facts_of_its_version(policy: EmbeddedPolicy, forms: dict[tuple[str, str], Json]) -> None:
    documents = Documents(policy)
    for (document, version), form in forms.items():
        facts = documents.facts(document, version)
        assert [item["linkId"] for item in form["item"]] == list(facts)
        assert (form["url"], form["version"]) == (f"{BASE}/Questionnaire/{document}", version)
        for item, fact in zip(form["item"], facts.values(), strict=True):
            codes = [option["valueCoding"]["code"] for option in item.get("answerOption", ())]
            assert codes == [*fact.get("values", ()), *(["none"] if fact["type"] == "array" else [])]
            limits = [
                next(iter(value for name, value in each.items() if name != "url"))
                for each in item.get("extension", ())
                if each["url"].endswith(("minValue", "maxValue"))
            ]
            assert limits == ([fact["minimum"], fact["maximum"]] if "minimum" in fact else [])
            ids = [earlier["linkId"] for earlier in form["item"][: form["item"].index(item)]]
            assert all(when["question"] in ids for when in item.get("enableWhen", ()))
        assert json.dumps(form) == json.dumps(questionnaire(policy, document, version, base=BASE))


# dtr-std-questionnaire with its dtrq-2 to 5; `none` of a list stands alone.
EXCLUSIVE = (
    "extension.where(url = 'http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive').valueBoolean"
)
FORM = [
    "url.count() = 1 and version.count() = 1 and name.count() = 1 and title.count() = 1 and status = 'active'",
    "subjectType = 'Patient' and subjectType.count() = 1 and effectivePeriod.start.exists() and item.exists()",
    f"extension.where(url = '{SDC}launchContext').extension.where(url = 'name').valueCoding.code = 'patient'",
    "extension.where(url.endsWith('/variable')).valueExpression.all(name.exists() and expression.exists())",
    "item.linkId.isDistinct() and item.all(linkId.count() = 1 and text.count() = 1 and type.count() = 1)",
    "item.all(type = 'choice' implies answerOption.count() > 1 and answerOption.all(value.count() = 1))",
    "item.where(type in ('quantity' | 'reference' | 'group' | 'open-choice')).empty()",
    f"item.all((repeats.exists() and repeats) = answerOption.where(value.code = 'none').{EXCLUSIVE}.exists())",
    f"item.extension.where(url = '{SDC}initialExpression').valueExpression.all(language = 'text/fhirpath')",
    "item.all(enableWhen.count() > 1 implies enableBehavior = 'all')",
    "item.enableWhen.all(operator = '!=' and answer.count() = 1)",
]


def test_a_form_is_what_the_guide_asks_for(forms: dict[tuple[str, str], Json]) -> None:
    for version, form in forms.items():
        assert [each for each in FORM if fhirpath(each)(form) != [True]] == [], version
    broken = {**form, "subjectType": ["Group"], "item": [*form["item"], form["item"][0] | {"text": None}]}
    assert [FORM.index(each) for each in FORM if fhirpath(each)(broken) != [True]] == [1, 4]


def test_a_form_fills_in_what_the_record_says(policy: EmbeddedPolicy, forms: dict[tuple[str, str], Json]) -> None:
    record = read_bundle((ROOT / "examples" / "fhir" / "relapsed-b-all.json").read_bytes())
    filled = fill(forms[("CC-0126", "2025-04-01")], record)
    assert filled == Records(policy).read(record).request.to_dict()["facts"]
    relapse = record["entry"][6]["resource"]
    relapse["verificationStatus"]["coding"][0]["code"] = "refuted"
    assert fill(forms[("CC-0126", "2025-04-01")], record) == {
        name: value for name, value in filled.items() if name != "disease_status"
    }
    blood: Json = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "valueQuantity": {"value": 9.5, "system": "http://unitsofmeasure.org", "code": "g/dL"},
    }
    form = forms[("NCD-110.21", "2007-07-30")]
    assert fill(form, {"entry": [{"resource": blood}]}) == {"hemoglobin": 9.5}
    assert fill(form, {"entry": [{"resource": blood}] * 2}) == {}  # which of them counts?
    count: Json = {"resourceType": "Observation", "status": "final", "component": [blood]}
    assert fill(form, {"entry": [{"resource": count}]}) == {"hemoglobin": 9.5}
    assert fill(form, {"entry": [{"resource": blood}, {"resource": count}]}) == {}
    assert fill(form, {"entry": [{"resource": count | {"status": "preliminary"}}]}) == {}
    blood["valueQuantity"]["code"] = "g/L"
    assert fill(form, {"entry": [{"resource": blood}]}) == {}


def fill(form: Json, record: Json) -> Json:
    """What a client of DTR does with the expressions of a form."""
    held = [entry["resource"] for entry in record["entry"]]
    variables = {
        "patient": next((each for each in held if each["resourceType"] == "Patient"), {}),
        **{
            kind: {
                "resourceType": "Bundle",
                "entry": [{"resource": each} for each in held if each["resourceType"] == kind],
            }
            for kind in ("Condition", "Observation", "Procedure", "MedicationRequest")
        },
    }
    found = {}
    for item in form["item"]:
        for extension in item.get("extension", ()):
            if extension["url"] == f"{SDC}initialExpression":
                expression = extension["valueExpression"]["expression"]
                for value in fhirpath(expression)({}, {**variables, "questionnaire": form}):
                    found[item["linkId"]] = value["code"] if isinstance(value, dict) else value
    return found


def test_a_version_that_is_not_held(policy: EmbeddedPolicy) -> None:
    with pytest.raises(InvalidValue, match="has no version"):
        questionnaire(policy, "CC-0126", "2024-01-01", base=BASE)
