"""The modules of facts of every document and version that the policy holds; the words and quantities of a sender."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any, get_args, get_type_hints

import pytest
from payer_policy import EmbeddedPolicy, InvalidValue, Quantity, Request, ncd110_21
from payer_policy.cc0126 import Facts
from payer_policy.runtime.documents import module_name
from payer_policy.runtime.facts import _UNITS, Bound, FactsBase
from payer_policy.runtime.vocabulary import slip_of

with EmbeddedPolicy() as _policy:
    _held = _policy.catalogue()
CATALOGUE, FHIR = _held["documents"], _held["fhir"]
HELD = [(entry["document"], held) for entry in CATALOGUE for held in entry["versions"]]
BOUNDS = set(get_args(Bound))


def class_of(document: str, held: dict[str, Any]) -> type[FactsBase]:
    """By its name when the version has one of its own, else that of the next version that has one."""
    module = import_module(f"payer_policy.{module_name(document)}")
    own: type[FactsBase] = getattr(module, f"Facts{held['version'].replace('-', '_')}", module.Facts)
    return own


@pytest.mark.parametrize(
    ("document", "held"), HELD, ids=lambda each: each if isinstance(each, str) else each["version"]
)
def test_facts_are_those_of_the_catalogue(document: str, held: dict[str, Any]) -> None:
    known = {fact["name"]: fact for fact in held["facts"]}
    kind = class_of(document, held)
    assert [field.name for field in fields(kind)] == list(known)
    hints = get_type_hints(kind)
    for name, fact in known.items():
        options = set(get_args(hints[name])) - {type(None)}
        if "minimum" in fact:
            assert options == {{"integer": int, "number": float}[fact["type"]], *BOUNDS}
            continue
        [option] = options
        if fact["type"] == "array":
            [option] = get_args(option)
        if "values" in fact:
            assert set(get_args(option)) == set(fact["values"])
        else:
            assert option is {"boolean": bool, "date": date}[fact["type"]]


@pytest.mark.parametrize(
    ("document", "held"), HELD, ids=lambda each: each if isinstance(each, str) else each["version"]
)
def test_every_value_and_synonym_is_understood_in_any_case(document: str, held: dict[str, Any]) -> None:
    kind = class_of(document, held)
    for fact in held["facts"]:
        words = {value: value for value in fact.get("values", ())} | fact.get("synonyms", {})
        for word, value in words.items():
            for said in (word, word.upper(), word.replace("_", " ").title()):
                given: Any = [said] if fact["type"] == "array" else said
                meant: Any = (value,) if fact["type"] == "array" else value
                assert getattr(kind.of(**{fact["name"]: given}), fact["name"]) == meant


# What is near a value, and means something else.
OTHERS = [
    ("lineage", "B cell"),
    ("lineage", "NK cell"),
    ("disease", "AML"),
    ("disease", "CLL"),
    ("disease", "DLBL"),
    ("disease_status", "unrelapsed"),
    ("combined_with", "asciminib"),
    ("combined_with", "afatinib"),
    ("combined_with", "axitinib"),
    ("combined_with", "amatinib"),
    ("combined_with", "Glevec"),
    ("combined_with", "Imkeldy"),
    ("alternating_with", "prednisolone"),
    ("alternating_with", "vinblastine"),
    ("alternating_with", "mercaptopurine riboside"),
]


@pytest.mark.parametrize(("fact", "word"), OTHERS)
def test_no_other_thing_is_ever_suggested(fact: str, word: str) -> None:
    with pytest.raises(InvalidValue, match=rf"facts\.{fact}") as raised:
        Facts.of(**{fact: [word] if fact.endswith("_with") else word})
    assert "nearest" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "facts"), [("cd20_positive", Facts), ("kmt2b_rearranged", Facts), ("Epogin", ncd110_21.Facts)]
)
def test_no_other_fact_or_brand_is_ever_suggested(name: str, facts: type[FactsBase]) -> None:
    with pytest.raises(InvalidValue, match="must be one of") as raised:
        facts.of(**({"drug": name} if facts is ncd110_21.Facts else {name: True}))
    assert "nearest" not in str(raised.value)


def test_no_value_of_a_fact_is_a_slip_of_another() -> None:
    for _, held in HELD:
        for fact in held["facts"]:
            for value in fact.get("values", ()):
                assert slip_of(value, set(fact["values"]) - {value}) is None


@pytest.mark.parametrize(
    ("word", "slip"),
    [
        ("Vincristin", "vincristine"),
        ("vincrystine", "vincristine"),
        ("vicnristine", "vincristine"),
        ("vincrisstine", "vincristine"),
        ("vincristinee", "vincristine"),
        ("B-cell precusor", "b_cell_precursor"),
        ("T-cell precursor", None),
        ("wincristine", None),
        ("vincristne x", None),
        ("t_cel", None),
        ("erythrod cancer", "erythroid_cancer"),
        ("erythrod cancr", None),
        ("", None),
    ],
)
def test_a_slip_is_one_letter_of_a_long_word(word: str, slip: str | None) -> None:
    assert slip_of(word, ["vincristine", "b_cell_precursor", "t_cell", "erythroid_cancer"]) == slip


def test_two_names_as_near_are_none() -> None:
    assert slip_of("stagex", ["stagey", "stagez"]) is None


@pytest.mark.parametrize(("unit", "other"), [(unit, other) for unit, others in _UNITS.items() for other in others])
def test_a_unit_of_senders_is_that_of_records(unit: str, other: str) -> None:
    """Words here, UCUM in policy/engine/fhir.rego: where both name one, it is as many of the fact's."""
    assert Quantity(1, other).into(unit, "") == FHIR["units"][unit]["of"][{"fraction": "1"}.get(other, other)]


