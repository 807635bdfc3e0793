# METADATA
# scope: package
# title: Erythropoiesis stimulating agents (ESAs) in cancer
# description: When ESAs are covered for the anemia that myelosuppressive anticancer chemotherapy causes.
# custom:
#   document: NCD-110.21
#   version: "2007-07-30"
#   last_reviewed: "2007-07-30"
#   codes:
#     hcpcs:
#       J0881: Injection of darbepoetin alfa, 1 microgram (non-ESRD use)
#       J0885: Injection of epoetin alfa, 1000 units (non-ESRD use)
#     icd10:
#       "D64.81": Anemia due to antineoplastic chemotherapy
#   history:
#     - date: "2007-07-30"
#       change: First determination on ESAs in cancer and related conditions.
package payer.criteria["NCD-110.21"]["2007-07-30"]

import data.payer.criterion

# METADATA
# title: What the document says of itself
# description: The METADATA of this package; the decision's policy and the catalogue come from it.
about := rego.metadata.chain()[1].annotations

# METADATA
# title: Pathways
# description: Any one of them suffices, unless an exclusion is met.
pathways := [pathway_initiation, pathway_maintenance, pathway_increase]

# METADATA
# title: Exclusions
# description: None of them may be met.
exclusions := [exclusion_n_1, exclusion_n_2, exclusion_n_3, exclusion_n_4, exclusion_n_5, exclusion_n_6, exclusion_n_7]

# METADATA
# title: Initiation
# description: An ESA is started, at no more than the starting dose of its label.
# custom:
#   id: INITIATION
pathway_initiation := criterion.all_of(rego.metadata.rule(), [clause_a, clause_stage_initiation, clause_1, clause_2, clause_5])

# METADATA
# title: Maintenance
# description: An ESA that has worked over four weeks goes on at the starting dose.
# custom:
#   id: MAINTENANCE
pathway_maintenance := criterion.all_of(rego.metadata.rule(), [clause_a, clause_stage_maintenance, clause_1, clause_3, clause_5])

# METADATA
# title: Increase
# description: The dose of an ESA that has not worked enough over four weeks is raised.
# custom:
#   id: INCREASE
#   terms:
#     text: The dose may be raised once, by 25 % of the starting dose.
pathway_increase := criterion.all_of(rego.metadata.rule(), [clause_a, clause_stage_maintenance, clause_1, clause_4, clause_5])

# METADATA
# title: Anemia of chemotherapy
# description: The anemia comes from myelosuppressive chemotherapy of a cancer that the document names.
# custom:
#   id: A
clause_a := criterion.all_of(rego.metadata.rule(), [_of_chemotherapy, _named_cancer])

# METADATA
# title: Chemotherapy as cause
# description: Myelosuppressive anticancer chemotherapy causes the anemia.
_of_chemotherapy := criterion.one_of(rego.metadata.rule(), "cause", {"chemotherapy"})

# METADATA
# title: Named cancer
# description: The cancer is a solid tumor, multiple myeloma, lymphoma or lymphocytic leukemia.
_named_cancer := criterion.one_of(rego.metadata.rule(), "malignancy", {"solid_tumor", "multiple_myeloma", "lymphoma", "lymphocytic_leukemia"})

# METADATA
# title: Below the limit
# description: Immediately before this step of treatment hemoglobin is below 10 g/dL or hematocrit below 30 %.
# custom:
#   id: "1"
clause_1 := criterion.any_of(rego.metadata.rule(), [_low_hemoglobin, _low_hematocrit])

# METADATA
# title: Hemoglobin
# description: Hemoglobin is below 10 g/dL.
_low_hemoglobin := criterion.less_than(rego.metadata.rule(), "hemoglobin", 10)

# METADATA
# title: Hematocrit
# description: Hematocrit is below 30 %.
_low_hematocrit := criterion.less_than(rego.metadata.rule(), "hematocrit", 30)

