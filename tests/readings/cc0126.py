"""CC-0126, version 2025-04-01. Read it beside the document."""

import itertools
from collections.abc import Mapping, Sequence

from tests.readings.decision import (
    ABSENT,
    FLAG,
    UNKNOWN,
    Clause,
    Facts,
    Fallback,
    Leaf,
    Reading,
    all_of,
    any_of,
    holds_one_of,
    is_one_of,
)


def some_of(*items: str) -> list[list[str]]:
    """Every choice of one or more, each in two orders."""
    choices = [c for size in range(1, len(items) + 1) for c in itertools.combinations(items, size)]
    return [list(order) for choice in choices for order in (choice, choice[::-1])]


TKI = ("bosutinib", "dasatinib", "imatinib", "nilotinib", "ponatinib")
POMP = ("prednisone", "vincristine", "methotrexate", "mercaptopurine")
_TKIS = some_of(*TKI)

# CD19+ B-cell precursor ALL
_DIAGNOSIS = (
    is_one_of("disease", "all"),
    is_one_of("lineage", "b_cell_precursor"),
    is_one_of("cd19_positive", True),
)


def pathways(least_mrd: float) -> tuple[Clause, ...]:
    """With the least MRD, in percent, that meets II.C."""
    return (
        all_of(
            "I+II",
            all_of("I", *_DIAGNOSIS),
            any_of(
                "II",
                # relapsed or refractory
                is_one_of("disease_status", "relapsed", "refractory", id="II.A"),
                # in combination with a tyrosine kinase inhibitor, one of the five named
                holds_one_of("combined_with", *TKI, id="II.B"),
                # MRD after a first or second complete response to induction
                all_of(
                    "II.C",
                    Leaf("mrd_percent", lambda percent: percent >= least_mrd),
                    is_one_of("complete_response", 1, 2),
                ),
                # consolidation
                is_one_of("treatment_phase", "consolidation", id="II.D"),
            ),
        ),
        all_of(
            "III+IV",
            all_of("III", *_DIAGNOSIS),
            # maintenance, as a single agent, alternating with POMP
            all_of(
                "IV",
                is_one_of("treatment_phase", "maintenance"),
                Leaf("combined_with", lambda drugs: len(drugs) == 0),
                Leaf("alternating_with", lambda drugs: set(drugs) == set(POMP)),
            ),
        ),
        # with an Interfant regimen, infant ALL with KMT2A rearranged: neither lineage nor CD19 is asked for
        all_of(
            "V",
            all_of(
                "V",
                is_one_of("disease", "all"),
                is_one_of("infant", True),
                is_one_of("kmt2a_rearranged", True),
                holds_one_of("combined_with", "interfant"),
            ),
        ),
    )


# DLBCL; and every other indication
EXCLUSIONS = (is_one_of("disease", "dlbcl", id="exclusion.I"), Fallback("exclusion.II"))


def advisories(facts: Facts, icd10: Sequence[str]) -> Mapping[str, bool]:
    disease = facts.get("disease")
    conflicting = {"all": "C833", "dlbcl": "C910", "other": "C910", None: "none"}[disease]
    return {"icd10_conflicts": any(code.startswith(conflicting) for code in icd10)}


def contradictions(facts: Facts) -> Mapping[str, bool]:
    """They send an approval to a person."""
    return {
        "cd19_negative": facts.get("cd19_positive") is False,
        "not_b_cell": facts.get("lineage") in ("t_cell", "other"),
    }


CLASSES = {
    "disease": {"all": ("all",), "dlbcl": ("dlbcl",), "other": ("other",), "unknown": UNKNOWN},
    "lineage": {
        "b_cell_precursor": ("b_cell_precursor",),
        "mature_b_cell": ("mature_b_cell",),
        "not_b_cell": ("t_cell", "other"),  # apart from mature_b_cell for the advisory alone
        "unknown": UNKNOWN,
    },
    "cd19_positive": FLAG,
    "infant": FLAG,
    "kmt2a_rearranged": FLAG,
    "disease_status": {
        "relapsed_or_refractory": ("relapsed", "refractory"),
        "neither": ("newly_diagnosed", "remission"),
        "unknown": UNKNOWN,
    },
    "complete_response": {
        "first_or_second": (1, 2, 1.0, 2.0),
        "neither": (0, 3, 20, 0.0, {"more_than": 2}, {"at_least": 2.5}, {"less_than": 1}, {"at_most": 0}),
        "unknown": (*UNKNOWN, {"at_least": 1}, {"at_most": 2}, {"less_than": 3}, {"more_than": 1.5}),
    },
    "mrd_percent": {
        "enough": (0.1, 0.100000000000001, 0.11, 1, 5.5, 100, {"at_least": 0.1}, {"more_than": 0.1}, {"more_than": 7}),
        "below": (
            0.0999999999999999,
            0.09,
            0.01,
            0.001,
            1e-12,
            0,
            {"less_than": 0.1},
            {"less_than": 0.01},
            {"at_most": 0},
        ),
        "unknown": (*UNKNOWN, {"at_most": 0.1}, {"less_than": 0.11}, {"at_least": 0.09}, {"more_than": 0}),
    },
    "treatment_phase": {
        "consolidation": ("consolidation",),
        "maintenance": ("maintenance",),
        "neither": ("induction", "other"),
        "unknown": UNKNOWN,
    },
    "combined_with": {
        "single_agent": ([],),
        "tki": [*_TKIS, *(["other", *drugs] for drugs in _TKIS)],
        "interfant": (["interfant"], ["interfant", "other"], ["other", "interfant"]),
        "tki_and_interfant": [
            *(["interfant", *drugs] for drugs in _TKIS),
            *([*drugs, "interfant", "other"] for drugs in _TKIS),
        ],
        "other": (["other"],),
        "unknown": UNKNOWN,
    },
    "alternating_with": {
        "pomp": [list(order) for order in itertools.permutations(POMP)],
        "not_exactly_pomp": [[], *(drugs for drugs in some_of(*POMP, "other") if set(drugs) != set(POMP))],
        "unknown": UNKNOWN,
    },
}

_ANSWERS = {"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": True}

READINGS = [
    Reading(
        document="CC-0126",
        version="2025-04-01",
        days=("2025-06-01", "2025-04-01", "2028-02-29", "2199-12-31"),
        pathways=pathways(0.1),
        exclusions=EXCLUSIONS,
        classes=CLASSES,
        numbers={"complete_response": (0, 20, None), "mrd_percent": (0, 100, (0.1,))},
        hcpcs=("J9039",),
        icd10=("C91.00", "C91.01", "C91.02"),
        code_samples=(
            ABSENT,
            None,
            {},
            {"hcpcs": "J9039", "icd10": ["C91.00"]},
            {"hcpcs": " j9039-JZ", "icd10": ["c9101", "C91.02 "]},
            {"hcpcs": "J9999", "icd10": []},
            {"hcpcs": None, "icd10": ["C83.39"]},
            {"icd10": ["C91.00", "c83.30"]},
            {"icd10": ["Z51.11"]},
        ),
        advisories=advisories,
        contradictions=contradictions,
        favors={
            "I+II": {
                **_ANSWERS,
                "disease_status": "refractory",
                "complete_response": 2,
                "mrd_percent": 0.1,
                "treatment_phase": "consolidation",
                "combined_with": ["nilotinib"],
            },
            "III+IV": {
                **_ANSWERS,
                "treatment_phase": "maintenance",
                "combined_with": [],
                "alternating_with": list(POMP),
            },
            "V": {"disease": "all", "infant": True, "kmt2a_rearranged": True, "combined_with": ["interfant"]},
        },
    )
]
