"""The facts of CC-0126, Blincyto (blinatumomab)."""
# Made by `make facts` from the tables of facts in policy/; not to be edited.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payer_policy.cc0126_by_hand import mrd
from payer_policy.runtime.facts import Bound, FactsBase

__all__ = ["Facts", "mrd"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Facts(FactsBase):
    """What is known for CC-0126, version 2025-04-01, in force from 2025-04-01 on. None means unknown, never false."""

    _units: ClassVar[Mapping[str, str]] = {"mrd_percent": "percent"}

    _synonyms: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "combined_with": {
            "Bosulif": "bosutinib",
            "Danziten": "nilotinib",
            "Gleevec": "imatinib",
            "Glivec": "imatinib",
            "Iclusig": "ponatinib",
            "Imkeldi": "imatinib",
            "Phyrago": "dasatinib",
            "Sprycel": "dasatinib",
            "Tasigna": "nilotinib",
        },
        "alternating_with": {
            "6-MP": "mercaptopurine",
            "Deltasone": "prednisone",
            "Jylamvo": "methotrexate",
            "MTX": "methotrexate",
            "Oncovin": "vincristine",
            "Otrexup": "methotrexate",
            "Purinethol": "mercaptopurine",
            "Purixan": "mercaptopurine",
            "Rasuvo": "methotrexate",
            "Rayos": "prednisone",
            "Trexall": "methotrexate",
            "Vincasar": "vincristine",
            "Xatmep": "methotrexate",
        },
    }

    disease: Literal["all", "dlbcl", "other"] | None = None
    """Which disease is to be treated? `all`, acute lymphoblastic (lymphocytic) leukemia, ALL; `dlbcl`, diffuse large
    B-cell lymphoma, DLBCL; `other`, any other disease. Read by I, III, V and exclusion.I."""

    lineage: Literal["b_cell_precursor", "mature_b_cell", "other", "t_cell"] | None = None
    """From which lineage does the disease arise? `b_cell_precursor`; `mature_b_cell`; `other`, any other lineage;
    `t_cell`. Read by I and III."""

    cd19_positive: bool | None = None
    """Are the malignant cells CD19-positive? Read by I and III."""

    infant: bool | None = None
    """Is this infant ALL? Read by V."""

    kmt2a_rearranged: bool | None = None
    """Is KMT2A (11q23) rearranged? Read by V."""

    disease_status: Literal["newly_diagnosed", "refractory", "relapsed", "remission"] | None = None
    """What is the status of the disease? `newly_diagnosed`; `refractory`, refractory: it does not respond to treatment;
    `relapsed`, relapsed: it has come back after a response; `remission`, in remission. Read by II.A."""

    complete_response: int | Bound | None = None
    """Which complete response to induction does the residual disease follow (1 first, 2 second, 0 none)? From 0 to 20.
    Read by II.C."""

    mrd_percent: float | Bound | None = None
    """How high is the minimal residual disease, in percent? From 0 to 100 percent. Read by II.C."""

    treatment_phase: Literal["consolidation", "induction", "maintenance", "other"] | None = None
    """In which phase of treatment is blinatumomab given? `consolidation`; `induction`; `maintenance`; `other`, any
    other phase. Read by II.D and IV."""

    combined_with: (
        Sequence[Literal["bosutinib", "dasatinib", "imatinib", "interfant", "nilotinib", "other", "ponatinib"]] | None
    ) = None
    """Which antileukemic drugs or regimens are given concurrently with blinatumomab (none: an empty list)? Not
    premedication, supportive care, treatment of cytokine release, intrathecal prophylaxis, nor what it alternates with.
    `bosutinib`, bosutinib, a tyrosine kinase inhibitor; `dasatinib`, dasatinib, a tyrosine kinase inhibitor;
    `imatinib`, imatinib, a tyrosine kinase inhibitor; `interfant`, an Interfant regimen; `nilotinib`, nilotinib, a
    tyrosine kinase inhibitor; `other`, any other antileukemic drug or regimen; `ponatinib`, ponatinib, a tyrosine
    kinase inhibitor. Complete when given, no repeats; `()` means none. Read by II.B, IV and V."""

    alternating_with: (
        Sequence[Literal["mercaptopurine", "methotrexate", "other", "prednisone", "vincristine"]] | None
    ) = None
    """Which antileukemic drugs does blinatumomab alternate with (none: an empty list)? `mercaptopurine`;
    `methotrexate`; `other`, any other antileukemic drug; `prednisone`; `vincristine`. Complete when given, no repeats;
    `()` means none. Read by IV."""