# METADATA
# title: Starting dose
# description: The starting dose is at most the one of the drug's label.
# custom:
#   id: "2"
clause_2 := criterion.any_of(rego.metadata.rule(), [clause_2_epoetin, clause_2_darbepoetin])

# METADATA
# title: Starting dose of epoetin
# description: It is epoetin alfa, at most 150 U/kg three times a week.
# custom:
#   id: 2.epoetin
clause_2_epoetin := criterion.all_of(rego.metadata.rule(), [_epoetin, _epoetin_dose])

# METADATA
# title: Epoetin alfa
# description: The drug is epoetin alfa.
_epoetin := criterion.one_of(rego.metadata.rule(), "drug", {"epoetin_alfa"})

# METADATA
# title: Dose of epoetin
# description: The weekly dose is at most 450 U/kg.
_epoetin_dose := criterion.at_most(rego.metadata.rule(), "weekly_dose", 450)

# METADATA
# title: Starting dose of darbepoetin
# description: It is darbepoetin alfa, at most 2.25 mcg/kg once a week.
# custom:
#   id: 2.darbepoetin
clause_2_darbepoetin := criterion.all_of(rego.metadata.rule(), [_darbepoetin, _darbepoetin_dose])

# METADATA
# title: Darbepoetin alfa
# description: The drug is darbepoetin alfa.
_darbepoetin := criterion.one_of(rego.metadata.rule(), "drug", {"darbepoetin_alfa"})

# METADATA
# title: Dose of darbepoetin
# description: The weekly dose is at most 2.25 mcg/kg.
_darbepoetin_dose := criterion.at_most(rego.metadata.rule(), "weekly_dose", 2.25)

# METADATA
# title: Same dose after a response
# description: The treatment has worked over four weeks and goes on at no more than the starting dose.
# custom:
#   id: "3"
clause_3 := criterion.all_of(rego.metadata.rule(), [clause_3_response, _not_raised])

# METADATA
# title: Response
# description: Over four weeks of treatment hemoglobin has risen by at least 1 g/dL or hematocrit by at least 3 %.
# custom:
#   id: 3.response
clause_3_response := criterion.any_of(rego.metadata.rule(), [_hemoglobin_rose, _hematocrit_rose])

# METADATA
# title: Rise in hemoglobin
# description: Hemoglobin has risen by 1 g/dL or more.
_hemoglobin_rose := criterion.at_least(rego.metadata.rule(), "hemoglobin_rise", 1)

# METADATA
# title: Rise in hematocrit
# description: Hematocrit has risen by 3 % or more.
_hematocrit_rose := criterion.at_least(rego.metadata.rule(), "hematocrit_rise", 3)

# METADATA
# title: Dose not raised
# description: The dose is no higher than the starting dose.
_not_raised := criterion.at_most(rego.metadata.rule(), "dose_change", 0)

# METADATA
# title: Higher dose without a response
# description: The treatment has not worked enough over four weeks, and before the eighth week the dose is raised by at most 25 %.
# custom:
#   id: "4"
clause_4 := criterion.all_of(rego.metadata.rule(), [clause_4_response, _raised_by_a_quarter, _before_week_eight])

# METADATA
# title: No response
# description: Over four weeks of treatment hemoglobin has risen by less than 1 g/dL or hematocrit by less than 3 %.
# custom:
#   id: 4.response
clause_4_response := criterion.any_of(rego.metadata.rule(), [_hemoglobin_stayed, _hematocrit_stayed])

# METADATA
# title: Small rise in hemoglobin
# description: Hemoglobin has risen by less than 1 g/dL.
_hemoglobin_stayed := criterion.less_than(rego.metadata.rule(), "hemoglobin_rise", 1)

# METADATA
# title: Small rise in hematocrit
# description: Hematocrit has risen by less than 3 %.
_hematocrit_stayed := criterion.less_than(rego.metadata.rule(), "hematocrit_rise", 3)

# METADATA
# title: Dose raised by a quarter
# description: The dose is at most 25 % higher than the starting dose.
_raised_by_a_quarter := criterion.at_most(rego.metadata.rule(), "dose_change", 25)

