"""NCD 240.4, CPAP for obstructive sleep apnea, in both its versions. Read it beside the description."""

import itertools

from tests.readings.decision import (
    ABSENT,
    FLAG,
    UNKNOWN,
    Fallback,
    Leaf,
    Reading,
    all_of,
    any_of,
    holds_one_of,
    is_one_of,
)

SYMPTOMS = ("excessive_daytime_sleepiness", "impaired_cognition", "mood_disorder", "insomnia")
COMORBIDITIES = ("hypertension", "ischemic_heart_disease", "stroke_history")


def lists(*named: str) -> dict[str, list[object]]:
    """Of an array that shall hold one of those named: each choice of them, with `other` and without; or none."""
    some = [list(c) for size in range(1, len(named) + 1) for c in itertools.combinations(named, size)]
    return {
        "named": [*some, *(["other", *choice] for choice in some)],
        "none_named": [[], ["other"]],
        "unknown": list(UNKNOWN),
    }


def lasts(hours: float) -> bool:
    return hours >= 2


_OSA = is_one_of("diagnosis", "osa")
_ADULT = Leaf("age", lambda years: years >= 18)
_SYMPTOM = holds_one_of("symptoms", *SYMPTOMS)
_COMORBIDITY = holds_one_of("comorbidities", *COMORBIDITIES)
_TWO_HOURS = Leaf("recorded_sleep_hours", lasts)

PATHWAY_2005 = all_of(
    "B",
    all_of("B.1", _OSA, _ADULT, is_one_of("surgery_alternative", True)),
    is_one_of("ordered_by_treating_physician", True, id="B.2"),
    all_of("B.3", is_one_of("sleep_test", "psg"), _TWO_HOURS),
    any_of(
        "B.4",
        Leaf("ahi", lambda ahi: ahi >= 15, id="B.4.a"),
        all_of(
            "B.4.b",
            Leaf("ahi", lambda ahi: 5 <= ahi <= 14),
            any_of("B.4.b.documented", _SYMPTOM, _COMORBIDITY),
        ),
    ),
)

_B_1 = all_of("B.1", _OSA, _ADULT)
_B_2 = is_one_of("educated", True, id="B.2")
_B_3 = all_of(
    "B.3",
    is_one_of("clinical_evaluation", True),
    any_of(
        "B.3.test",
        is_one_of("sleep_test", "psg", "hst_type_ii", "hst_type_iii"),
        all_of("B.3.test.iv", is_one_of("sleep_test", "hst_type_iv"), Leaf("hst_channels", lambda number: number >= 3)),
    ),
)
_B_4 = all_of("B.4", is_one_of("ordered_by_treating_physician", True), is_one_of("supervised", True))
_B_5 = any_of(
    "B.5",
    all_of(
        "B.5.a",
        Leaf("events_per_hour", lambda events: events >= 15),
        any_of("B.5.a.recorded", _TWO_HOURS, Leaf("recorded_events", lambda events: events >= 30)),
    ),
    all_of(
        "B.5.b",
        Leaf("events_per_hour", lambda events: 5 <= events <= 14),
        any_of("B.5.b.recorded", _TWO_HOURS, Leaf("recorded_events", lambda events: events >= 10)),
        any_of("B.5.b.documented", _SYMPTOM, _COMORBIDITY),
    ),
)
PATHWAYS_2008 = (
    all_of("INITIAL", _B_1, is_one_of("period", "initial", id="B.initial"), _B_2, _B_3, _B_4, _B_5),
    all_of(
        "CONTINUED",
        _B_1,
        all_of("B.continued", is_one_of("period", "continued"), is_one_of("benefited", True)),
        _B_3,
        _B_4,
        _B_5,
    ),
)

DIAGNOSIS = {"osa": ("osa",), "other": ("other",), "unknown": UNKNOWN}
AGE = {
    "adult": (18, 18.0, 19, 65, 130, {"at_least": 18}, {"more_than": 17}, {"more_than": 17.5}),
    "minor": (17, 0, 1, {"less_than": 18}, {"at_most": 17}, {"at_most": 17.9}),
    "unknown": (*UNKNOWN, {"at_most": 18}, {"at_least": 17}, {"more_than": 16}, {"less_than": 19}),
}
HOURS = {
    "enough": (2, 2.0, 2.01, 7.5, 24, {"at_least": 2}, {"more_than": 2}),
    "too_short": (1.99, 0, 0.5, 1.99999999999999, {"less_than": 2}, {"at_most": 1.5}),
    "unknown": (*UNKNOWN, {"at_most": 2}, {"at_least": 1.9}, {"more_than": 1}),
}
EVENTS_PER_HOUR = {
    "fifteen_or_more": (15, 15.0, 15.1, 40, 200, {"at_least": 15}, {"more_than": 15}, {"at_least": 30.5}),
    "five_to_fourteen": (5, 14, 5.0, 9.5, 13.99),
    "between": (14.01, 14.5, 14.99999999999),
    "less_than_five": (0, 4.99, 4.9999999999999, {"less_than": 5}, {"at_most": 4}),
    "less_than_fifteen": ({"less_than": 15}, {"at_most": 14}, {"at_most": 14.5}, {"at_most": 5}),
    "more_than_fourteen": ({"more_than": 14}, {"at_least": 14.5}),
    "unknown": (*UNKNOWN, {"at_least": 5}, {"at_most": 15}, {"more_than": 4}, {"at_least": 14}),
}
_CODES = (
    ABSENT,
    None,
    {"hcpcs": "E0601", "icd10": ["G47.33"]},
    {"hcpcs": "e0601-NU", "icd10": ["g4733", " G47.33 "]},
    {"hcpcs": "E0601-", "icd10": []},
    {"hcpcs": " E0601 - RR ", "icd10": None},
    {"hcpcs": "E0470", "icd10": ["G47.33", "G47.31"]},
    {"hcpcs": "NU-E0601", "icd10": ["G47"]},
)
_FOR_BOTH = {
    "diagnosis": "osa",
    "age": 18,
    "ordered_by_treating_physician": True,
    "sleep_test": "psg",
    "recorded_sleep_hours": 2,
    "symptoms": ["insomnia"],
    "comorbidities": ["stroke_history"],
}
_TESTED = {**_FOR_BOTH, "clinical_evaluation": True, "supervised": True, "events_per_hour": 15, "recorded_events": 30}

