"""CC-0126, version 2025-04-01, once more: written from the document and the contract, sharing nothing with the Rego.

Read it beside the document. A state is True (met), False (not met) or None (unknown: nobody has said, which is not no).
"""

from collections.abc import Callable, Mapping
from typing import Any

State = bool | None
Facts = Mapping[str, Any]

TKI = {"bosutinib", "dasatinib", "imatinib", "nilotinib", "ponatinib"}
POMP = {"prednisone", "vincristine", "methotrexate", "mercaptopurine"}

PATHWAYS = {"I+II": ("I", "II"), "III+IV": ("III", "IV"), "V": ("V",)}
CLAUSES = ("I", "II", "III", "IV", "V")

# Which criteria ask for a fact, facts and criteria each in the order of the document's tables.
ASKED_BY = {
    "disease": ("I", "III", "V"),
    "lineage": ("I", "III"),
    "cd19_positive": ("I", "III"),
    "infant": ("V",),
    "kmt2a_rearranged": ("V",),
    "disease_status": ("II.A",),
    "complete_response": ("II.C",),
    "mrd_percent": ("II.C",),
    "treatment_phase": ("II.D", "IV"),
    "combined_with": ("II.B", "IV", "V"),
    "alternating_with": ("IV",),
}
# A criterion, and all that it is a part of.
CHAIN = {
    "I": ("I", "I+II"),
    "II.A": ("II.A", "II", "I+II"),
    "II.B": ("II.B", "II", "I+II"),
    "II.C": ("II.C", "II", "I+II"),
    "II.D": ("II.D", "II", "I+II"),
    "III": ("III", "III+IV"),
    "IV": ("IV", "III+IV"),
    "V": ("V",),
}


def all_of(*parts: State) -> State:
    return False if False in parts else None if None in parts else True


def any_of(*parts: State) -> State:
    return True if True in parts else None if None in parts else False


def states(facts: Facts) -> dict[str, State]:
    """Every criterion that the document numbers."""

    def is_so(fact: str, test: Callable[[Any], bool]) -> State:
        value = facts.get(fact)
        return None if value is None else test(value)

    def is_one_of(fact: str, *values: object) -> State:
        return is_so(fact, lambda value: value in values)

    s: dict[str, State] = {}

    # CD19+ B-cell precursor ALL
    s["I"] = s["III"] = all_of(
        is_one_of("disease", "all"),
        is_one_of("lineage", "b_cell_precursor"),
        is_one_of("cd19_positive", True),
    )

    # relapsed or refractory
    s["II.A"] = is_one_of("disease_status", "relapsed", "refractory")
    # in combination with a tyrosine kinase inhibitor, one of the five named
    s["II.B"] = is_so("combined_with", lambda drugs: not TKI.isdisjoint(drugs))
    # MRD of 0.1 % or more after a first or second complete response to induction
    s["II.C"] = all_of(is_so("mrd_percent", lambda percent: percent >= 0.1), is_one_of("complete_response", 1, 2))
    # consolidation
    s["II.D"] = is_one_of("treatment_phase", "consolidation")
    s["II"] = any_of(s["II.A"], s["II.B"], s["II.C"], s["II.D"])
    s["I+II"] = all_of(s["I"], s["II"])

    # maintenance, as a single agent, alternating with POMP
    s["IV"] = all_of(
        is_one_of("treatment_phase", "maintenance"),
        is_so("combined_with", lambda drugs: len(drugs) == 0),
        is_so("alternating_with", lambda drugs: set(drugs) == POMP),
    )
    s["III+IV"] = all_of(s["III"], s["IV"])

    # with an Interfant regimen, infant ALL with KMT2A rearranged: neither lineage nor CD19 is asked for
    s["V"] = all_of(
        is_one_of("disease", "all"),
        is_one_of("infant", True),
        is_one_of("kmt2a_rearranged", True),
        is_so("combined_with", lambda drugs: "interfant" in drugs),
    )

    # DLBCL; and every other indication
    s["exclusion.I"] = is_one_of("disease", "dlbcl")
    approvable = any_of(s["I+II"], s["III+IV"], s["V"])
    s["exclusion.II"] = None if approvable is None else not approvable
    return s


def notes(outcome: str, facts: Facts, codes: Mapping[str, Any]) -> list[str]:
    """The advisories. They decide nothing; the last two send an approval to a person."""
    icd10 = [code.upper().replace(".", "") for code in codes.get("icd10") or ()]
    hcpcs = codes.get("hcpcs")
    disease = facts.get("disease")
    raised = {
        "icd10_not_listed": any(code not in ("C9100", "C9101", "C9102") for code in icd10),
        "hcpcs_not_listed": hcpcs is not None and hcpcs.upper().replace(".", "") != "J9039",
        "icd10_conflicts": any(
            (code.startswith("C833") and disease == "all") or (code.startswith("C910") and disease not in ("all", None))
            for code in icd10
        ),
        "cd19_negative": outcome == "approved" and facts.get("cd19_positive") is False,
        "not_b_cell": outcome == "approved" and facts.get("lineage") in ("t_cell", "other"),
    }
    return sorted(code for code, holds in raised.items() if holds)


def decide(facts: Facts, codes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the contract says of a valid request for a day on which the version is in force."""
    s = states(facts)
    pathways_met = [pathway for pathway in PATHWAYS if s[pathway]]
    missing: dict[str, list[str]] = {}

    if s["exclusion.I"] or all(s[pathway] is False for pathway in PATHWAYS):
        outcome, next_step = "not_approved", "clinical_review"
        reasons = [clause for clause in CLAUSES if s[clause] is False]
        reasons += ["exclusion.I"] if s["exclusion.I"] else []
    elif pathways_met and s["exclusion.I"] is False and s["exclusion.II"] is False:
        outcome, next_step = "approved", "issue_approval"
        reasons = [clause for pathway in pathways_met for clause in PATHWAYS[pathway]]
    else:
        outcome, next_step = "needs_information", "request_information"
        reasons = [
            clause
            for pathway, clauses in PATHWAYS.items()
            for clause in clauses
            if s[pathway] is None and s[clause] is None
        ]
        for fact, criteria in ASKED_BY.items():
            if facts.get(fact) is None:
                open_ = [c for c in criteria if all(s[above] is None for above in CHAIN[c])]
                if open_:
                    missing[fact] = open_

    advisories = notes(outcome, facts, codes or {})
    if {"cd19_negative", "not_b_cell"} & set(advisories):
        next_step = "clinical_review"
    return {
        "outcome": outcome,
        "next_step": next_step,
        "pathways_met": pathways_met,
        "missing": missing,
        "reasons": reasons,
        "advisories": advisories,
        "states": s,
    }
