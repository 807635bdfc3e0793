"""The facts of NCD-240.4, CPAP for obstructive sleep apnea."""
# Made by `make facts` from the tables of facts in policy/; not to be edited.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payer_policy.runtime.facts import Bound, FactsBase

__all__ = ["Facts", "Facts2005_04_04"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Facts(FactsBase):
    """What is known for NCD-240.4, version 2008-03-13, in force from 2008-03-13 on. None means unknown, never false."""

    _units: ClassVar[Mapping[str, str]] = {
        "age": "years",
        "events_per_hour": "events per hour",
        "recorded_sleep_hours": "hours",
    }

    _synonyms: ClassVar[Mapping[str, Mapping[str, str]]] = {"sleep_test": {"polysomnography": "psg"}}

    diagnosis: Literal["osa", "other"] | None = None
    """What is the diagnosis? `osa`, moderate or severe obstructive sleep apnea, OSA; `other`, any other diagnosis. Read
    by B.1."""

    age: int | Bound | None = None
    """How old is the beneficiary on the date of service, in years? From 0 to 130 years. Read by B.1."""

    period: Literal["continued", "initial"] | None = None
    """Which period of CPAP use is requested? `continued`, continued use, after the first 12 weeks; `initial`, initial
    use, the first 12 weeks. Read by B.initial and B.continued."""

    educated: bool | None = None
    """Has the provider taught the beneficiary how to use the device before its use? Read by B.2."""

    clinical_evaluation: bool | None = None
    """Does a clinical evaluation stand beside the sleep test? Read by B.3."""

    sleep_test: Literal["hst_type_ii", "hst_type_iii", "hst_type_iv", "other", "psg"] | None = None
    """Which sleep test was done? `hst_type_ii`, home sleep test, type II; `hst_type_iii`, home sleep test, type III;
    `hst_type_iv`, home sleep test, type IV; `other`, any other test; `psg`, polysomnography in a facility. Read by
    B.3.test, B.3.test.iv and C.1."""

    hst_channels: int | Bound | None = None
    """How many channels does the type IV monitor measure? From 1 to 64. Read by B.3.test.iv."""

    ordered_by_treating_physician: bool | None = None
    """Was the sleep test ordered by the beneficiary's treating physician? Read by B.4."""

    supervised: bool | None = None
    """Was the sleep test done under appropriate physician supervision? Read by B.4."""

    events_per_hour: float | Bound | None = None
    """How high is the AHI or RDI, in events per hour? From 0 to 200 events per hour. Read by B.5.a and B.5.b."""

    recorded_sleep_hours: float | Bound | None = None
    """How many hours of continuous sleep were recorded? From 0 to 24 hours. Read by B.5.a.recorded and
    B.5.b.recorded."""

    recorded_events: int | Bound | None = None
    """How many events were recorded during the test, all in all? From 0 to 5000. Read by B.5.a.recorded and
    B.5.b.recorded."""

    symptoms: (
        Sequence[Literal["excessive_daytime_sleepiness", "impaired_cognition", "insomnia", "mood_disorder", "other"]]
        | None
    ) = None
    """Which symptoms are documented (none: an empty list)? `excessive_daytime_sleepiness`; `impaired_cognition`;
    `insomnia`; `mood_disorder`, a mood disorder; `other`, any other symptom. Complete when given, no repeats; `()`
    means none. Read by B.5.b.documented."""

    comorbidities: Sequence[Literal["hypertension", "ischemic_heart_disease", "other", "stroke_history"]] | None = None
    """Which comorbidities are documented (none: an empty list)? `hypertension`; `ischemic_heart_disease`; `other`, any
    other comorbidity; `stroke_history`, a history of stroke. Complete when given, no repeats; `()` means none. Read by
    B.5.b.documented."""

    benefited: bool | None = None
    """Has the beneficiary benefited from CPAP during the first 12 weeks? Read by B.continued."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Facts2005_04_04(FactsBase):
    """What is known for NCD-240.4, version 2005-04-04, in force from 2005-04-04 to 2008-03-12. None means unknown,
    never false."""

    _units: ClassVar[Mapping[str, str]] = {"age": "years", "recorded_sleep_hours": "hours", "ahi": "events per hour"}

    _synonyms: ClassVar[Mapping[str, Mapping[str, str]]] = {"sleep_test": {"polysomnography": "psg"}}

    diagnosis: Literal["osa", "other"] | None = None
    """What is the diagnosis? `osa`, moderate or severe obstructive sleep apnea, OSA; `other`, any other diagnosis. Read
    by B.1."""

    age: int | Bound | None = None
    """How old is the beneficiary on the date of service, in years? From 0 to 130 years. Read by B.1."""

    surgery_alternative: bool | None = None
    """Is surgery a likely alternative to CPAP? Read by B.1."""

    ordered_by_treating_physician: bool | None = None
    """Is CPAP ordered and prescribed by the licensed treating physician? Read by B.2."""

    sleep_test: Literal["other", "portable", "psg"] | None = None
    """Which sleep test was done? `other`, any other test; `portable`, unattended portable multi-channel test; `psg`,
    polysomnography in a facility. Read by B.3 and C.1."""

    recorded_sleep_hours: float | Bound | None = None
    """How many hours of sleep were actually recorded, nothing extrapolated? From 0 to 24 hours. Read by B.3."""

    ahi: float | Bound | None = None
    """How high is the apnea-hypopnea index (AHI), in events per hour? From 0 to 200 events per hour. Read by B.4.a and
    B.4.b."""

    symptoms: (
        Sequence[Literal["excessive_daytime_sleepiness", "impaired_cognition", "insomnia", "mood_disorder", "other"]]
        | None
    ) = None
    """Which symptoms are documented (none: an empty list)? `excessive_daytime_sleepiness`; `impaired_cognition`;
    `insomnia`; `mood_disorder`, a mood disorder; `other`, any other symptom. Complete when given, no repeats; `()`
    means none. Read by B.4.b.documented."""

    comorbidities: Sequence[Literal["hypertension", "ischemic_heart_disease", "other", "stroke_history"]] | None = None
    """Which comorbidities are documented (none: an empty list)? `hypertension`; `ischemic_heart_disease`; `other`, any
    other comorbidity; `stroke_history`, a history of stroke. Complete when given, no repeats; `()` means none. Read by
    B.4.b.documented."""
