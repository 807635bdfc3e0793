# METADATA
# scope: package
# title: CPAP for obstructive sleep apnea
# description: When continuous positive airway pressure (CPAP) is covered for obstructive sleep apnea (OSA), the first 12 weeks as a trial.
# custom:
#   document: NCD-240.4
#   version: "2008-03-13"
#   last_reviewed: "2008-03-13"
#   codes:
#     hcpcs:
#       E0601: Continuous positive airway pressure (CPAP) device
#     icd10:
#       "G47.33": Obstructive sleep apnea (adult) (pediatric)
#   history:
#     - date: "2008-03-13"
#       change: Home sleep tests of types II, III and IV accepted; RDI beside AHI; the first 12 weeks are a trial.
#     - date: "2005-04-04"
#       change: The diagnosis comes from polysomnography in a facility alone, over at least two recorded hours.
package payer.criteria["NCD-240.4"]["2008-03-13"]

import data.payer.criterion

# METADATA
# title: What the document says of itself
# description: The METADATA of this package; the decision's policy and the catalogue come from it.
about := rego.metadata.chain()[1].annotations

# METADATA
# title: Pathways
# description: Any one of them suffices, unless an exclusion is met.
pathways := [pathway_initial, pathway_continued]

# METADATA
# title: Exclusions
# description: None of them may be met.
exclusions := [exclusion_c_1, exclusion_c_2]

# METADATA
# title: Initial coverage
# description: CPAP for an adult with OSA in the first 12 weeks, as a trial.
# custom:
#   id: INITIAL
#   terms:
#     text: Approved for a trial of 12 weeks; coverage goes on only for those who benefit from it.
#     duration: P12W
pathway_initial := criterion.all_of(rego.metadata.rule(), [clause_b_1, clause_b_initial, clause_b_2, clause_b_3, clause_b_4, clause_b_5])

# METADATA
# title: Continued coverage
# description: CPAP after the first 12 weeks for an adult with OSA who has benefited from it.
# custom:
#   id: CONTINUED
#   terms:
#     text: Approved for continued use; the document names no duration.
pathway_continued := criterion.all_of(rego.metadata.rule(), [clause_b_1, clause_b_continued, clause_b_3, clause_b_4, clause_b_5])

# METADATA
# title: Adult with OSA
# description: The beneficiary is an adult with obstructive sleep apnea.
# custom:
#   id: B.1
clause_b_1 := criterion.all_of(rego.metadata.rule(), [_osa, _adult])

# METADATA
# title: Obstructive sleep apnea
# description: The diagnosis is obstructive sleep apnea.
_osa := criterion.one_of(rego.metadata.rule(), "diagnosis", {"osa"})

# METADATA
# title: Adult
# description: The beneficiary is 18 years or older.
_adult := criterion.at_least(rego.metadata.rule(), "age", 18)

# METADATA
# title: Education
# description: The provider has taught the beneficiary how to use the device before its use.
# custom:
#   id: B.2
clause_b_2 := criterion.is_true(rego.metadata.rule(), "educated")

# METADATA
# title: Evaluation and test
# description: The diagnosis rests on a clinical evaluation and an accepted sleep test.
# custom:
#   id: B.3
clause_b_3 := criterion.all_of(rego.metadata.rule(), [_clinical_evaluation, clause_b_3_test])

# METADATA
# title: Clinical evaluation
# description: A clinical evaluation stands beside the test.
_clinical_evaluation := criterion.is_true(rego.metadata.rule(), "clinical_evaluation")

# METADATA
# title: Accepted sleep test
# description: The test is polysomnography in a facility or a home sleep test of type II, III or, with enough channels, IV.
# custom:
#   id: B.3.test
clause_b_3_test := criterion.any_of(rego.metadata.rule(), [_psg_ii_or_iii, clause_b_3_test_iv])

# METADATA
# title: Polysomnography, type II or III
# description: The test is polysomnography in a facility or a home sleep test of type II or III.
_psg_ii_or_iii := criterion.one_of(rego.metadata.rule(), "sleep_test", {"psg", "hst_type_ii", "hst_type_iii"})

# METADATA
# title: Type IV
# description: The test is a home sleep test of type IV that measures at least three channels.
# custom:
#   id: B.3.test.iv
clause_b_3_test_iv := criterion.all_of(rego.metadata.rule(), [_type_iv, _three_channels])

# METADATA
# title: Home sleep test of type IV
# description: The test is a home sleep test of type IV.
_type_iv := criterion.one_of(rego.metadata.rule(), "sleep_test", {"hst_type_iv"})

# METADATA
# title: Three channels
# description: The type IV monitor measures three channels or more.
_three_channels := criterion.at_least(rego.metadata.rule(), "hst_channels", 3)

# METADATA
# title: Order and supervision
# description: The test was ordered by the treating physician and supervised by a physician.
# custom:
#   id: B.4
clause_b_4 := criterion.all_of(rego.metadata.rule(), [_ordered, _supervised])

