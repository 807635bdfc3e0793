"""A patient's record becomes a request, and says no more than the record does."""

from __future__ import annotations

import copy
import json
import pickle
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payer_policy import EmbeddedPolicy, InvalidValue, Outcome
from payer_policy.command import main
from payer_policy.fhir import Reading, Records, questionnaire, read_bundle
from payer_policy.fhir.mapping import Vocabulary, fhirpath
from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import InvalidResource, ProtocolError

Json = dict[str, Any]

RECORD = Path(__file__).parents[2] / "examples" / "fhir" / "relapsed-b-all.json"
DAVINCI = Path(__file__).parent / "davinci"
SENT = [RECORD, Path(__file__).parent / "mcode" / "brian-l.json", DAVINCI / "bundle-request.json"]
FACTS = {
    "disease": "all",
    "lineage": "b_cell_precursor",
    "infant": False,
    "kmt2a_rearranged": False,
    "disease_status": "relapsed",
}
LOINC = "http://loinc.org"
STATUS = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


@pytest.fixture(scope="module")
def records(policy: EmbeddedPolicy) -> Records:
    return Records(policy)


@pytest.fixture
def record() -> Json:
    return read_bundle(RECORD.read_bytes())


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def one(record: Json, name: str) -> Json:
    found: Json = next(
        entry["resource"]
        for entry in record["entry"]
        if f"{entry['resource']['resourceType']}/{entry['resource']['id']}" == name
    )
    return found


def facts(reading: Reading) -> Json:
    known: Json = reading.request.to_dict()["facts"]
    return known


def reasons(reading: Reading, fact: str) -> list[str]:
    return [each.reason or each.standing for each in reading.evidence if each.fact == fact]


def blood(*observations: Json) -> Json:
    """A record for NCD-110.21 with some measurements."""
    patient = {"resourceType": "Patient", "id": "p"}
    made = [
        {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": "final",
            "subject": {"reference": "Patient/p"},
            "code": concept(LOINC, "718-7"),
            "effectiveDateTime": "2025-05-01",
            **observation,
        }
        for number, observation in enumerate(observations)
    ]
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in [patient, *made]]}


def quantity(value: Any, code: str, **more: Any) -> Json:  # noqa: ANN401
    return {"valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": code, **more}}


def anemia(records: Records, bundle: Json) -> Reading:
    return records.read(bundle, document="NCD-110.21", date_of_service="2025-06-01")


def test_a_record_becomes_a_request_with_the_place_of_each_fact(
    policy: EmbeddedPolicy, records: Records, record: Json
) -> None:
    reading = records.read(record, request_id="PA-1")
    assert reading.request.to_dict() == {
        "document": "CC-0126",
        "date_of_service": "2025-06-01",
        "request_id": "PA-1",
        "codes": {"hcpcs": "J9039", "icd10": ["C91.02"]},
        "facts": FACTS,
    }
    for each in reading.evidence:
        place = fhirpath(each.path)(record)
        assert place, each.path
    lineage = [each for each in reading.evidence if each.fact == "lineage"]
    assert [(each.resource, each.path, each.day) for each in lineage] == [
        ("Condition/diagnosis", "Bundle.entry[5].resource.code", "2022-05-03")
    ]
    decision = policy.decide(reading.request)
    assert decision.outcome is Outcome.NEEDS_INFORMATION
    assert decision.ask_first is not None
    assert decision.ask_first.facts == ("cd19_positive",)


def test_the_same_record_gives_the_same_bytes(records: Records, record: Json) -> None:
    first, second = (records.read(copy.deepcopy(record)) for _ in range(2))
    assert json.dumps(first.request.to_dict()) == json.dumps(second.request.to_dict())
    assert first.evidence == second.evidence


def refuted(relapse: Json) -> None:
    relapse["verificationStatus"] = concept(STATUS, "refuted")


def in_error(relapse: Json) -> None:
    relapse["verificationStatus"] = concept(STATUS, "entered-in-error")


def provisional(relapse: Json) -> None:
    relapse["verificationStatus"] = concept(STATUS, "provisional")


def in_words(relapse: Json) -> None:
    relapse["verificationStatus"] = {"text": "confirmed"}


def resolved(relapse: Json) -> None:
    relapse["clinicalStatus"] = concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved")


def of_another(relapse: Json) -> None:
    relapse["subject"] = {"reference": "Patient/sibling"}


def of_no_one(relapse: Json) -> None:
    del relapse["subject"]


def later(relapse: Json) -> None:
    relapse["recordedDate"] = "2025-06-02"


def modified(relapse: Json) -> None:
    relapse["modifierExtension"] = [{"url": "http://example.org/not", "valueBoolean": True}]


def modified_inside(relapse: Json) -> None:
    relapse["code"]["coding"][0]["modifierExtension"] = [{"url": "http://example.org/not", "valueBoolean": True}]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (refuted, "is not confirmed"),
        (in_error, "is not confirmed"),
        (provisional, "is not confirmed"),
        (in_words, "is not confirmed"),
        (resolved, "is no longer active"),
        (of_another, "is of another patient"),
        (of_no_one, "says not of whom it is"),
        (later, "is after the date of service"),
        (modified, "holds a modifier that is not known here"),
        (modified_inside, "holds a modifier that is not known here"),
    ],
)
def test_what_establishes_nothing(records: Records, record: Json, change: Callable[[Json], None], reason: str) -> None:
    change(one(record, "Condition/relapse"))
    reading = records.read(record)
    assert facts(reading) == {name: value for name, value in FACTS.items() if name != "disease_status"}
    assert reason in reasons(reading, "disease_status")


@pytest.mark.parametrize("status", ["registered", "preliminary", "cancelled", "entered-in-error", "unknown", None])
def test_only_what_is_final_counts(records: Records, record: Json, status: str | None) -> None:
    one(record, "Observation/kmt2a")["status"] = status
    assert "kmt2a_rearranged" not in facts(records.read(record))


def test_a_variant_of_the_gene_is_no_rearrangement(records: Records, record: Json) -> None:
    observation = one(record, "Observation/kmt2a")
    observation["valueCodeableConcept"] = concept(LOINC, "LA9633-4")
    assert facts(records.read(record))["kmt2a_rearranged"] is True
    observation["component"].pop()  # what kind of variant it is
    reading = records.read(record)
    assert "kmt2a_rearranged" not in facts(reading)
    assert [each.value for each in reading.suggestions("kmt2a_rearranged")] == [True]


def test_prescriptions_are_no_complete_list(records: Records, record: Json) -> None:
    reading = records.read(record)
    assert [(each.value, each.standing) for each in reading.suggestions("combined_with")] == [
        ("dasatinib", "suggested")
    ]
    for change in ({"doNotPerform": True}, {"status": "cancelled"}, {"intent": "plan"}):
        changed = copy.deepcopy(record)
        one(changed, "MedicationRequest/dasatinib").update(change)
        assert records.read(changed).suggestions("combined_with") == ()


