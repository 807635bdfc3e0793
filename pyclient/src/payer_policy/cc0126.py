"""The facts of CC-0126, Blincyto (blinatumomab), version 2025-04-01."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Disease = Literal["all", "dlbcl", "other"]
Lineage = Literal["b_cell_precursor", "mature_b_cell", "t_cell", "other"]
DiseaseStatus = Literal["newly_diagnosed", "remission", "relapsed", "refractory"]
TreatmentPhase = Literal["induction", "consolidation", "maintenance", "other"]
Combined = Literal["bosutinib", "dasatinib", "imatinib", "nilotinib", "ponatinib", "interfant", "other"]
Alternating = Literal["prednisone", "vincristine", "methotrexate", "mercaptopurine", "other"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Facts:
    """What is known about the patient and the planned therapy. None means unknown, never false.

    disease: `all` is acute lymphoblastic (lymphocytic) leukemia. Read by I, III, V and exclusion I.
    lineage: the lineage from which the disease arises. Read by I and III.
    cd19_positive: the malignant cells carry CD19. Read by I and III.
    infant: infant ALL. Read by V.
    kmt2a_rearranged: KMT2A (11q23) is rearranged. Read by V.
    disease_status: Read by II.A.
    complete_response: which complete response to induction the residual disease follows, 1 first, 2 second, 0 none;
        0 to 20. Read by II.C.
    mrd_percent: minimal residual disease in percent, 0 to 100; 0.1 means 0.1 %, a fraction of 0.001. Read by II.C.
    treatment_phase: Read by II.D and IV.
    combined_with: antileukemic drugs or regimens given concurrently; complete when given, no repeats, `()` means
        single agent. Read by II.B, IV and V.
    alternating_with: antileukemic drugs that blinatumomab alternates with; complete when given, no repeats, `()`
        means nothing. Read by IV.
    """

    disease: Disease | None = None
    lineage: Lineage | None = None
    cd19_positive: bool | None = None
    infant: bool | None = None
    kmt2a_rearranged: bool | None = None
    disease_status: DiseaseStatus | None = None
    complete_response: int | None = None
    mrd_percent: float | None = None
    treatment_phase: TreatmentPhase | None = None
    combined_with: Sequence[Combined] | None = field(default=None)
    alternating_with: Sequence[Alternating] | None = field(default=None)

    def __repr__(self) -> str:
        """Names no fact: facts are health data."""
        return "Facts(…)"
