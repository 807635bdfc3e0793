"""NCD 110.21, erythropoiesis stimulating agents in cancer, version 2007-07-30. Read it beside the description."""

from tests.readings.decision import (
    ABSENT,
    FLAG,
    UNKNOWN,
    DaysBefore,
    Fallback,
    Leaf,
    Reading,
    all_of,
    any_of,
    is_one_of,
    none_of,
)

COVERED = ("solid_tumor", "multiple_myeloma", "lymphoma", "lymphocytic_leukemia")
EXCLUDED_CAUSES = (
    "folate_deficiency",
    "b12_deficiency",
    "iron_deficiency",
    "hemolysis",
    "bleeding",
    "bone_marrow_fibrosis",
    "radiotherapy",
    "cancer",
)
EXCLUDED_CANCERS = ("aml", "cml", "erythroid_cancer")

_A = all_of("A", is_one_of("cause", "chemotherapy"), is_one_of("malignancy", *COVERED))
_1 = any_of("1", Leaf("hemoglobin", lambda level: level < 10), Leaf("hematocrit", lambda percent: percent < 30))
_2 = any_of(
    "2",
    all_of("2.epoetin", is_one_of("drug", "epoetin_alfa"), Leaf("weekly_dose", lambda dose: dose <= 450)),
    all_of("2.darbepoetin", is_one_of("drug", "darbepoetin_alfa"), Leaf("weekly_dose", lambda dose: dose <= 2.25)),
)
_3 = all_of(
    "3",
    any_of(
        "3.response",
        Leaf("hemoglobin_rise", lambda rise: rise >= 1),
        Leaf("hematocrit_rise", lambda rise: rise >= 3),
    ),
    Leaf("dose_change", lambda percent: percent <= 0),
)
_4 = all_of(
    "4",
    any_of(
        "4.response",
        Leaf("hemoglobin_rise", lambda rise: rise < 1),
        Leaf("hematocrit_rise", lambda rise: rise < 3),
    ),
    Leaf("dose_change", lambda percent: percent <= 25),
    Leaf("weeks_of_treatment", lambda weeks: weeks < 8),
)
# eight weeks
_5 = any_of(
    "5",
    is_one_of("chemotherapy_ongoing", True),
    Leaf("final_chemotherapy_date", lambda days_before: 0 <= days_before <= 56),
)
_INITIATION = is_one_of("stage", "initiation", id="stage.initiation")
_MAINTENANCE = is_one_of("stage", "maintenance", id="stage.maintenance")

PATHWAYS = (
    all_of("INITIATION", _A, _INITIATION, _1, _2, _5),
    all_of("MAINTENANCE", _A, _MAINTENANCE, _1, _3, _5),
    all_of("INCREASE", _A, _MAINTENANCE, _1, _4, _5),
)
EXCLUSIONS = (
    is_one_of("cause", *EXCLUDED_CAUSES, id="N.1"),
    is_one_of("malignancy", *EXCLUDED_CANCERS, id="N.2"),
    is_one_of("prophylactic", True, id="N.3"),
    is_one_of("neutralizing_antibodies", True, id="N.4"),
    is_one_of("uncontrolled_hypertension", True, id="N.5"),
    # the rise was rapid, and hemoglobin is no longer below the limit
    all_of("N.6", is_one_of("rapid_rise", True), none_of("N.6.limit", _1)),
    Fallback("N.7"),
)

_FOR = {
    "cause": "chemotherapy",
    "malignancy": "lymphoma",
    "prophylactic": False,
    "neutralizing_antibodies": False,
    "uncontrolled_hypertension": False,
    "hemoglobin": 9.9,
    "rapid_rise": False,
    "final_chemotherapy_date": DaysBefore(56),
}