def test_resources_that_disagree_make_a_fact_unknown(records: Records, record: Json) -> None:
    other = copy.deepcopy(one(record, "Condition/relapse")) | {"id": "remission"}
    other["code"] = concept("http://hl7.org/fhir/sid/icd-10-cm", "C91.01")
    other["clinicalStatus"] = concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "remission")
    record["entry"].append({"fullUrl": "http://hospital.example/fhir/Condition/remission", "resource": other})
    reading = records.read(record)
    assert "disease_status" not in facts(reading)
    assert set(reasons(reading, "disease_status")) == {"disagrees with another"}


def test_a_value_that_is_absent_is_none(records: Records, record: Json) -> None:
    reason = concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", "error")
    one(record, "Observation/kmt2a")["dataAbsentReason"] = reason
    reading = records.read(record)
    assert "kmt2a_rearranged" not in facts(reading)
    assert reasons(reading, "kmt2a_rearranged") == ["says that it has no value"]


def test_an_infant_is_known_by_birth_and_onset_alone(records: Records, record: Json) -> None:
    diagnosis = one(record, "Condition/diagnosis")
    diagnosis["onsetDateTime"] = "2020-03-01"
    assert facts(records.read(record))["infant"] is True
    diagnosis["onsetDateTime"] = "2020-03-02"  # the first birthday
    assert facts(records.read(record))["infant"] is False
    diagnosis["onsetDateTime"] = "2020"  # before or after it
    assert "infant" not in facts(records.read(record))
    del diagnosis["onsetDateTime"]
    assert "infant" not in facts(records.read(record))


# As records come


def claim(record: Json) -> Json:
    return one(record, "Claim/blinatumomab")


def with_absolute_references(record: Json) -> None:
    text = re.sub(r'("reference": ")([A-Z])', r"\1http://hospital.example/fhir/\2", json.dumps(record))
    record.update(json.loads(text))


def under_uuids(record: Json) -> None:
    for entry in record["entry"]:
        entry["fullUrl"] = f"urn:uuid:{entry['resource']['id']}"


def without_urls(record: Json) -> None:
    for entry in record["entry"]:
        del entry["fullUrl"]


def under_other_urls(record: Json) -> None:
    for number, entry in enumerate(record["entry"]):
        entry["fullUrl"] = f"http://hospital.example/bundles/{number}"  # no server of FHIR has it there


def of_a_version(record: Json) -> None:
    for entry in record["entry"]:
        if "subject" in entry["resource"]:
            entry["resource"]["subject"] = {"reference": "Patient/child/_history/3", "type": "Patient"}


def from_a_search(record: Json) -> None:
    record["type"] = "searchset"
    outcome = {"resourceType": "OperationOutcome", "id": "o", "issue": []}
    record["entry"].append({"resource": outcome, "search": {"mode": "outcome"}})


def with_another_item(record: Json) -> None:
    other = copy.deepcopy(claim(record)["item"][0]) | {"sequence": 2, "servicedDate": "2025-06-03"}
    other["productOrService"]["coding"][0]["code"] = "J1100"
    claim(record)["item"].insert(0, other)


def with_a_differential(record: Json) -> None:
    kind = concept("http://terminology.hl7.org/CodeSystem/ex-diagnosistype", "differential")
    code = concept("http://hl7.org/fhir/sid/icd-10-cm", "C83.30")
    claim(record)["diagnosis"].append({"sequence": 2, "diagnosisCodeableConcept": code, "type": [kind]})


def as_an_update(record: Json) -> None:
    prior = copy.deepcopy(claim(record)) | {"id": "prior"}
    record["entry"].append({"fullUrl": "http://hospital.example/fhir/Claim/prior", "resource": prior})
    claim(record)["related"] = [{"claim": {"reference": "Claim/prior"}}]


def with_contained(record: Json) -> None:
    diagnosis = one(record, "Condition/diagnosis")
    record["entry"] = [entry for entry in record["entry"] if entry["resource"] is not diagnosis]
    claim(record)["contained"] = [diagnosis]


def by_age_at_onset(record: Json) -> None:
    diagnosis = one(record, "Condition/diagnosis")
    del diagnosis["onsetDateTime"]
    diagnosis["onsetAge"] = {"value": 14, "system": "http://unitsofmeasure.org", "code": "mo"}


@pytest.mark.parametrize(
    "change",
    [
        with_absolute_references,
        under_uuids,
        without_urls,
        under_other_urls,
        of_a_version,
        from_a_search,
        with_another_item,
        with_a_differential,
        as_an_update,
        with_contained,
        by_age_at_onset,
    ],
)
def test_records_that_say_the_same(records: Records, record: Json, change: Callable[[Json], None]) -> None:
    change(record)
    reading = records.read(record)
    assert reading.request.to_dict() == {
        "document": "CC-0126",
        "date_of_service": "2025-06-01",
        "codes": {"hcpcs": "J9039", "icd10": ["C91.02"]},
        "facts": FACTS,
    }
    assert reading.skipped == ()
    assert all(fhirpath(each.path)(record) for each in reading.evidence)


def test_a_claim_that_is_taken_back_is_not_decided(records: Records, record: Json) -> None:
    cancelled = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/modifierextension-itemCancelled"
    claim(record)["item"][0]["modifierExtension"] = [{"url": cancelled, "valueBoolean": True}]
    with pytest.raises(InvalidResource, match="holds a modifier") as caught:
        records.read(record)
    assert caught.value.path == "Bundle.entry[0].resource"


def test_a_patient_who_is_not_there_is_said(records: Records, record: Json) -> None:
    claim(record)["patient"] = {"reference": "Patient/else"}
    reading = records.read(record)
    assert facts(reading) == {}
    assert [each.path for each in reading.skipped] == ["Bundle.entry[0].resource.patient"]
    assert set(reasons(reading, "disease")) == {"is of another patient"}


def test_a_medication_stands_in_a_resource_of_its_own(records: Records, record: Json) -> None:
    asked = one(record, "MedicationRequest/dasatinib")
    asked["contained"] = [{"resourceType": "Medication", "id": "m", "code": asked.pop("medicationCodeableConcept")}]
    asked["medicationReference"] = {"reference": "#m"}
    [found] = records.read(record).suggestions("combined_with")
    assert (found.value, fhirpath(f"{found.path}.coding.code")(record)) == ("dasatinib", ["475342"])


def test_what_is_over_without_a_status_is_over(records: Records, record: Json) -> None:
    relapse = one(record, "Condition/relapse")
    del relapse["clinicalStatus"]
    relapse["abatementDateTime"] = "2025-05-20"
    reading = records.read(record)
    assert "disease_status" not in facts(reading)
    assert set(reasons(reading, "disease_status")) == {"is no longer active"}


