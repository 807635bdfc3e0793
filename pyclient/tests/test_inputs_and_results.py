"""The words of senders on the way in; review codes and letters on the way out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from payer_policy import EmbeddedPolicy, InvalidRequest, InvalidValue, Outcome, Request, ReviewAction
from payer_policy.cc0126 import Facts, mrd


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
        ({"combined_with": ["other", "Gleevac"]}, r"facts\.combined_with\[1\] must be .*; the nearest is imatinib$"),
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
    assert raised.value.decision.letter() == (
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
    letter = decision.letter()
    assert letter.startswith(
        "Prior authorisation: Blincyto (blinatumomab)\n"
        "Request: r-1 Forged: line\n"
        "Date of service: 2025-06-01\n"
        "\n"
        "Outcome: Needs information\n"
    )
    assert "this is not a denial" in letter
    assert "To send in:\n  1. Is KMT2A (11q23) rearranged? (kmt2a_rearranged, for V)\n" in letter
    assert "\n  pathway I+II [not met] " in letter
    assert "\n      I.cd19_positive [not met] Its cells are CD19-positive.\n" in letter
    assert "\n    V.kmt2a_rearranged [open] KMT2A (11q23) is rearranged.\n" in letter
    assert letter.endswith(
        "Decided under CC-0126, version 2025-04-01, in force from 2025-04-01 on, last reviewed 2025-02-21.\n"
    )
    assert max(map(len, letter.splitlines())) <= 100
    with EmbeddedPolicy() as policy:
        approved = policy.decide(Request("CC-0126", "2025-06-01", {**INTERFANT, "cd19_positive": False}))
    assert "Notes:\n  - A pathway is met although the cells are known to be CD19-negative" in approved.letter()
    assert "A person reviews the request before anything is decided" in approved.letter()
