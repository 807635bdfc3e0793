package payer.ncd240_4_2005_04_04_test

import data.payer.as_read

test_order_of_the_document if {
	as_read.order("NCD-240.4", "2005-04-04") == [
		"B: B.1, B.2, B.3, B.4",
		"C.1",
		"C.2",
	]
}

# Word for word; the vectors hold the states of every clause.
test_criteria_as_people_read_them if {
	as_read.criteria("NCD-240.4", "2005-04-04") == [
		"B CPAP for an adult with moderate or severe OSA, diagnosed by polysomnography in a facility.",
		"B.1 The beneficiary is an adult with moderate or severe OSA for whom surgery is a likely alternative to CPAP.",
		"B.1.diagnosis The diagnosis is moderate or severe obstructive sleep apnea.",
		"B.1.age The beneficiary is 18 years or older.",
		"B.1.surgery_alternative Surgery is a likely alternative to CPAP.",
		"B.2 CPAP is ordered and prescribed by the licensed treating physician.",
		"B.3 The diagnosis comes from polysomnography in a facility with at least two recorded hours of sleep.",
		"B.3.sleep_test The test is polysomnography in a facility.",
		"B.3.recorded_sleep_hours At least two hours of sleep were recorded, none of them extrapolated.",
		"B.4 The test is positive by one of two limits of AHI.",
		"B.4.a AHI is 15 events per hour or more.",
		"B.4.b AHI is 5 to 14 events per hour, with documented symptoms or comorbidities.",
		"B.4.b.ahi AHI is 5 to 14 events per hour.",
		"B.4.b.documented A symptom or a comorbidity that the document names is on record.",
		"B.4.b.documented.symptoms Excessive daytime sleepiness, impaired cognition, a mood disorder or insomnia is documented.",
		"B.4.b.documented.comorbidities Hypertension, ischemic heart disease or a history of stroke is documented.",
		"C.1 The diagnosis comes from an unattended portable test.",
		"C.2 The request does not meet the pathway.",
	]
}

test_facts_as_people_read_them if {
	as_read.facts("NCD-240.4", "2005-04-04") == [
		"diagnosis, string: What is the diagnosis? osa: moderate or severe obstructive sleep apnea, OSA; other: any other diagnosis",
		"age, integer: How old is the beneficiary on the date of service, in years? 0 to 130 years",
		"surgery_alternative, boolean: Is surgery a likely alternative to CPAP?",
		"ordered_by_treating_physician, boolean: Is CPAP ordered and prescribed by the licensed treating physician?",
		"sleep_test, string: Which sleep test was done? other: any other test; portable: unattended portable multi-channel test; psg: polysomnography in a facility",
		"recorded_sleep_hours, number: How many hours of sleep were actually recorded, nothing extrapolated? 0 to 24 hours",
		"ahi, number: How high is the apnea-hypopnea index (AHI), in events per hour? 0 to 200 events per hour",
		"symptoms, array: Which symptoms are documented (none: an empty list)? excessive_daytime_sleepiness: excessive daytime sleepiness; impaired_cognition: impaired cognition; insomnia: insomnia; mood_disorder: a mood disorder; other: any other symptom",
		"comorbidities, array: Which comorbidities are documented (none: an empty list)? hypertension: hypertension; ischemic_heart_disease: ischemic heart disease; other: any other comorbidity; stroke_history: a history of stroke",
	]
}
