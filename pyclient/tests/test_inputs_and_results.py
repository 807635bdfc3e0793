"""The words of senders on the way in; review codes and letters on the way out."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from payer_policy import EmbeddedPolicy, InvalidRequest, InvalidValue, Outcome, Request, ReviewAction
from payer_policy.cc0126 import Facts, mrd
from payer_policy.letter import letter
from payer_policy.runtime.request import written


@pytest.mark.parametrize(
    ("value", "unit", "percent"),
    [
        (0.001, "fraction", 0.1),
        (0.0007, "fraction", 0.07),
        (0.1, "percent", 0.1),
        (1, "fraction", 100),
        (0, "percent", 0),
        (Decimal("0.00029"), "fraction", 0.029),
        (1e-6, "fraction", 0.0001),
    ],
)
def test_mrd_is_exact_in_decimals(value: Any, unit: Any, percent: float) -> None:  # noqa: ANN401
    assert mrd(value, unit) == percent


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        *((0.1, "%"), ("0.1", "percent"), (True, "percent")),
        *((1.1, "fraction"), (-1, "percent"), (float("nan"), "percent")),
        *((Decimal("0.000999999999999999999"), "fraction"), (1 / 3, "percent")),
    ],
)
def test_mrd_of_no_sense_is_refused(value: Any, unit: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidValue, match="mrd"):
        mrd(value, unit)


def test_facts_in_the_words_of_a_sender() -> None:
    assert Facts.of(
        disease="ALL",
        Lineage="B-cell precursor",
        disease_status="Newly Diagnosed",
        cd19_positive=True,
        complete_response=None,
        mrd_percent=mrd(0.002, "fraction"),
        combined_with=["Gleevec", "DASATINIB"],
        alternating_with={"6-mp"},
    ) == Facts(
        disease="all",
        lineage="b_cell_precursor",
        disease_status="newly_diagnosed",
        cd19_positive=True,
        mrd_percent=0.2,
        combined_with=("imatinib", "dasatinib"),
        alternating_with=("mercaptopurine",),
    )


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"disease_status": "relapsd"}, r"facts\.disease_status must be one of .*; the nearest is relapsed$"),
        ({"combined_with": ["other", "imatinb"]}, r"facts\.combined_with\[1\] must be .*; the nearest is imatinib$"),
        ({"combined_with": "imatinib"}, r"facts\.combined_with must be a list"),
        ({"combined_with": ["Oncovin"]}, r"facts\.combined_with\[0\]"),
        ({"disease": 1}, r"facts\.disease must be one of all, dlbcl, other$"),
        ({"Disease": "dlbcl", "disease": "all"}, r"a fact is named twice"),
        ({"diseese": "all"}, r"the name of a fact must be .*; the nearest is disease$"),
    ],
)
def test_an_unknown_word_is_refused_with_the_nearest(facts: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        Facts.of(**facts)


def test_an_unknown_word_is_not_repeated() -> None:
    with pytest.raises(InvalidValue) as raised:
        Facts.of(disease="canary-7c1")
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (Decimal("0.10"), "0.1"),
        (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        (Decimal("1E-1"), "0.1"),
        (np.float64("0.1"), "0.1"),
        (np.longdouble("0.1"), "0.1"),
        (np.int64(10), "10"),
        (np.uint8(255), "255"),
        (np.bool_(True), "true"),
        (np.bool_(False), "false"),
        (np.str_("imatinib"), '"imatinib"'),
        (np.array(["imatinib", "other"]), '["imatinib","other"]'),
        (np.array(["imatinib"], dtype=object), '["imatinib"]'),
        (np.array([0.1]), "[0.1]"),
        (pd.Series([True]).iloc[0], "true"),
        (UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
    ],
)
def test_a_value_of_a_database_or_a_data_frame_is_taken_exactly(given: object, sent: str) -> None:
    text = written({"fact": given}).text
    json.loads(text)
    assert text.replace(" ", "") == f'{{"fact":{sent}}}'


MEASURED = r"which is not the number that was measured: write float\(\) of it, rounded to the digits that were"
TOLIST = r"which JSON cannot hold: write \.tolist\(\) of it"


@pytest.mark.parametrize(
    ("given", "instead"),
    [
        (pd.NA, "is a NAType, which says nothing: write None when it is not known"),
        (pd.NaT, "is a NaTType, which says nothing: write None when it is not known"),
        (float("nan"), "must be a finite number, or None when it is not known"),
        (np.float64("nan"), "must be a finite number, or None when it is not known"),
        (np.longdouble("nan"), "must be a finite number, or None when it is not known"),
        (10**400, "is a number too long, too large or too small"),
        (Decimal("nan"), "must be a finite number, or None when it is not known"),
        (
            datetime(2025, 6, 1, tzinfo=timezone.utc),
            "is a datetime, whose day .* write a date, as .date\\(\\) gives it",
        ),
        (pd.Timestamp("2025-06-01"), "is a Timestamp, whose day .* write a date, as .date\\(\\) gives it"),
        (np.datetime64("2025-06-01"), "is a datetime64, whose day .*item\\(\\) gives it"),
        (np.timedelta64(3, "D"), "is a timedelta64, which JSON cannot hold"),
        (np.complex64(1), "is a complex64, which JSON cannot hold"),
        (np.float16("0.1"), f"is a float16, {MEASURED}"),  # it is 0.0999755859375, and the limit 0.1
        (np.float32("0.1"), f"is a float32, {MEASURED}"),
        (np.float32(1), f"is a float32, {MEASURED}"),
        (pd.Series([0.1], dtype="float32").iloc[0], f"is a float32, {MEASURED}"),
        (Fraction(1, 3), f"is a Fraction, {MEASURED}"),
        (np.array(7), f"is a ndarray, {TOLIST}"),
        (pd.Categorical(["other"]), f"is a Categorical, {TOLIST}"),
        (pd.Index(["other"]), f"is a Index, {TOLIST}"),
        (pd.array(["other"], dtype="string"), rf"is a \w*StringArray, {TOLIST}"),
        (pd.array([1, 2], dtype="Int64"), f"is a IntegerArray, {TOLIST}"),
        (pd.Period("2025-06"), "is a Period, which may be more than a day: write a date"),
        ((item for item in ["other"]), r"is a generator, which JSON cannot hold: write list\(\) of it"),
        ({"other": 1}.keys(), r"is a dict_keys, which JSON cannot hold: write list\(\) of it"),
        (object(), "is a object, which JSON cannot hold"),
        (pd.Series(["other"]), "is a Series, .* write .tolist\\(\\) .*"),
        (b"other", "is a bytes, which JSON cannot hold: write the text, decoded"),
        (memoryview(b"other"), "is a memoryview, which JSON cannot hold: write the text, decoded"),
    ],
)
def test_a_value_of_more_than_one_meaning_is_refused_with_what_to_write(given: object, instead: str) -> None:
    with pytest.raises(InvalidValue, match=f"^facts.fact {instead}$"):
        written({"facts": {"fact": given}})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (round(float(np.float16("0.1")), 3), "0.1"),
        (round(float(np.float32("0.1")), 6), "0.1"),
        (np.array(7).tolist(), "7"),
        (pd.Categorical(["other"]).tolist(), '["other"]'),
        (pd.Index(["other"]).tolist(), '["other"]'),
        (pd.array(["other"], dtype="string").tolist(), '["other"]'),
        (pd.array([1], dtype="Int64").tolist(), "[1]"),
        (list({"other": 1}.keys()), '["other"]'),
    ],
)
def test_what_is_to_be_written_instead_is_taken(given: object, sent: str) -> None:
    assert written({"fact": given}).text == f'{{"fact": {sent}}}'


def test_an_array_names_its_item_of_too_few_digits() -> None:
    with pytest.raises(InvalidValue, match=f"^facts.fact\\[0\\] is a float32, {MEASURED}$"):
        written({"facts": {"fact": np.array([0.1], dtype="float32")}})


def test_a_request_of_a_data_frame_is_decided() -> None:
    row = pd.DataFrame(
        {"cd19_positive": [True], "mrd_percent": [0.1], "disease": ["all"], "combined_with": [np.array(["imatinib"])]}
    ).iloc[0]
    name = UUID(int=5)
    with EmbeddedPolicy() as policy:
        decision = policy.decide(Request("CC-0126", date(2025, 6, 1), row.to_dict(), request_id=name))
    assert decision.request_id == str(name)


DIAGNOSIS: dict[str, Any] = {"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": True}
INTERFANT: dict[str, Any] = {"disease": "all", "infant": True, "kmt2a_rearranged": True, "combined_with": ["interfant"]}


@pytest.mark.parametrize(
    ("day", "facts", "outcome", "action"),
    [
        ("2025-06-01", {**DIAGNOSIS, "disease_status": "relapsed"}, "approved", "A1"),
        ("2025-06-01", {**INTERFANT, "cd19_positive": False}, "approved", "A4"),
        ("2025-06-01", {}, "needs_information", "A4"),
        ("2025-06-01", {"disease": "dlbcl"}, "not_approved", "A4"),
        ("2024-06-01", {}, "no_policy_in_force", "A4"),
    ],
)
def test_review_action(day: str, facts: dict[str, Any], outcome: str, action: str) -> None:
    with EmbeddedPolicy() as policy:
        decision = policy.decide(Request("CC-0126", day, facts))
    assert (decision.outcome, decision.review_action) == (outcome, action)
    assert "A3" not in set(ReviewAction)


def test_an_invalid_request_has_no_review() -> None:
    with EmbeddedPolicy() as policy, pytest.raises(InvalidRequest) as raised:
        policy.decide(Request("CC-0126", "2025-13-01", {}, request_id="r-1"))
    assert raised.value.decision.review_action is None
    assert letter(raised.value.decision) == (
        "Prior authorisation\n"
        "Request: r-1\n"
        "\n"
        "Outcome: Invalid request\n"
        "The request is not valid and was not decided; correct the errors and send it again.\n"
        "Nothing was decided. The request must be corrected and sent again.\n"
        "\n"
        "To correct:\n"
        "  - date_of_service must be a real calendar date, YYYY-MM-DD, in the years 1900 to 2199\n"
    )


def test_letter() -> None:
    request = Request(
        "CC-0126",
        date(2025, 6, 1),
        {**INTERFANT, "kmt2a_rearranged": None, "cd19_positive": False},
        "r-1\nForged: line",
    )
    with EmbeddedPolicy() as policy:
        decision = policy.decide(request)
    assert decision.outcome is Outcome.NEEDS_INFORMATION
    text = letter(decision)
    assert text.startswith(
        "Prior authorisation: Blincyto (blinatumomab)\n"
        "Request: r-1 Forged: line\n"
        "Date of service: 2025-06-01\n"
        "\n"
        "Outcome: Needs information\n"
    )
    assert "this is not a denial" in text
    assert "To send in first, since it can approve by pathway V:\n  1. Is KMT2A (11q23) rearranged? (kmt2a_" in text
    assert "\n  pathway I+II [not met] " in text
    assert "\n      I.cd19_positive [not met] Its cells are CD19-positive.\n" in text
    assert "\n    V.kmt2a_rearranged [open] KMT2A (11q23) is rearranged.\n" in text
    assert text.endswith(
        "Decided under CC-0126, version 2025-04-01, in force from 2025-04-01 on, last reviewed 2025-02-21.\n"
    )
    assert max(map(len, text.splitlines())) <= 100
    with EmbeddedPolicy() as policy:
        approved = policy.decide(Request("CC-0126", "2025-06-01", {**INTERFANT, "cd19_positive": False}))
    assert "Notes:\n  - A pathway is met although the cells are known to be CD19-negative" in letter(approved)
    assert "A person reviews the request before anything is decided" in letter(approved)