@pytest.mark.parametrize(
    ("age", "code", "expected"),
    [(5, "mo", True), (12, "mo", False), (51, "wk", True), (52, "wk", None), (53, "wk", False), (0, "a", True)],
)
def test_an_infant_is_known_by_the_age_at_onset(
    records: Records, record: Json, age: int, code: str, expected: bool | None
) -> None:
    by_age_at_onset(record)
    one(record, "Condition/diagnosis")["onsetAge"] |= {"value": age, "code": code}
    assert facts(records.read(record)).get("infant") is expected


def variant(record: Json, found: str, change: str, *partners: str) -> None:
    observation = one(record, "Observation/kmt2a")
    observation["valueCodeableConcept"] = concept(LOINC, found)
    gene, changed = observation["component"]
    gene["valueCodeableConcept"]["coding"][0]["system"] = "http://www.genenames.org"  # as mCODE has it
    changed["valueCodeableConcept"]["coding"][0]["code"] = change
    for partner in partners:
        other = copy.deepcopy(gene)
        other["valueCodeableConcept"]["coding"][0]["code"] = partner
        observation["component"].append(other)


@pytest.mark.parametrize(
    ("found", "change", "partners", "expected"),
    [
        ("LA9633-4", "SO:0001565", (), True),
        ("LA9633-4", "SO:1000044", (), True),
        ("LA9633-4", "SO:1000044", ("HGNC:7135",), True),
        ("LA9633-4", "SO:0001483", (), None),
        ("LA9634-2", "SO:0001565", (), False),
        ("LA9634-2", "SO:0001565", ("HGNC:7135",), None),  # with another partner it may be there
        ("LA9634-2", "SO:1000044", (), None),
    ],
)
def test_a_rearrangement_is_a_fusion_or_a_translocation(
    records: Records, record: Json, found: str, change: str, partners: tuple[str, ...], expected: bool | None
) -> None:
    variant(record, found, change, *partners)
    assert facts(records.read(record)).get("kmt2a_rearranged") is expected


def test_a_code_of_genetics_says_lineage_and_rearrangement(records: Records, record: Json) -> None:
    one(record, "Condition/diagnosis")["code"] = concept("http://snomed.info/sct", "838341005")
    del one(record, "Observation/kmt2a")["valueCodeableConcept"]
    reading = records.read(record)
    known = {name: value for name, value in FACTS.items() if name != "infant"}  # it may be a lymphoma
    assert facts(reading) == known | {"kmt2a_rearranged": True}


@pytest.mark.parametrize(
    "moment", ["2025-05-14T10:00:00Z", "2025-05-14T10:00:00.1+02:00", "2025-05-14T10:00:00.1234567-05:00"]
)
def test_moments_of_any_precision(records: Records, record: Json, moment: str) -> None:
    one(record, "Observation/kmt2a")["effectiveDateTime"] = moment
    assert facts(records.read(record)) == FACTS


@pytest.mark.parametrize(
    "moment", ["2025-W20-3T10:00:00Z", "20250514T100000Z", "2025-05-14T10:00:00", "2025-05-14T25:00:00Z", "T", 20250514]
)
def test_what_is_no_moment_of_fhir(records: Records, record: Json, moment: object) -> None:
    one(record, "Observation/kmt2a")["effectiveDateTime"] = moment
    reading = records.read(record)
    assert "has a date that cannot be read" in reasons(reading, "kmt2a_rearranged")
    assert "kmt2a_rearranged" not in facts(reading)


def test_a_bound_and_a_value_within_it_agree(policy: EmbeddedPolicy, records: Records) -> None:
    done = {
        "resourceType": "Procedure",
        "status": "completed",
        "code": concept("http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "G0400"),
        "subject": {"reference": "Patient/child"},
        "performedDateTime": "2025-05-01",
    }
    bundle: Json = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "child"}}]}
    bundle["entry"].append({"resource": done})
    asked: Json = {"document": "NCD-240.4", "date_of_service": "2025-06-01"}
    assert facts(records.read(bundle, **asked)) == {"sleep_test": "hst_type_iv", "hst_channels": {"at_least": 3}}
    for channels, expected in ((4, 4), (2, None)):
        form = response(policy, "NCD-240.4", {"hst_channels": [{"valueInteger": channels}]})
        reading = records.read({**bundle, "entry": [*bundle["entry"], {"resource": form}]}, **asked)
        assert facts(reading).get("hst_channels") == expected


def test_the_answers_to_another_version_are_said(policy: EmbeddedPolicy, records: Records, record: Json) -> None:
    form = response(policy, "CC-0126", {"cd19_positive": [{"valueBoolean": True}]})
    form["questionnaire"] = form["questionnaire"].replace("|2025-04-01", "|2024-01-01")
    record["entry"].append({"resource": form})
    reading = records.read(record)
    assert facts(reading) == FACTS
    assert [each.path for each in reading.skipped] == ["Bundle.entry[11].resource.questionnaire"]


def test_the_paediatric_example_of_mcode(records: Records) -> None:
    """A B-cell ALL by SNOMED CT alone, a translocation of other genes, and an immunophenotype in words."""
    bundle = read_bundle(SENT[1].read_bytes())
    reading = records.read(bundle, document="CC-0126", date_of_service="2025-06-01")
    assert facts(reading) == {"disease": "all", "infant": False}
    shown = {each.fact: each.value for each in reading.evidence if each.standing == "suggested"}
    assert shown == {"lineage": "b_cell_precursor", "alternating_with": "prednisone"}
    assert facts(anemia(records, bundle)) == {"hemoglobin": 6.7, "hematocrit": 22.3}


# Of measurements


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (quantity(9.4, "g/dL"), 9.4),
        (quantity(94, "g/L"), 9.4),
        (quantity(9.4, "g/dL{total}"), 9.4),
        (quantity(94, "g/L", comparator="<"), {"less_than": 9.4}),
        (quantity(9, "g/dL", comparator=">="), {"at_least": 9}),
    ],
)
def test_a_unit_is_turned_into_that_of_the_fact(records: Records, given: Json, expected: object) -> None:
    assert facts(anemia(records, blood(given))) == {"hemoglobin": expected}


