"""The facts of CC-0126, Blincyto (blinatumomab), version 2025-04-01."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Disease = Literal["all", "dlbcl", "other"]
Lineage = Literal["b_cell_precursor", "mature_b_cell", "t_cell", "other"]
DiseaseStatus = Literal["newly_diagnosed", "remission", "relapsed", "refractory"]
TreatmentPhase = Literal["induction", "consolidation", "maintenance", "other"]
Combined = Literal["bosutinib", "dasatinib", "imatinib", "nilotinib", "ponatinib", "interfant", "other"]
Alternating = Literal["prednisone", "vincristine", "methotrexate", "mercaptopurine", "other"]


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

    def __repr__(self) -> str:
        """Names no fact: facts are health data."""
        return "Facts(…)"
