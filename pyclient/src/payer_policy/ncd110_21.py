"""The facts of NCD-110.21, Erythropoiesis stimulating agents (ESAs) in cancer."""
# Made by `make facts` from the tables of facts in policy/; not to be edited.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from payer_policy.runtime.facts import Bound, FactsBase

__all__ = ["Facts"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Facts(FactsBase):
    """What is known for NCD-110.21, version 2007-07-30, in force from 2007-07-30 on. None means unknown, never
    false."""

    _units: ClassVar[Mapping[str, str]] = {
        "hemoglobin": "g/dL",
        "hematocrit": "percent",
        "hemoglobin_rise": "g/dL",
        "hematocrit_rise": "percent",
        "dose_change": "percent",
        "weeks_of_treatment": "weeks",
    }

    _synonyms: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "drug": {"Aranesp": "darbepoetin_alfa", "Epogen": "epoetin_alfa", "Procrit": "epoetin_alfa"}
    }

    cause: (
        Literal[
            "b12_deficiency",
            "bleeding",
            "bone_marrow_fibrosis",
            "cancer",
            "chemotherapy",
            "folate_deficiency",
            "hemolysis",
            "iron_deficiency",
            "other",
            "radiotherapy",
        ]
        | None
    ) = None
    """What causes the anemia? `b12_deficiency`, vitamin B12 deficiency; `bleeding`; `bone_marrow_fibrosis`; `cancer`,
    the cancer, not its treatment; `chemotherapy`, myelosuppressive anticancer chemotherapy; `folate_deficiency`;
    `hemolysis`; `iron_deficiency`; `other`, any other cause; `radiotherapy`, radiotherapy alone. Read by A and N.1."""

    malignancy: (
        Literal[
            "aml",
            "cml",
            "erythroid_cancer",
            "lymphocytic_leukemia",
            "lymphoma",
            "multiple_myeloma",
            "other",
            "solid_tumor",
        ]
        | None
    ) = None
    """Which cancer is treated? `aml`, acute myelogenous leukemia, AML; `cml`, chronic myelogenous leukemia, CML;
    `erythroid_cancer`, an erythroid cancer; `lymphocytic_leukemia`; `lymphoma`; `multiple_myeloma`; `other`, any other
    cancer; `solid_tumor`, a solid tumor. Read by A and N.2."""

    prophylactic: bool | None = None
    """Is the drug given to prevent anemia or to reduce tumor hypoxia? Read by N.3."""

    neutralizing_antibodies: bool | None = None
    """Is there erythropoietin-type resistance due to neutralizing antibodies? Read by N.4."""

    uncontrolled_hypertension: bool | None = None
    """Does the patient have uncontrolled hypertension? Read by N.5."""

    stage: Literal["initiation", "maintenance"] | None = None
    """At which stage is the treatment? `initiation`, initiation: it is to be started; `maintenance`, maintenance: from
    four weeks after the start on. Read by stage.initiation and stage.maintenance."""

    drug: Literal["darbepoetin_alfa", "epoetin_alfa"] | None = None
    """Which drug is given? `darbepoetin_alfa`; `epoetin_alfa`. Read by 2.epoetin and 2.darbepoetin."""

    weekly_dose: float | Bound | None = None
    """How high is the starting dose a week for each kilogram of body weight (epoetin in units, darbepoetin in
    micrograms)? From 0 to 5000. Read by 2.epoetin and 2.darbepoetin."""

    hemoglobin: float | Bound | None = None
    """How high is hemoglobin immediately before this step of treatment, in g/dL? From 0 to 30 g/dL. Read by 1."""

    hematocrit: float | Bound | None = None
    """How high is hematocrit immediately before this step of treatment, in percent? From 0 to 100 percent. Read by
    1."""

    hemoglobin_rise: float | Bound | None = None
    """By how much has hemoglobin risen over four weeks of treatment, against the baseline before it, in g/dL? From -20
    to 20 g/dL. Read by 3.response and 4.response."""

    hematocrit_rise: float | Bound | None = None
    """By how much has hematocrit risen over four weeks of treatment, against the baseline before it, in percent? From
    -100 to 100 percent. Read by 3.response and 4.response."""

    dose_change: float | Bound | None = None
    """How much higher is the dose than the starting dose, in percent (lower: negative)? From -100 to 1000 percent. Read
    by 3 and 4."""

    weeks_of_treatment: int | Bound | None = None
    """For how many weeks has the patient been treated? From 0 to 520 weeks. Read by 4."""

    rapid_rise: bool | None = None
    """Has hemoglobin risen by more than 1 g/dL (hematocrit by more than 3 %) within some two weeks of treatment? Read
    by N.6."""

    chemotherapy_ongoing: bool | None = None
    """Does the chemotherapy go on? Read by 5."""

    final_chemotherapy_date: date | None = None
    """When was the last dose of myelosuppressive chemotherapy in this regimen given? Read by 5."""