@pytest.mark.parametrize(
    ("value", "unit", "percent"),
    [(0.3, "L/L", 30), (30, "%", 30), (300, "10*-3", 30), (3000, "10*-4", 30), (0.3, "1", 30)],
)
def test_units_of_a_percentage(records: Records, value: float, unit: str, percent: float) -> None:
    observation = quantity(value, unit) | {"code": concept(LOINC, "4544-3")}
    assert facts(anemia(records, blood(observation))) == {"hematocrit": percent}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (quantity(9.4, "mmol/L"), "has a unit that is not understood"),
        (quantity(9.4, "G/DL"), "has a unit that is not understood"),
        ({"valueQuantity": {"value": 9.4, "unit": "g/dL"}}, "has a unit that is not understood"),
        ({"valueQuantity": {"value": 9.4, "system": LOINC, "code": "g/dL"}}, "has a unit that is not understood"),
        (quantity("9.4", "g/dL"), "has no number"),
        (quantity(True, "g/dL"), "has no number"),
        (quantity(9.4, "g/dL", comparator="~"), "has a comparator that is not understood"),
        (quantity(94, "g/dL"), "is out of range"),
        (quantity(-1, "g/dL"), "is out of range"),
        (quantity(9.4, "g/dL") | {"effectiveDateTime": "2025-06-02"}, "is after the date of service"),
        (quantity(9.4, "g/dL") | {"effectiveDateTime": "2025-06"}, "may be after the date of service"),
        (quantity(9.4, "g/dL") | {"effectiveDateTime": "soon"}, "has a date that cannot be read"),
        (quantity(9.4, "g/dL") | {"focus": [{"reference": "Patient/twin"}]}, "is about someone or something else"),
    ],
)
def test_a_number_that_is_no_evidence(records: Records, given: Json, reason: str) -> None:
    reading = anemia(records, blood(given))
    assert facts(reading) == {}
    assert reasons(reading, "hemoglobin") == [reason]


def test_a_measurement_without_a_date_is_none(records: Records) -> None:
    bundle = blood(quantity(9.4, "g/dL"))
    del bundle["entry"][1]["resource"]["effectiveDateTime"]
    assert reasons(anemia(records, bundle), "hemoglobin") == ["has no date"]


def test_text_is_no_measurement(records: Records) -> None:
    assert facts(anemia(records, blood({"valueString": "9.4 g/dL"}))) == {}


def test_the_latest_measurement_counts(records: Records) -> None:
    bundle = blood(
        quantity(8, "g/dL") | {"effectiveDateTime": "2025-05-20T08:00:00+02:00"},
        quantity(9, "g/dL") | {"effectiveDateTime": "2025-05-20T07:00:00Z"},  # an hour later
        quantity(7, "g/dL") | {"effectiveDateTime": "2025-05-19"},
        quantity(12, "g/dL") | {"effectiveDateTime": "2025-06-02"},
    )
    reading = anemia(records, bundle)
    assert facts(reading) == {"hemoglobin": 9}
    assert reasons(reading, "hemoglobin") == [
        "is not the latest",
        "established",
        "is not the latest",
        "is after the date of service",
    ]


def test_a_day_is_past_when_a_moment_is_on_a_later_one(records: Records) -> None:
    """Whichever of the moments is the latest: the day on which it was depends on where."""
    bundle = blood(
        quantity(8, "g/dL") | {"effectiveDateTime": "2025-05-20"},
        quantity(9, "g/dL") | {"effectiveDateTime": "2025-05-20T23:00:00-10:00"},  # the latest
        quantity(10, "g/dL") | {"effectiveDateTime": "2025-05-21T01:00:00+10:00"},
    )
    assert facts(anemia(records, bundle)) == {"hemoglobin": 9}


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        (quantity(7.2, "mmol/L"), "has a unit that is not understood"),
        ({"valueString": "11.6 g/dL"}, "has no number"),
        (quantity(116, "g/dL"), "is out of range"),
    ],
)
def test_a_later_measurement_that_cannot_be_read_leaves_none(records: Records, later: Json, reason: str) -> None:
    """The one before is not the latest, and what the latest says is not known."""
    day = {"effectiveDateTime": "2025-05-20"}
    reading = anemia(records, blood(quantity(9.4, "g/dL"), later | day))
    assert facts(reading) == {}
    assert reasons(reading, "hemoglobin") == ["is not the latest", reason]
    withdrawn = anemia(records, blood(quantity(9.4, "g/dL"), later | day | {"status": "entered-in-error"}))
    assert facts(withdrawn) == {"hemoglobin": 9.4}


def test_what_a_later_sample_does_not_show_is_not_undone(records: Records, record: Json) -> None:
    """A rearrangement found at diagnosis, and not in a sample of remission."""
    found = copy.deepcopy(one(record, "Observation/kmt2a")) | {"id": "earlier", "effectiveDateTime": "2022-05-03"}
    found["valueCodeableConcept"]["coding"][0]["code"] = "LA9633-4"
    record["entry"].append({"fullUrl": "http://hospital.example/fhir/Observation/earlier", "resource": found})
    reading = records.read(record)
    assert "kmt2a_rearranged" not in facts(reading)
    assert reasons(reading, "kmt2a_rearranged") == ["disagrees with another"] * 2


def panel(*components: Json) -> Json:
    """A blood count as one Observation, for `blood`."""
    made = [{"code": concept(LOINC, "718-7"), **component} for component in components]
    return {"code": concept(LOINC, "58410-2"), "component": made}


def test_the_components_of_a_panel_are_measurements(records: Records) -> None:
    hematocrit = quantity(30, "%") | {"code": concept(LOINC, "4544-3")}
    bundle = blood(panel(quantity(94, "g/L"), hematocrit), quantity(8, "g/dL") | {"effectiveDateTime": "2025-04-30"})
    reading = anemia(records, bundle)
    assert facts(reading) == {"hemoglobin": 9.4, "hematocrit": 30}
    assert [(each.standing, each.path, each.resource, each.day) for each in reading.evidence] == [
        ("established", "Bundle.entry[1].resource.component[0].value", "Observation/o0", "2025-05-01"),
        ("set aside", "Bundle.entry[2].resource.value", "Observation/o1", "2025-04-30"),
        ("established", "Bundle.entry[1].resource.component[1].value", "Observation/o0", "2025-05-01"),
    ]
    assert all(fhirpath(each.path)(bundle) for each in reading.evidence)


@pytest.mark.parametrize(
    ("whole", "component", "reason"),
    [
        ({"status": "preliminary"}, {}, "is not final"),
        ({"status": "preliminary"}, {"status": "final"}, "is not final"),  # a component has no status
        ({"subject": {"reference": "Patient/twin"}}, {}, "is of another patient"),
        ({"effectiveDateTime": "2025-06-02"}, {}, "is after the date of service"),
        ({"dataAbsentReason": {}}, {}, "says that it has no value"),
        ({}, {"dataAbsentReason": {}}, "says that it has no value"),
        ({}, {"modifierExtension": [{"url": "http://example.org/not"}]}, "holds a modifier that is not known here"),
    ],
)
def test_a_component_stands_as_its_panel_does(records: Records, whole: Json, component: Json, reason: str) -> None:
    reading = anemia(records, blood(panel(quantity(9.4, "g/dL") | component) | whole))
    assert facts(reading) == {}
    assert reasons(reading, "hemoglobin") == [reason]


def test_measurements_of_one_day_that_differ_are_a_conflict(records: Records) -> None:
    bundle = blood(quantity(8, "g/dL"), quantity(9, "g/dL"))
    assert facts(anemia(records, bundle)) == {}
    assert facts(anemia(records, blood(quantity(9, "g/dL"), quantity(90, "g/L")))) == {"hemoglobin": 9}


