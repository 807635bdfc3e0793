"""The facts of CC-0126, Blincyto (blinatumomab), version 2025-04-01."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from payer_policy.errors import InvalidValue
from payer_policy.vocabulary import in_values

Disease = Literal["all", "dlbcl", "other"]
Lineage = Literal["b_cell_precursor", "mature_b_cell", "t_cell", "other"]
DiseaseStatus = Literal["newly_diagnosed", "remission", "relapsed", "refractory"]
TreatmentPhase = Literal["induction", "consolidation", "maintenance", "other"]
Combined = Literal["bosutinib", "dasatinib", "imatinib", "nilotinib", "ponatinib", "interfant", "other"]
Alternating = Literal["prednisone", "vincristine", "methotrexate", "mercaptopurine", "other"]

# Generic names are the values themselves.
_SYNONYMS = {
    "Bosulif": "bosutinib",
    "Sprycel": "dasatinib",
    "Phyrago": "dasatinib",
    "Gleevec": "imatinib",
    "Glivec": "imatinib",
    "Imkeldi": "imatinib",
    "Tasigna": "nilotinib",
    "Danziten": "nilotinib",
    "Iclusig": "ponatinib",
    "Deltasone": "prednisone",
    "Rayos": "prednisone",
    "Oncovin": "vincristine",
    "Vincasar": "vincristine",
    "MTX": "methotrexate",
    "Trexall": "methotrexate",
    "Xatmep": "methotrexate",
    "Jylamvo": "methotrexate",
    "Otrexup": "methotrexate",
    "Rasuvo": "methotrexate",
    "6-MP": "mercaptopurine",
    "Purinethol": "mercaptopurine",
    "Purixan": "mercaptopurine",
}


def mrd(value: float | Decimal, unit: Literal["percent", "fraction"]) -> float:
    """Minimal residual disease as `mrd_percent` wants it, exact in decimals: `mrd(0.001, "fraction")` is 0.1.

    Raises `InvalidValue` for another unit, no number, less than nothing or more than all, or more digits than the
    policy takes: to round is for the caller, who knows how many were measured.
    """
    if unit not in ("percent", "fraction"):
        raise InvalidValue("the unit of mrd must be percent or fraction")
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise InvalidValue("mrd must be a number")
    given = Decimal(str(value))
    if len("".join(map(str, given.as_tuple().digits)).strip("0")) > 15:
        raise InvalidValue("mrd must have at most 15 significant digits")
    percent = given * (100 if unit == "fraction" else 1)
    if not (percent.is_finite() and 0 <= percent <= 100):
        raise InvalidValue(f"mrd must be from 0 to {100 if unit == 'percent' else 1} as a {unit}")
    return float(percent)


@dataclass(frozen=True, kw_only=True, repr=False)
class Facts:
    """What is known about the patient and the planned therapy. None means unknown, never false."""

    disease: Disease | None = None
    """The disease to treat; `all` is acute lymphoblastic (lymphocytic) leukemia. Read by I, III, V, exclusion I."""

    lineage: Lineage | None = None
    """The lineage from which the disease arises. Read by I and III."""

    cd19_positive: bool | None = None
    """The malignant cells carry CD19. Read by I and III."""

    infant: bool | None = None
    """It is infant ALL. Read by V."""

    kmt2a_rearranged: bool | None = None
    """KMT2A (11q23) is rearranged. Read by V."""

    disease_status: DiseaseStatus | None = None
    """The status of the disease. Read by II.A."""

    complete_response: int | None = None
    """Which complete response to induction the residual disease follows, 0 to 20: 1 first, 2 second, 0 none. Read by
    II.C."""

    mrd_percent: float | None = None
    """Minimal residual disease in percent, 0 to 100: 0.1 means 0.1 %, a fraction of 0.001. Read by II.C."""

    treatment_phase: TreatmentPhase | None = None
    """The phase of treatment in which blinatumomab is given. Read by II.D and IV."""

    combined_with: Sequence[Combined] | None = None
    """Antileukemic drugs or regimens given concurrently with blinatumomab, not premedication, supportive care,
    treatment of cytokine release, intrathecal prophylaxis, nor what it alternates with. Complete when given, no
    repeats; `()` means single agent. Read by II.B, IV and V."""

    alternating_with: Sequence[Alternating] | None = None
    """Antileukemic drugs that blinatumomab alternates with. Complete when given, no repeats; `()` means nothing.
    Read by IV."""

    @classmethod
    def of(cls, **known: Any) -> Facts:  # noqa: ANN401
        """Facts in the words of a sender: any case, drugs by generic or brand name (Gleevec is imatinib).

        Any other drug has to be called `other`: a name that is not known here may be a slip. Raises `InvalidValue` for
        an unknown fact or word, with the nearest valid one.
        """
        return cls(**in_values(cls, known, _SYNONYMS))

    def __repr__(self) -> str:
        """Names no fact: facts are health data."""
        return "Facts(…)"
