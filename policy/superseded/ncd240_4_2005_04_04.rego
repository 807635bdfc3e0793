# METADATA
# scope: package
# title: CPAP for obstructive sleep apnea
# description: When continuous positive airway pressure (CPAP) is covered for obstructive sleep apnea (OSA), diagnosed in a facility.
# custom:
#   document: NCD-240.4
#   version: "2005-04-04"
#   last_reviewed: "2005-04-04"
#   codes:
#     hcpcs:
#       E0601: Continuous positive airway pressure (CPAP) device
#     icd10:
#       "G47.33": Obstructive sleep apnea (adult) (pediatric)
#   history:
#     - date: "2005-04-04"
#       change: The diagnosis comes from polysomnography in a facility alone, over at least two recorded hours.
package payer.criteria["NCD-240.4"]["2005-04-04"]

import data.payer.criterion

# METADATA
# title: What the document says of itself
# description: The METADATA of this package; the decision's policy and the catalogue come from it.
about := rego.metadata.chain()[1].annotations

# METADATA
# title: Pathways
# description: Any one of them suffices, unless an exclusion is met.
pathways := [pathway_b]

# METADATA
# title: Exclusions
# description: None of them may be met.
exclusions := [exclusion_c_1, exclusion_c_2]

# METADATA
# title: Covered use
# description: CPAP for an adult with moderate or severe OSA, diagnosed by polysomnography in a facility.
# custom:
#   id: B
pathway_b := criterion.all_of(rego.metadata.rule(), [clause_b_1, clause_b_2, clause_b_3, clause_b_4])

# METADATA
# title: Adult with OSA
# description: The beneficiary is an adult with moderate or severe OSA for whom surgery is a likely alternative to CPAP.
# custom:
#   id: B.1
clause_b_1 := criterion.all_of(rego.metadata.rule(), [_osa, _adult, _surgery_alternative])

# METADATA
# title: Obstructive sleep apnea
# description: The diagnosis is moderate or severe obstructive sleep apnea.
_osa := criterion.one_of(rego.metadata.rule(), "diagnosis", {"osa"})

# METADATA
# title: Adult
# description: The beneficiary is 18 years or older.
_adult := criterion.at_least(rego.metadata.rule(), "age", 18)

# METADATA
# title: Surgery as alternative
# description: Surgery is a likely alternative to CPAP.
_surgery_alternative := criterion.is_true(rego.metadata.rule(), "surgery_alternative")

# METADATA
# title: Order
# description: CPAP is ordered and prescribed by the licensed treating physician.
# custom:
#   id: B.2
clause_b_2 := criterion.is_true(rego.metadata.rule(), "ordered_by_treating_physician")

# METADATA
# title: Polysomnography
# description: The diagnosis comes from polysomnography in a facility with at least two recorded hours of sleep.
# custom:
#   id: B.3
clause_b_3 := criterion.all_of(rego.metadata.rule(), [_psg, _two_hours])

# METADATA
# title: In a facility
# description: The test is polysomnography in a facility.
_psg := criterion.one_of(rego.metadata.rule(), "sleep_test", {"psg"})

# METADATA
# title: Two hours
# description: At least two hours of sleep were recorded, none of them extrapolated.
_two_hours := criterion.at_least(rego.metadata.rule(), "recorded_sleep_hours", 2)

# METADATA
# title: Positive test
# description: The test is positive by one of two limits of AHI.
# custom:
#   id: B.4
clause_b_4 := criterion.any_of(rego.metadata.rule(), [clause_b_4_a, clause_b_4_b])

# METADATA
# title: Fifteen events or more
# description: AHI is 15 events per hour or more.
# custom:
#   id: B.4.a
clause_b_4_a := criterion.at_least(rego.metadata.rule(), "ahi", 15)

# METADATA
# title: Five to fourteen events
# description: AHI is 5 to 14 events per hour, with documented symptoms or comorbidities.
# custom:
#   id: B.4.b
clause_b_4_b := criterion.all_of(rego.metadata.rule(), [_five_to_fourteen, clause_b_4_b_documented])

# METADATA
# title: AHI of 5 to 14
# description: AHI is 5 to 14 events per hour.
_five_to_fourteen := criterion.from_to(rego.metadata.rule(), "ahi", 5, 14)

# METADATA
# title: Symptoms or comorbidities
# description: A symptom or a comorbidity that the document names is on record.
# custom:
#   id: B.4.b.documented
clause_b_4_b_documented := criterion.any_of(rego.metadata.rule(), [_symptom, _comorbidity])

# METADATA
# title: Symptom
# description: Excessive daytime sleepiness, impaired cognition, a mood disorder or insomnia is documented.
_symptom := criterion.holds_any(rego.metadata.rule(), "symptoms", {"excessive_daytime_sleepiness", "impaired_cognition", "mood_disorder", "insomnia"})

# METADATA
# title: Comorbidity
# description: Hypertension, ischemic heart disease or a history of stroke is documented.
_comorbidity := criterion.holds_any(rego.metadata.rule(), "comorbidities", {"hypertension", "ischemic_heart_disease", "stroke_history"})

# METADATA
# title: Portable test
# description: The diagnosis comes from an unattended portable test.
# custom:
#   id: C.1
exclusion_c_1 := criterion.one_of(rego.metadata.rule(), "sleep_test", {"portable"})

# METADATA
# title: Every other use
# description: The request does not meet the pathway.
# custom:
#   id: C.2
exclusion_c_2 := criterion.fallback(rego.metadata.rule(), pathways)