def test_an_age_is_that_of_the_day_of_service(records: Records) -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "birthDate": "1960-06-02"}}]}

    def age(day: str) -> Json:
        return facts(records.read(bundle, document="NCD-240.4", date_of_service=day))

    assert (age("2025-06-01"), age("2025-06-02")) == ({"age": 64}, {"age": 65})
    bundle["entry"][0]["resource"]["birthDate"] = "1960"  # type: ignore[index]
    assert age("2025-06-01") == {}


# Of bundles


def test_references_of_every_kind(records: Records, record: Json) -> None:
    diagnosis = one(record, "Condition/diagnosis")
    for reference in (
        "http://hospital.example/fhir/Patient/child",
        "Patient/child/_history/3",
        "http://hospital.example/fhir/Patient/child/_history/3",
    ):
        diagnosis["subject"] = {"reference": reference}
        assert facts(records.read(record)) == FACTS
    claim = one(record, "Claim/blinatumomab")
    claim["contained"] = [copy.deepcopy(one(record, "Condition/relapse")) | {"id": "inside"}]
    record["entry"] = [entry for entry in record["entry"] if entry["resource"]["id"] != "relapse"]
    claim["diagnosis"][0]["diagnosisReference"] = {"reference": "#inside"}
    reading = records.read(record)
    assert facts(reading) == FACTS
    assert reading.request.to_dict()["codes"]["icd10"] == ["C91.02"]
    assert "Bundle.entry[0].resource.contained[0].code" in [each.path for each in reading.evidence]


def test_the_patient_of_another_server_is_another_patient(records: Records, record: Json) -> None:
    """Patient/child says the patient of the server on which the resource is: ids are no more than numbers on most."""
    for entry in record["entry"]:
        if entry["resource"]["resourceType"] == "Condition":
            entry["fullUrl"] = entry["fullUrl"].replace("hospital", "laboratory")
    reading = records.read(record)
    assert facts(reading) == {"kmt2a_rearranged": False}
    assert set(reasons(reading, "disease")) == {"is of another patient"}
    record["entry"] = [entry for entry in record["entry"] if entry["resource"]["resourceType"] != "Patient"]
    assert facts(records.read(record)) == {"kmt2a_rearranged": False}  # nor is one who is not in the bundle
    for entry in record["entry"]:
        entry.pop("fullUrl")  # then the bundle says nothing of servers
    assert facts(records.read(record)) == {name: value for name, value in FACTS.items() if name != "infant"}


@pytest.mark.parametrize(
    "url",
    [
        None,
        "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
        "http://hospital.example/fhir/Condition/relapse",
        "http://hospital.example/fhir/Condition/relapse/_history/2",
    ],
)
def test_two_states_of_a_resource_establish_nothing(records: Records, record: Json, url: str | None) -> None:
    """The relapse as it was confirmed, and as it was refuted: which is the later one no one says."""
    entry = copy.deepcopy(record["entry"][6])
    refuted(entry["resource"])
    record["entry"].append(entry | {"fullUrl": url})
    reading = records.read(record)
    assert "disease_status" not in facts(reading)
    assert [(each.path, each.reason) for each in reading.skipped[:2]] == [
        ("Bundle.entry[6].resource", "has the id of another resource"),
        ("Bundle.entry[11].resource", "has the id of another resource"),
    ]


def test_what_is_contained_is_altered_with_its_owner(records: Records, record: Json) -> None:
    """A modifier of the owner may turn the meaning of all in it."""
    entry = record["entry"].pop(6)
    owner = one(record, "Observation/immunophenotype")
    owner["contained"] = [entry["resource"]]
    assert facts(records.read(record)) == FACTS
    owner["modifierExtension"] = [{"url": "http://example.org/not", "valueBoolean": True}]
    assert "disease_status" not in facts(records.read(record))


def test_two_contained_resources_of_one_id_are_none(records: Records, record: Json) -> None:
    asked = one(record, "MedicationRequest/dasatinib")
    asked["medicationReference"] = {"reference": "#m"}
    held = {"resourceType": "Medication", "id": "m", "code": asked.pop("medicationCodeableConcept")}
    other = copy.deepcopy(held)
    other["code"]["coding"][0]["code"] = "282388"
    asked["contained"] = [held, other]
    reading = records.read(record)
    assert reading.suggestions("combined_with") == ()
    path = "Bundle.entry[10].resource"
    assert [each.path for each in reading.skipped] == [
        f"{path}.contained[0]",
        f"{path}.contained[1]",
        f"{path}.medicationReference",
    ]
    asked["contained"] = [held]
    del asked["id"], record["entry"][10]["fullUrl"]  # what is contained is found without them
    assert [each.value for each in records.read(record).suggestions("combined_with")] == ["dasatinib"]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [("Medication/m", "refers to what is not in the bundle"), ("Patient/child", "refers to no Medication")],
)
def test_a_medication_that_is_not_there_is_said(records: Records, record: Json, reference: str, reason: str) -> None:
    asked = one(record, "MedicationRequest/dasatinib")
    del asked["medicationCodeableConcept"]
    asked["medicationReference"] = {"reference": reference}
    assert [(each.path, each.reason) for each in records.read(record).skipped] == [
        ("Bundle.entry[10].resource.medicationReference", reason)
    ]


def test_a_search_set_without_the_patient(records: Records, record: Json) -> None:
    record["entry"] = [entry for entry in record["entry"] if entry["resource"]["resourceType"] != "Patient"]
    known = facts(records.read(record))
    assert known == {name: value for name, value in FACTS.items() if name != "infant"}  # who knows the birth


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"resourceType": "Patient"}, "Bundle"),
        ({"entry": {}}, "Bundle.entry"),
        ({"entry": []}, "Bundle.entry"),
        ({"issues": {}}, "Bundle.issues"),
        ({"meta": {"profile": ["http://hl7.org/fhir/5.0/StructureDefinition/Bundle"]}}, "Bundle.meta.profile[0]"),
    ],
)
def test_a_bundle_that_is_none(records: Records, record: Json, change: Json, path: str) -> None:
    with pytest.raises(InvalidResource) as caught:
        records.read(record | change)
    assert caught.value.path == path
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(InvalidResource):
        read_bundle('{"resourceType": "Bundle", "resourceType": "Bundle"}')