# METADATA
# title: Before the eighth week
# description: Treatment has lasted less than eight weeks.
_before_week_eight := criterion.less_than(rego.metadata.rule(), "weeks_of_treatment", 8)

# METADATA
# title: Course of chemotherapy
# description: The chemotherapy goes on, or its final dose was given in the eight weeks before the date of service.
# custom:
#   id: "5"
clause_5 := criterion.any_of(rego.metadata.rule(), [_ongoing, _ended_of_late])

# METADATA
# title: Ongoing chemotherapy
# description: The chemotherapy goes on.
_ongoing := criterion.is_true(rego.metadata.rule(), "chemotherapy_ongoing")

# METADATA
# title: Final dose
# description: The final dose of chemotherapy was given at most 56 days before the date of service, and not after it.
_ended_of_late := criterion.within_days_before(rego.metadata.rule(), "final_chemotherapy_date", 56)

# METADATA
# title: Stage of initiation
# description: The treatment is to be started.
# custom:
#   id: stage.initiation
clause_stage_initiation := criterion.one_of(rego.metadata.rule(), "stage", {"initiation"})

# METADATA
# title: Stage of maintenance
# description: The treatment was started at least four weeks ago.
# custom:
#   id: stage.maintenance
clause_stage_maintenance := criterion.one_of(rego.metadata.rule(), "stage", {"maintenance"})

# METADATA
# title: Anemia of another cause
# description: The anemia comes from a deficiency, blood loss, marrow fibrosis, radiotherapy alone or the cancer itself.
# custom:
#   id: N.1
exclusion_n_1 := criterion.one_of(rego.metadata.rule(), "cause", {
	"folate_deficiency", "b12_deficiency", "iron_deficiency", "hemolysis",
	"bleeding", "bone_marrow_fibrosis", "radiotherapy", "cancer",
})

# METADATA
# title: Myeloid or erythroid cancer
# description: The cancer is acute or chronic myelogenous leukemia (AML, CML) or an erythroid cancer.
# custom:
#   id: N.2
exclusion_n_2 := criterion.one_of(rego.metadata.rule(), "malignancy", {"aml", "cml", "erythroid_cancer"})

# METADATA
# title: Prophylactic use
# description: The drug is given to prevent anemia or to reduce tumor hypoxia.
# custom:
#   id: N.3
exclusion_n_3 := criterion.is_true(rego.metadata.rule(), "prophylactic")

# METADATA
# title: Neutralizing antibodies
# description: Neutralizing antibodies cause erythropoietin-type resistance.
# custom:
#   id: N.4
exclusion_n_4 := criterion.is_true(rego.metadata.rule(), "neutralizing_antibodies")

# METADATA
# title: Uncontrolled hypertension
# description: The patient has uncontrolled hypertension.
# custom:
#   id: N.5
exclusion_n_5 := criterion.is_true(rego.metadata.rule(), "uncontrolled_hypertension")

# METADATA
# title: Rapid rise
# description: Hemoglobin or hematocrit has risen rapidly and is no longer below its limit.
# custom:
#   id: N.6
exclusion_n_6 := criterion.all_of(rego.metadata.rule(), [_rapid_rise, clause_n_6_limit])

# METADATA
# title: Rise within two weeks
# description: Hemoglobin rose by more than 1 g/dL, or hematocrit by more than 3 %, within some two weeks of treatment.
_rapid_rise := criterion.is_true(rego.metadata.rule(), "rapid_rise")

# METADATA
# title: Not below the limit
# description: Hemoglobin is not below 10 g/dL, nor is hematocrit below 30 %.
# custom:
#   id: N.6.limit
clause_n_6_limit := criterion.none_of(rego.metadata.rule(), [clause_1])

# METADATA
# title: Every other use
# description: The request meets none of the pathways.
# custom:
#   id: N.7
exclusion_n_7 := criterion.fallback(rego.metadata.rule(), pathways)