# METADATA
# title: Ordered
# description: The test was ordered by the beneficiary's treating physician.
_ordered := criterion.is_true(rego.metadata.rule(), "ordered_by_treating_physician")

# METADATA
# title: Supervised
# description: The test was done under appropriate physician supervision.
_supervised := criterion.is_true(rego.metadata.rule(), "supervised")

# METADATA
# title: Positive test
# description: The test is positive by one of two limits of AHI or RDI.
# custom:
#   id: B.5
clause_b_5 := criterion.any_of(rego.metadata.rule(), [clause_b_5_a, clause_b_5_b])

# METADATA
# title: Fifteen events or more
# description: AHI or RDI is at least 15 events per hour, on a long enough recording.
# custom:
#   id: B.5.a
clause_b_5_a := criterion.all_of(rego.metadata.rule(), [_fifteen_or_more, clause_b_5_a_recorded])

# METADATA
# title: AHI or RDI of 15 or more
# description: AHI or RDI is 15 events per hour or more.
_fifteen_or_more := criterion.at_least(rego.metadata.rule(), "events_per_hour", 15)

# METADATA
# title: Recording for fifteen events
# description: Two hours of sleep were recorded, or as many events as two hours would have required at that limit, 30.
# custom:
#   id: B.5.a.recorded
clause_b_5_a_recorded := criterion.any_of(rego.metadata.rule(), [_two_hours, _thirty_events])

# METADATA
# title: Two hours
# description: At least two hours of continuous sleep were recorded.
_two_hours := criterion.at_least(rego.metadata.rule(), "recorded_sleep_hours", 2)

# METADATA
# title: Thirty events
# description: At least 30 events were recorded.
_thirty_events := criterion.at_least(rego.metadata.rule(), "recorded_events", 30)

# METADATA
# title: Five to fourteen events
# description: AHI or RDI is 5 to 14 events per hour, on a long enough recording, with documented symptoms or comorbidities.
# custom:
#   id: B.5.b
clause_b_5_b := criterion.all_of(rego.metadata.rule(), [_five_to_fourteen, clause_b_5_b_recorded, clause_b_5_b_documented])

# METADATA
# title: AHI or RDI of 5 to 14
# description: AHI or RDI is 5 to 14 events per hour.
_five_to_fourteen := criterion.from_to(rego.metadata.rule(), "events_per_hour", 5, 14)

# METADATA
# title: Recording for five events
# description: Two hours of sleep were recorded, or as many events as two hours would have required at that limit, 10.
# custom:
#   id: B.5.b.recorded
clause_b_5_b_recorded := criterion.any_of(rego.metadata.rule(), [_two_hours, _ten_events])

# METADATA
# title: Ten events
# description: At least 10 events were recorded.
_ten_events := criterion.at_least(rego.metadata.rule(), "recorded_events", 10)

# METADATA
# title: Symptoms or comorbidities
# description: A symptom or a comorbidity that the document names is on record.
# custom:
#   id: B.5.b.documented
clause_b_5_b_documented := criterion.any_of(rego.metadata.rule(), [_symptom, _comorbidity])

# METADATA
# title: Symptom
# description: Excessive daytime sleepiness, impaired cognition, a mood disorder or insomnia is documented.
_symptom := criterion.holds_any(rego.metadata.rule(), "symptoms", {"excessive_daytime_sleepiness", "impaired_cognition", "mood_disorder", "insomnia"})

# METADATA
# title: Comorbidity
# description: Hypertension, ischemic heart disease or a history of stroke is documented.
_comorbidity := criterion.holds_any(rego.metadata.rule(), "comorbidities", {"hypertension", "ischemic_heart_disease", "stroke_history"})

# METADATA
# title: First 12 weeks
# description: The request is for the first 12 weeks.
# custom:
#   id: B.initial
clause_b_initial := criterion.one_of(rego.metadata.rule(), "period", {"initial"})

# METADATA
# title: After a trial that helped
# description: The request is for the time after the first 12 weeks, and the beneficiary has benefited in them.
# custom:
#   id: B.continued
clause_b_continued := criterion.all_of(rego.metadata.rule(), [_after_the_trial, _benefited])

# METADATA
# title: After the first 12 weeks
# description: The request is for the time after the first 12 weeks.
_after_the_trial := criterion.one_of(rego.metadata.rule(), "period", {"continued"})

# METADATA
# title: Benefit
# description: The beneficiary benefits from CPAP during the first 12 weeks.
_benefited := criterion.is_true(rego.metadata.rule(), "benefited")

# METADATA
# title: Another test
# description: The diagnosis comes from a test other than those that are accepted.
# custom:
#   id: C.1
exclusion_c_1 := criterion.one_of(rego.metadata.rule(), "sleep_test", {"other"})

# METADATA
# title: Every other use
# description: The request meets none of the pathways.
# custom:
#   id: C.2
exclusion_c_2 := criterion.fallback(rego.metadata.rule(), pathways)