@pytest.mark.parametrize(
    ("name", "change", "path"),
    [
        ("MedicationRequest/dasatinib", {"medication": {"concept": {}}}, "entry[10].resource.medication"),
        (
            "Claim/blinatumomab",
            {"resourceType": "ServiceRequest", "code": {"concept": {}}},
            "entry[0].resource.code.concept",
        ),
        ("Claim/blinatumomab", {"resourceType": "DeviceRequest", "code": {}}, "entry[0].resource.code"),
        ("Claim/blinatumomab", {"patient": {}}, "entry[0].resource.patient"),
        ("Claim/blinatumomab", {"item": []}, "entry[0].resource.item.productOrService"),
        ("Claim/blinatumomab", {"status": "cancelled"}, "entry"),
        ("Claim/blinatumomab", {"use": "claim"}, "entry"),
    ],
)
def test_what_does_not_say_for_whom_or_what(records: Records, record: Json, name: str, change: Json, path: str) -> None:
    one(record, name).update(change)
    with pytest.raises(InvalidResource) as caught:
        records.read(record)
    assert caught.value.path == f"Bundle.{path}"


def test_a_date_of_service_is_a_whole_day(records: Records, record: Json) -> None:
    item = one(record, "Claim/blinatumomab")["item"][0]
    item["servicedDate"] = "2025-06"
    with pytest.raises(InvalidResource, match=r"servicedDate must be a whole day"):
        records.read(record)
    del item["servicedDate"]
    with pytest.raises(InvalidResource, match="names no date of service"):
        records.read(record)
    item["servicedDate"] = "1899-12-31"
    with pytest.raises(InvalidResource, match=r"servicedDate must be a day of the years 1900 to 2199"):
        records.read(record)
    del item["servicedDate"]
    item["servicedPeriod"] = {"start": "2025-06-01", "end": "2025-08-01"}
    assert facts(records.read(record)) == FACTS
    assert facts(records.read(record, date_of_service="2025-05-13")).get("disease_status") is None


def test_a_document_that_is_not_held(records: Records, record: Json) -> None:
    with pytest.raises(InvalidValue, match="no document held here"):
        records.read(record, document="XY-1")


def test_a_bundle_is_read_from_text_and_from_nothing_else(record: Json) -> None:
    held: Any
    for held in (RECORD, record):
        with pytest.raises(InvalidResource, match=r"^Bundle must be text or bytes, as Path.read_bytes\(\) gives them$"):
            read_bundle(held)


def test_two_claims_are_one_too_many(records: Records, record: Json) -> None:
    other = copy.deepcopy(record["entry"][0])
    other["resource"]["id"], other["fullUrl"] = "second", "http://hospital.example/fhir/Claim/second"
    record["entry"].append(other)
    with pytest.raises(InvalidResource, match="second claim"):
        records.read(record)


def test_an_order_stands_for_a_claim(records: Records, record: Json) -> None:
    codes = one(record, "Claim/blinatumomab")["item"][0]["productOrService"]
    record["entry"][0]["resource"] = {
        "resourceType": "ServiceRequest",
        "id": "order",
        "status": "draft",
        "intent": "order",
        "code": codes,
        "subject": {"reference": "Patient/child"},
        "occurrenceDateTime": "2025-06-01T09:00:00+02:00",
    }
    reading = records.read(record)
    assert facts(reading) == FACTS
    assert reading.order["resourceType"] == "ServiceRequest"


def test_what_cannot_be_used_is_skipped_and_said(records: Records, record: Json) -> None:
    deep: Any = "C91.02"
    for _ in range(5000):
        deep = {"extension": [deep]}
    same = copy.deepcopy(record["entry"][5])
    other = copy.deepcopy(record["entry"][6])
    other["resource"]["code"] = concept("http://hl7.org/fhir/sid/icd-10-cm", "C91.01")
    record["entry"] += [same, other, {"resource": {"resourceType": "Basic", "x": deep}}, {}, None]
    reading = records.read(record)
    assert [(each.path, each.reason) for each in reading.skipped] == [
        ("Bundle.entry[13].resource", "is nested too deeply"),
        ("Bundle.entry[14]", "has no resource"),
        ("Bundle.entry[15]", "has no resource"),
        ("Bundle.entry[11].resource", "is a repeat"),
        ("Bundle.entry[6].resource", "has the id of another resource"),
        ("Bundle.entry[12].resource", "has the id of another resource"),
        ("Bundle.entry[0].resource.diagnosis.diagnosisReference", "refers to what is not in the bundle"),
    ]
    assert "disease_status" not in facts(reading)


def test_ten_megabytes(records: Records, record: Json) -> None:
    filler = [
        {
            "fullUrl": f"http://hospital.example/fhir/Observation/{number}",
            "resource": {"resourceType": "Observation", "id": str(number), "valueString": "x" * 10_000},
        }
        for number in range(1000)
    ]
    text = json.dumps(record | {"entry": record["entry"] + filler})
    assert len(text) > 10_000_000
    assert facts(records.read(read_bundle(text))) == FACTS
    with pytest.raises(InvalidResource):
        read_bundle("[" * 100_000)


def repeat(_: int) -> Json:
    return {"resourceType": "Basic", "id": "b"}


def measurement(number: int) -> Json:
    made: Json = blood(quantity(9, "g/dL") | {"id": str(number)})["entry"][1]["resource"]
    return made


@pytest.mark.parametrize(("made", "many"), [(repeat, 10_000), (measurement, 2_000)])
def test_much_takes_no_more_time_than_it_is_more(records: Records, made: Callable[[int], Json], many: int) -> None:
    """Four times as much about four times as long, and not sixteen times."""

    def seconds(number: int) -> float:
        patient = {"resourceType": "Patient", "id": "p"}
        bundle = {
            "resourceType": "Bundle",
            "entry": [{"resource": each} for each in (patient, *map(made, range(number)))],
        }
        started = time.process_time()
        anemia(records, bundle)
        return time.process_time() - started

    seconds(many)  # what is made once
    assert seconds(4 * many) < 8 * seconds(many)