READINGS = [
    Reading(
        document="NCD-240.4",
        version="2005-04-04",
        days=("2005-04-04", "2006-12-31", "2008-02-29", "2008-03-12"),
        pathways=(PATHWAY_2005,),
        exclusions=(is_one_of("sleep_test", "portable", id="C.1"), Fallback("C.2")),
        classes={
            "diagnosis": DIAGNOSIS,
            "age": AGE,
            "surgery_alternative": FLAG,
            "ordered_by_treating_physician": FLAG,
            "sleep_test": {"psg": ("psg",), "portable": ("portable",), "other": ("other",), "unknown": UNKNOWN},
            "recorded_sleep_hours": HOURS,
            "ahi": EVENTS_PER_HOUR,
            "symptoms": lists(*SYMPTOMS),
            "comorbidities": lists(*COMORBIDITIES),
        },
        numbers={"age": (0, 130, None), "recorded_sleep_hours": (0, 24, (2,)), "ahi": (0, 200, (5, 14, 15))},
        hcpcs=("E0601",),
        icd10=("G47.33",),
        code_samples=_CODES,
        favors={"B": {**_FOR_BOTH, "surgery_alternative": True, "ahi": 15}},
    ),
    Reading(
        document="NCD-240.4",
        version="2008-03-13",
        days=("2008-03-13", "2012-02-29", "2026-06-01", "2199-12-31"),
        pathways=PATHWAYS_2008,
        exclusions=(is_one_of("sleep_test", "other", id="C.1"), Fallback("C.2")),
        classes={
            "diagnosis": DIAGNOSIS,
            "age": AGE,
            "period": {"initial": ("initial",), "continued": ("continued",), "unknown": UNKNOWN},
            "educated": FLAG,
            "clinical_evaluation": FLAG,
            "sleep_test": {
                "psg_ii_or_iii": ("psg", "hst_type_ii", "hst_type_iii"),
                "iv": ("hst_type_iv",),
                "other": ("other",),
                "unknown": UNKNOWN,
            },
            "hst_channels": {
                "three_or_more": (3, 3.0, 4, 64, {"at_least": 3}, {"more_than": 2}, {"at_least": 2.5}),
                "fewer": (1, 2, {"less_than": 3}, {"at_most": 2.9}),
                "unknown": (*UNKNOWN, {"at_least": 2}, {"at_most": 3}),
            },
            "ordered_by_treating_physician": FLAG,
            "supervised": FLAG,
            "events_per_hour": EVENTS_PER_HOUR,
            "recorded_sleep_hours": HOURS,
            "recorded_events": {
                "thirty_or_more": (30, 31, 5000, 30.0, {"at_least": 30}, {"more_than": 29}),
                "ten_or_more": (10, 29, 20, 11),
                "fewer": (0, 9, {"less_than": 10}, {"at_most": 9}, {"less_than": 9.5}),
                "at_least_ten": ({"at_least": 10}, {"more_than": 9}, {"at_least": 29}),
                "less_than_thirty": ({"less_than": 30}, {"at_most": 10}, {"at_most": 29.5}),
                "unknown": (*UNKNOWN, {"at_least": 9}, {"at_most": 30}),
            },
            "symptoms": lists(*SYMPTOMS),
            "comorbidities": lists(*COMORBIDITIES),
            "benefited": FLAG,
        },
        numbers={
            "age": (0, 130, None),
            "hst_channels": (1, 64, None),
            "events_per_hour": (0, 200, (5, 14, 15)),
            "recorded_sleep_hours": (0, 24, (2,)),
            "recorded_events": (0, 5000, None),
        },
        hcpcs=("E0601",),
        icd10=("G47.33",),
        code_samples=_CODES,
        terms={"INITIAL": "P12W", "CONTINUED": None},
        favors={
            "INITIAL": {**_TESTED, "period": "initial", "educated": True},
            "CONTINUED": {
                **_TESTED,
                "period": "continued",
                "sleep_test": "hst_type_iv",
                "hst_channels": 3,
                "events_per_hour": 5,
                "benefited": True,
            },
        },
    ),
]