READINGS = [
    Reading(
        document="NCD-110.21",
        version="2007-07-30",
        # 56 days on: across a leap day, across a 28th of February without one, across New Year
        days=("2007-07-30", "2008-04-25", "2012-03-01", "2025-04-25", "2026-01-15", "2100-03-31", "2199-06-01"),
        pathways=PATHWAYS,
        exclusions=EXCLUSIONS,
        classes={
            "cause": {
                "chemotherapy": ("chemotherapy",),
                "excluded": EXCLUDED_CAUSES,
                "other": ("other",),
                "unknown": UNKNOWN,
            },
            "malignancy": {
                "covered": COVERED,
                "excluded": EXCLUDED_CANCERS,
                "other": ("other",),
                "unknown": UNKNOWN,
            },
            "prophylactic": FLAG,
            "neutralizing_antibodies": FLAG,
            "uncontrolled_hypertension": FLAG,
            "stage": {"initiation": ("initiation",), "maintenance": ("maintenance",), "unknown": UNKNOWN},
            "drug": {"epoetin": ("epoetin_alfa",), "darbepoetin": ("darbepoetin_alfa",), "unknown": UNKNOWN},
            "weekly_dose": {
                "within_both": (2.25, 0, 1.5, {"at_most": 2.25}, {"less_than": 2.25}),
                "within_that_of_epoetin": (2.26, 2.2500000000001, 300, 450),
                "above_both": (450.01, 450.0000000001, 600, 5000, {"more_than": 450}, {"at_least": 451}),
                "at_most_that_of_epoetin": ({"at_most": 450}, {"less_than": 450}, {"less_than": 3}),
                "more_than_that_of_darbepoetin": ({"more_than": 2.25}, {"at_least": 300}, {"at_least": 450}),
                "unknown": (*UNKNOWN, {"at_most": 451}, {"at_least": 2.25}, {"less_than": 5000}),
            },
            "hemoglobin": {
                "low": (9.9, 9.99999999999999, 0, 8, {"less_than": 10}, {"at_most": 9.5}),
                "not_low": (10, 10.0, 10.1, 30, {"at_least": 10}, {"more_than": 10}),
                "unknown": (*UNKNOWN, {"at_most": 10}, {"more_than": 9.9}),
            },
            "hematocrit": {
                "low": (29.9, 29.9999999999999, 0, 24, {"less_than": 30}, {"at_most": 29}),
                "not_low": (30, 30.0, 30.1, 100, {"at_least": 30}, {"more_than": 30.5}),
                "unknown": (*UNKNOWN, {"at_most": 30}, {"at_least": 29.9}),
            },
            "hemoglobin_rise": {
                "enough": (1, 1.0, 1.2, 20, {"at_least": 1}, {"more_than": 1}),
                "too_small": (0.9, 0.99999999999999, 0, -1, -20, {"less_than": 1}, {"at_most": 0}, {"less_than": -0.5}),
                "unknown": (*UNKNOWN, {"at_most": 1}, {"more_than": 0.9}, {"at_least": -1}),
            },
            "hematocrit_rise": {
                "enough": (3, 3.1, 100, {"at_least": 3}, {"more_than": 4}),
                "too_small": (2.9, 0, -4, -100, {"less_than": 3}, {"at_most": 2}),
                "unknown": (*UNKNOWN, {"at_most": 3}, {"at_least": 2.5}),
            },
            "dose_change": {
                "not_raised": (0, 0.0, -0.1, -50, -100, {"at_most": 0}, {"less_than": 0}),
                "raised_by_a_quarter": (25, 0.01, 10, 25.0),
                "raised_by_more": (25.01, 50, 1000, {"more_than": 25}, {"at_least": 26}),
                "at_most_a_quarter": ({"at_most": 25}, {"less_than": 25}, {"at_most": 0.5}),
                "raised": ({"more_than": 0}, {"at_least": 20}, {"at_least": 25}),
                "unknown": (*UNKNOWN, {"at_least": 0}, {"at_most": 26}),
            },
            "weeks_of_treatment": {
                "less_than_eight": (7, 0, 4, 7.0, {"less_than": 8}, {"at_most": 7.5}),
                "eight_or_more": (8, 9, 520, {"at_least": 8}, {"more_than": 7}),
                "unknown": (*UNKNOWN, {"at_least": 7}, {"at_most": 8}),
            },
            "rapid_rise": FLAG,
            "chemotherapy_ongoing": FLAG,
            "final_chemotherapy_date": {
                "within": tuple(DaysBefore(days) for days in (0, 1, 28, 55, 56)),
                "outside": tuple(DaysBefore(days) for days in (57, 58, 365, 30_000, -1, -30)),
                "unknown": UNKNOWN,
            },
        },
        numbers={
            "weekly_dose": (0, 5000, (2.25, 450)),
            "hemoglobin": (0, 30, (10,)),
            "hematocrit": (0, 100, (30,)),
            "hemoglobin_rise": (-20, 20, (1,)),
            "hematocrit_rise": (-100, 100, (3,)),
            "dose_change": (-100, 1000, (0, 25)),
            "weeks_of_treatment": (0, 520, None),
        },
        hcpcs=("J0885", "J0881"),
        icd10=("D64.81",),
        code_samples=(
            ABSENT,
            None,
            {"hcpcs": "J0885", "icd10": ["D64.81"]},
            {"hcpcs": "j0881-EC", "icd10": ["d6481", " D64.81 "]},
            {"hcpcs": "J0882", "icd10": ["D63.1", "D64.81"]},
        ),
        terms={"INCREASE": None},
        favors={
            "INITIATION": {**_FOR, "stage": "initiation", "drug": "darbepoetin_alfa", "weekly_dose": 2.25},
            "MAINTENANCE": {**_FOR, "stage": "maintenance", "hemoglobin_rise": 1, "dose_change": 0},
            "INCREASE": {
                **_FOR,
                "stage": "maintenance",
                "hematocrit_rise": 2.9,
                "dose_change": 25,
                "weeks_of_treatment": 7,
            },
        },
    )
]