def test_nothing_of_the_patient_is_in_an_error_or_a_repr(
    records: Records, record: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reading = records.read(record)
    shown = [repr(reading), *map(repr, reading.evidence), *map(repr, reading.skipped)]
    for name in ("Claim/blinatumomab", "Condition/relapse", "Patient/child"):
        for key in one(record, name):
            broken = copy.deepcopy(record)
            one(broken, name)[key] = "Canarybird"
            try:
                shown.append(repr(records.read(broken)))
            except InvalidValue as error:
                shown += [str(error), repr(error)]
            file = tmp_path / "record.json"
            file.write_text(json.dumps(broken), encoding="utf-8")
            main(["request", str(file)])
            shown.append(capsys.readouterr().err)
    for text in shown:
        for value in ("Canarybird", "Tweety", "2019-03-02", "C91.02", "relapsed", "dasatinib"):
            assert value not in text


# Any part of the record replaced by anything.
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["refuted", "2025"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, item in items:
        yield (*path, name)
        yield from places(item, (*path, name))


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # a busy machine is no fault
)
@given(data=st.data())
def test_a_mutilated_record_is_read_or_refused(policy: EmbeddedPolicy, records: Records, data: st.DataObject) -> None:
    record = read_bundle(data.draw(st.sampled_from(SENT)).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(list(places(record))))
        node = record
        for step in way:
            node = node[step]
        if data.draw(st.booleans()):
            node[last] = data.draw(anything)
        else:
            del node[last]
    try:
        named = data.draw(st.booleans())
        document, day = ("CC-0126", "2025-06-01") if named else (None, None)
        reading = records.read(record, document=document, date_of_service=day)
    except InvalidResource:  # any other error is one of the reader
        return
    assert policy.decide(reading.request).outcome is not Outcome.INVALID_REQUEST
    for each in reading.evidence:
        if each.standing == "established":
            assert each.value == facts(reading)[each.fact]


# Of the mappings


def versions(policy: EmbeddedPolicy) -> Iterator[tuple[str, str]]:
    documents = Documents(policy)
    for document in documents:
        for entry in policy.catalogue()["documents"]:
            if entry["document"] == document:
                yield from ((document, held["version"]) for held in entry["versions"])


@pytest.fixture(scope="module")
def shared(policy: EmbeddedPolicy) -> Vocabulary:
    return Vocabulary(Documents(policy))


def test_each_version_says_what_establishes_its_facts(policy: EmbeddedPolicy, shared: Vocabulary) -> None:
    """What tools/check cannot ask: the FHIRPath of the rules is FHIRPath, and is of something."""
    held = list(versions(policy))
    assert len(held) == 4
    for document, version in held:
        rules = shared.rules(document, version)
        assert set(rules) == set(Documents(policy).facts(document, version))
        for rule in (rule for found in rules.values() for rule in found):
            for expression in (rule.where, rule.read, *(codes.fhirpath("") for _, codes in rule.means)):
                fhirpath(expression)({"resourceType": rule.resource}, {"patient": {}, "age": []})
            assert rule is shared.rules(document, version)[rule.fact][rules[rule.fact].index(rule)]  # made once


def test_a_component_is_one_in_python_as_in_fhirpath(shared: Vocabulary, record: Json) -> None:
    rule, *_ = shared.rules("CC-0126", "2025-04-01")["kmt2a_rearranged"]
    observation = one(record, "Observation/kmt2a")
    gene, change = observation["component"]
    for components, expected in (([gene, change], True), ([change, gene], True), ([gene], False), ([], False)):
        held = {**observation, "component": components}
        assert rule.has_components(held) is expected
        assert fhirpath(rule.where)(held) == [expected]
    for broken in (None, "gene", [None], [[gene, change]]):
        assert not rule.has_components({**observation, "component": broken})


@pytest.mark.parametrize("code", ["C91.0", "C91.02", "C91", "C83.3", "718-7", "", None])
def test_a_code_is_one_in_python_as_in_fhirpath(shared: Vocabulary, code: object) -> None:
    for held in ({"icd10cm": ["C91.0*"]}, {"icd10cm": ["C91.02"], "loinc": ["718-7"]}, {"hcpcs": ["C91"]}):
        codes = shared.codes(held)
        for urls in (*shared.systems.values(), ("http://example.org",)):
            for url in urls:
                given = {"coding": [{"system": url, "code": code}, {"system": url}]}
                assert codes.has(given) is (fhirpath(codes.fhirpath(""))(given) == [True])
                assert not codes.has(given) or codes.may_be_among(frozenset([str(code)]))
    assert not codes.has({"coding": "C91"})
    assert not codes.has({"coding": ["C91"]})


def test_a_resource_stands_by_the_elements_that_are_named(shared: Vocabulary) -> None:
    assert sum(map(len, shared.stands.values())) == 11
    for tests in shared.stands.values():
        for test in tests:
            read = set(re.findall(r"(?<![.\w'-])([a-zA-Z]\w*)(?=\.| =)", test.where)) - {"code"}
            assert test.element in read
            assert read <= {other.element for other in tests}  # all that is asked of it


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fhir": None}, "catalogue.fhir is not"),
        ({"fhir": {"systems": {}, "resources": {"Claim": {}}, "units": {}}}, "catalogue.fhir is not"),
        ({"fhir": {"systems": {}, "resources": {}, "units": {}}}, "catalogue.documents.versions.record is not"),
    ],
)
def test_a_policy_that_does_not_say_how_fhir_is_read(
    policy: EmbeddedPolicy, monkeypatch: pytest.MonkeyPatch, record: Json, change: Json, message: str
) -> None:
    held = policy.catalogue()
    monkeypatch.setattr(policy, "catalogue", lambda document=None: {**held, **change})
    with pytest.raises(ProtocolError, match=message):
        Records(policy).read(record, document="CC-0126", date_of_service="2025-06-01")


# What a form says


def response(policy: EmbeddedPolicy, document: str, answers: dict[str, list[Json]], **more: Any) -> Json:  # noqa: ANN401
    form = questionnaire(policy, document, base="https://payer.example/fhir")
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "form",
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "completed",
        "subject": {"reference": "Patient/child"},
        "authored": "2025-05-30",
        "item": [{"linkId": name, "answer": given} for name, given in answers.items()],
        **more,
    }


def test_an_answer_completes_the_record(policy: EmbeddedPolicy, records: Records, record: Json) -> None:
    origin = {
        "url": "http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/information-origin",
        "extension": [{"url": "source", "valueCode": "manual"}],
    }
    form = response(
        policy,
        "CC-0126",
        {
            "cd19_positive": [{"extension": [origin], "valueBoolean": True}],
            "combined_with": [{"valueCoding": {"code": "none"}}],
        },
    )
    record["entry"].append({"resource": form})
    reading = records.read(record)
    assert facts(reading) == FACTS | {"cd19_positive": True, "combined_with": []}
    assert reasons(reading, "cd19_positive") == ["manual"]
    assert policy.decide(reading.request).outcome is Outcome.APPROVED
    form["item"].append({"linkId": "lineage", "answer": [{"valueCoding": {"code": "t_cell"}}]})
    assert "lineage" not in facts(records.read(record))  # the record says otherwise
    form["item"].append({"linkId": "cd19", "answer": [{"valueBoolean": True}]})
    assert [(each.path, each.reason) for each in records.read(record).skipped] == [
        (f"Bundle.entry[{len(record['entry']) - 1}].resource.item[3]", "answers no question of the form")
    ]


