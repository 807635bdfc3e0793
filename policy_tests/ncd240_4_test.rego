package payer.ncd240_4_test

import data.payer.as_read
import data.payer.criteria

test_order_of_the_document if {
	as_read.order("NCD-240.4", "2008-03-13") == [
		"INITIAL: B.1, B.initial, B.2, B.3, B.4, B.5",
		"CONTINUED: B.1, B.continued, B.3, B.4, B.5",
		"C.1",
		"C.2",
	]
}

# Word for word; the vectors hold the states of every clause.
test_criteria_as_people_read_them if {
	as_read.criteria("NCD-240.4", "2008-03-13") == [
		"INITIAL CPAP for an adult with OSA in the first 12 weeks, as a trial.",
		"B.1 The beneficiary is an adult with obstructive sleep apnea.",
		"B.1.diagnosis The diagnosis is obstructive sleep apnea.",
		"B.1.age The beneficiary is 18 years or older.",
		"B.initial The request is for the first 12 weeks.",
		"B.2 The provider has taught the beneficiary how to use the device before its use.",
		"B.3 The diagnosis rests on a clinical evaluation and an accepted sleep test.",
		"B.3.clinical_evaluation A clinical evaluation stands beside the test.",
		"B.3.test The test is polysomnography in a facility or a home sleep test of type II, III or, with enough channels, IV.",
		"B.3.test.sleep_test The test is polysomnography in a facility or a home sleep test of type II or III.",
		"B.3.test.iv The test is a home sleep test of type IV that measures at least three channels.",
		"B.3.test.iv.sleep_test The test is a home sleep test of type IV.",
		"B.3.test.iv.hst_channels The type IV monitor measures three channels or more.",
		"B.4 The test was ordered by the treating physician and supervised by a physician.",
		"B.4.ordered_by_treating_physician The test was ordered by the beneficiary's treating physician.",
		"B.4.supervised The test was done under appropriate physician supervision.",
		"B.5 The test is positive by one of two limits of AHI or RDI.",
		"B.5.a AHI or RDI is at least 15 events per hour, on a long enough recording.",
		"B.5.a.events_per_hour AHI or RDI is 15 events per hour or more.",
		"B.5.a.recorded Two hours of sleep were recorded, or as many events as two hours would have required at that limit, 30.",
		"B.5.a.recorded.recorded_sleep_hours At least two hours of continuous sleep were recorded.",
		"B.5.a.recorded.recorded_events At least 30 events were recorded.",
		"B.5.b AHI or RDI is 5 to 14 events per hour, on a long enough recording, with documented symptoms or comorbidities.",
		"B.5.b.events_per_hour AHI or RDI is 5 to 14 events per hour.",
		"B.5.b.recorded Two hours of sleep were recorded, or as many events as two hours would have required at that limit, 10.",
		"B.5.b.recorded.recorded_sleep_hours At least two hours of continuous sleep were recorded.",
		"B.5.b.recorded.recorded_events At least 10 events were recorded.",
		"B.5.b.documented A symptom or a comorbidity that the document names is on record.",
		"B.5.b.documented.symptoms Excessive daytime sleepiness, impaired cognition, a mood disorder or insomnia is documented.",
		"B.5.b.documented.comorbidities Hypertension, ischemic heart disease or a history of stroke is documented.",
		"CONTINUED CPAP after the first 12 weeks for an adult with OSA who has benefited from it.",
		"B.continued The request is for the time after the first 12 weeks, and the beneficiary has benefited in them.",
		"B.continued.period The request is for the time after the first 12 weeks.",
		"B.continued.benefited The beneficiary benefits from CPAP during the first 12 weeks.",
		"C.1 The diagnosis comes from a test other than those that are accepted.",
		"C.2 The request meets none of the pathways.",
	]
}

test_facts_as_people_read_them if {
	as_read.facts("NCD-240.4", "2008-03-13") == [
		"diagnosis, string: What is the diagnosis? osa: moderate or severe obstructive sleep apnea, OSA; other: any other diagnosis",
		"age, integer: How old is the beneficiary on the date of service, in years? 0 to 130 years",
		"period, string: Which period of CPAP use is requested? continued: continued use, after the first 12 weeks; initial: initial use, the first 12 weeks",
		"educated, boolean: Has the provider taught the beneficiary how to use the device before its use?",
		"clinical_evaluation, boolean: Does a clinical evaluation stand beside the sleep test?",
		"sleep_test, string: Which sleep test was done? hst_type_ii: home sleep test, type II; hst_type_iii: home sleep test, type III; hst_type_iv: home sleep test, type IV; other: any other test; psg: polysomnography in a facility",
		"hst_channels, integer: How many channels does the type IV monitor measure? 1 to 64",
		"ordered_by_treating_physician, boolean: Was the sleep test ordered by the beneficiary's treating physician?",
		"supervised, boolean: Was the sleep test done under appropriate physician supervision?",
		"events_per_hour, number: How high is the AHI or RDI, in events per hour? 0 to 200 events per hour",
		"recorded_sleep_hours, number: How many hours of continuous sleep were recorded? 0 to 24 hours",
		"recorded_events, integer: How many events were recorded during the test, all in all? 0 to 5000",
		"symptoms, array: Which symptoms are documented (none: an empty list)? excessive_daytime_sleepiness: excessive daytime sleepiness; impaired_cognition: impaired cognition; insomnia: insomnia; mood_disorder: a mood disorder; other: any other symptom",
		"comorbidities, array: Which comorbidities are documented (none: an empty list)? hypertension: hypertension; ischemic_heart_disease: ischemic heart disease; other: any other comorbidity; stroke_history: a history of stroke",
		"benefited, boolean: Has the beneficiary benefited from CPAP during the first 12 weeks?",
	]
}

# A clause under two pathways, five levels deep, as it stands in a decision.
test_clause_b_5_a_recorded if {
	_clauses(_version.pathway_initial.node) == _clauses(_version.pathway_continued.node) with input as {"facts": {"recorded_events": 29}}
	_version.clause_b_5_a_recorded.node == {
		"id": "B.5.a.recorded",
		"text": "Two hours of sleep were recorded, or as many events as two hours would have required at that limit, 30.",
		"state": "unknown",
		"any_of": [
			{
				"id": "B.5.a.recorded.recorded_sleep_hours",
				"text": "At least two hours of continuous sleep were recorded.",
				"state": "unknown",
				"fact": "recorded_sleep_hours",
				"value": null,
			},
			{
				"id": "B.5.a.recorded.recorded_events",
				"text": "At least 30 events were recorded.",
				"state": "not_met",
				"fact": "recorded_events",
				"value": 29,
			},
		],
	} with input as {"facts": {"recorded_events": 29}}
}

_clauses(pathway) := [clause | some clause in pathway.all_of; clause.id in {"B.1", "B.3", "B.4", "B.5"}]

_version := criteria["NCD-240.4"]["2008-03-13"]