@pytest.mark.parametrize(
    ("value", "unit", "number"),
    [
        (94, "g/L", 9.4),
        (Decimal("9.4"), "g/dl", 9.4),
        ({"less_than": 100}, "G/L", {"less_than": 10.0}),
        (0.1, "g/L", 0.01),
    ],
)
def test_a_quantity_comes_in_the_unit_of_its_fact(value: Any, unit: str, number: Any) -> None:  # noqa: ANN401
    assert ncd110_21.Facts.of(hemoglobin=Quantity(value, unit)).hemoglobin == number


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"hemoglobin": Quantity(94, "mmol/L")}, "unit of facts.hemoglobin must be one of g/dL, g/L"),
        ({"hemoglobin": Quantity(94, None)}, "unit of facts.hemoglobin"),  # type: ignore[arg-type]
        ({"weekly_dose": Quantity(94, "U")}, "facts.weekly_dose has no unit"),
        ({"hematocrit": Quantity("30", "percent")}, "facts.hematocrit must be a number"),  # type: ignore[arg-type]
        ({"hematocrit": Quantity(True, "percent")}, "facts.hematocrit must be a number"),
        ({"hematocrit": Quantity(float("nan"), "percent")}, "facts.hematocrit must be a finite number"),
        ({"hematocrit": Quantity(Decimal("1e999999"), "fraction")}, "facts.hematocrit must be a finite number"),
        ({"hematocrit": Quantity(10**5000, "fraction")}, "facts.hematocrit must be a finite number"),
        ({"hematocrit": Quantity({"below": 3}, "percent")}, "facts.hematocrit must be a number, or a bound"),  # type: ignore[arg-type]
        ({"hematocrit": Quantity({}, "percent")}, "facts.hematocrit must be a number, or a bound"),  # type: ignore[arg-type]
    ],
)
def test_a_quantity_of_no_sense_is_refused(known: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        ncd110_21.Facts.of(**known)


def test_nothing_shows_a_fact() -> None:
    quantity = Quantity(94, "g/L")
    assert repr(quantity) == "Quantity(…)"
    assert repr(ncd110_21.Facts(hemoglobin=9.4)) == "Facts(…)"


def test_a_bound_settles_what_every_number_within_it_settles(policy: EmbeddedPolicy) -> None:
    facts: dict[str, Any] = {"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": True}
    rest: dict[str, Any] = {"complete_response": 1, "treatment_phase": "maintenance", "disease_status": "remission"}
    states = {}
    bounds: list[Bound] = [{"less_than": 0.01}, {"at_least": 0.1}, {"less_than": 1}]
    for bound in bounds:
        known = Facts(**facts, **rest, mrd_percent=bound)
        decision = policy.decide(Request("CC-0126", "2025-06-01", known))
        assert decision.criteria
        [clause] = [node for node in decision.criteria.pathways[0].parts[1].parts if node.id == "II.C"]
        states[json.dumps(bound)] = clause.state.value
        assert clause.parts[0].value == bound
    assert list(states.values()) == ["not_met", "met", "unknown"]


def test_a_date_is_a_date_and_no_moment(policy: EmbeddedPolicy) -> None:
    day = date(2020, 3, 1)
    for given in (day, "2020-03-01"):
        facts = ncd110_21.Facts.of(final_chemotherapy_date=given)
        decision = policy.decide(Request("NCD-110.21", date(2020, 4, 26), facts))
        assert decision.criteria
        [clause] = [node for node in decision.criteria.pathways[0].parts if node.id == "5"]
        assert [(part.value, part.state) for part in clause.parts if part.fact == "final_chemotherapy_date"] == [
            ("2020-03-01", "met")
        ]
    moment = Request("NCD-110.21", day, ncd110_21.Facts(final_chemotherapy_date=datetime(2020, 3, 1, 12)))
    with pytest.raises(InvalidValue, match=r"facts\.final_chemotherapy_date"):
        moment.to_dict()


@pytest.mark.parametrize(
    ("document", "name"),
    [("CC-0126", "cc0126"), ("NCD-240.4", "ncd240_4"), ("NCD-110.21", "ncd110_21"), ("a.b.C-d", "a_b_cd")],
)
def test_the_name_of_a_module(document: str, name: str) -> None:
    assert module_name(document) == name


@pytest.mark.parametrize("document", ["240.4", "", "a b", "a/b", "../x", "class", "é", "CC-0126\n", "CC_0126"])
def test_a_document_that_makes_no_name_is_refused(document: str) -> None:
    with pytest.raises(InvalidValue, match="makes no name"):
        module_name(document)