@pytest.mark.parametrize(
    ("name", "given", "more"),
    [
        ("cd19_positive", [{"valueString": "true"}], {}),
        ("cd19_positive", [{"valueBoolean": True}, {"valueBoolean": True}], {}),
        ("lineage", [{"valueCoding": {"code": "b"}}], {}),
        ("lineage", [{"valueCoding": {"code": "t_cell"}}, {"valueCoding": {"code": "other"}}], {}),
        ("combined_with", [{"valueCoding": {"code": "none"}}, {"valueCoding": {"code": "other"}}], {}),
        ("combined_with", [{"valueCoding": {"code": "other"}}] * 2, {}),
        ("combined_with", [{"valueCoding": {"code": "other"}}], {"status": "in-progress"}),
        ("lineage", [{"valueCoding": {"system": "http://example.org", "code": "t_cell"}}], {}),
        ("mrd_percent", [{"valueDecimal": 101}], {}),
        ("mrd_percent", [{"valueDecimal": 0.1 + 0.2}], {}),
        ("mrd_percent", [{"valueDecimal": float("nan")}], {}),
        ("complete_response", [{"valueInteger": 1.5}], {}),
        ("cd19_positive", [{"valueBoolean": True}], {"status": "entered-in-error"}),
        ("cd19_positive", [{"valueBoolean": True}], {"authored": "2025-06-02"}),
    ],
)
def test_an_answer_that_is_none(
    policy: EmbeddedPolicy, records: Records, name: str, given: list[Json], more: Json
) -> None:
    reading = records.facts_from_response(
        response(policy, "CC-0126", {name: given}, **more), date_of_service="2025-06-01"
    )
    assert facts(reading) == {}
    assert [each.standing for each in reading.evidence] == ["set aside"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"resourceType": "Bundle"}, ""),
        ({"questionnaire": "https://payer.example/fhir/Questionnaire/XY-1|2025-04-01"}, ".questionnaire"),
        ({"questionnaire": None}, ".questionnaire"),
        ({"questionnaire": "https://payer.example/fhir/Questionnaire/CC-0126"}, ".questionnaire"),
        ({"questionnaire": "https://payer.example/fhir/Questionnaire/CC-0126|2024-01-01"}, ".questionnaire"),
        ({"subject": None}, ".subject"),
        ({"subject": {"reference": "#child"}}, ".subject"),
        (
            {"contained": [{"resourceType": "Procedure", "occurrenceDateTime": "2025"}]},
            ".contained[0].occurrenceDateTime",
        ),
    ],
)
def test_a_response_that_is_none(policy: EmbeddedPolicy, records: Records, change: Json, path: str) -> None:
    with pytest.raises(InvalidResource) as caught:
        records.facts_from_response(response(policy, "CC-0126", {}) | change, date_of_service="2025-06-01")
    assert caught.value.path == f"QuestionnaireResponse{path}"


def test_a_response_is_read_by_its_own_places(policy: EmbeddedPolicy, records: Records) -> None:
    answers: dict[str, list[Json]] = {"cd19_positive": [{"valueBoolean": True}], "cd19": [{"valueBoolean": True}]}
    reading = records.facts_from_response(response(policy, "CC-0126", answers), date_of_service="2025-06-01")
    assert [each.path for each in reading.evidence] == ["QuestionnaireResponse.item[0].answer"]
    assert [each.path for each in reading.skipped] == ["QuestionnaireResponse.item[1]"]
    assert reading.order == {}  # the response is no order
    with pytest.raises(InvalidResource, match=r"^QuestionnaireResponse\.questionnaire .* and none is held$"):
        records.facts_from_response(response(policy, "CC-0126", answers), date_of_service="2024-01-01")


# By the type of a fact, what an answer to it may be: in JSON all, and none of it in the contract.
ODD: dict[str, tuple[str, list[Any]]] = {
    "boolean": ("valueBoolean", [1, "true"]),
    "integer": ("valueInteger", [1.5, 10**400, float("inf"), float("nan"), True]),
    "number": ("valueDecimal", [0.1 + 0.2, 1e-301, 5e-324, 10**400, float("inf"), float("nan"), True]),
    "date": ("valueDate", ["2025-02-30", "1899-12-31", "2200-01-01", "2025-06", "2025-W01-1", 20250601]),
    "string": ("valueCoding", [{"code": ["other"]}, {"code": None}, {}]),
    "array": ("valueCoding", [{"code": {"a": 1}}, {}]),
}


@pytest.mark.parametrize("document", ["CC-0126", "NCD-110.21", "NCD-240.4"])
def test_any_answer_makes_a_request_that_can_be_decided(
    policy: EmbeddedPolicy, records: Records, document: str
) -> None:
    form, held = response(policy, document, {}), Documents(policy)
    for name, fact in held.facts(document, held.in_force(document, "2025-06-01")).items():
        kind, values = ODD[fact["type"]]
        for value in values:
            form["item"] = [{"linkId": name, "answer": [{kind: value}]}]
            reading = records.facts_from_response(form, date_of_service="2025-06-01")
            assert facts(reading) == {}
            assert reasons(reading, name) == ["is no answer to the question"]


# The command


def test_the_command(
    policy: EmbeddedPolicy, records: Records, record: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["request", str(RECORD), "--evidence"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == records.read(record).request.to_dict()
    assert "Bundle.entry[6].resource.code" in shown.err
    assert main(["decide", "--json", str(RECORD)]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["request"] == records.read(record).request.to_dict()  # and nothing else of the record
    assert main(["questionnaire", "CC-0126"]) == 0
    form = json.loads(capsys.readouterr().out)
    assert form == questionnaire(policy, "CC-0126", base="urn:payer-policy")
    file = tmp_path / "response.json"
    answered: Json = {"infant": [{"valueBoolean": True}], "disease": [{"valueCoding": {"code": "Smith"}}]}
    file.write_text(json.dumps(response(policy, "CC-0126", answered)), encoding="utf-8")
    assert main(["answer", str(file), "--date", "2025-06-01"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["facts"] == {"infant": True}
    assert shown.err == "payer-policy: QuestionnaireResponse.item[1].answer is no answer to the question\n"
    file.write_text(file.read_text(encoding="utf-8").replace("|2025-04-01", "|2024-01-01"), encoding="utf-8")
    assert main(["answer", str(file), "--date", "2025-06-01"]) == 2
    assert capsys.readouterr() == (
        "",
        "payer-policy: QuestionnaireResponse.questionnaire is not the form of the version of CC-0126 in force on the "
        "date of service, which is 2025-04-01\n",
    )
    assert main(["request", str(file)]) == 2
    assert main(["request", str(tmp_path / "absent.json")]) == 2
    file.write_text("[]", encoding="utf-8")
    assert main(["answer", str(file), "--date", "2025-06-01"]) == 2
    file.write_text(json.dumps(record | {"entry": []}), encoding="utf-8")
    assert main(["decide", str(file)]) == 2
    assert "Bundle.entry has no active Claim" in capsys.readouterr().err


@pytest.mark.parametrize("file", sorted(DAVINCI.glob("*.json")), ids=lambda file: file.stem)
def test_records_of_others(records: Records, file: Path) -> None:
    """Of the reference implementation of Da Vinci: they hold nothing of our documents, and nothing is made of them."""
    held = read_bundle(file.read_bytes())
    if held["resourceType"] != "Bundle":
        with pytest.raises(InvalidResource):
            records.read(held, document="CC-0126", date_of_service="2025-06-01")
        return
    assert facts(records.read(held, document="CC-0126", date_of_service="2025-06-01")) == {}
