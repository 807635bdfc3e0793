# The facts that NCD-240.4, version 2008-03-13, reads.
package payer.criteria["NCD-240.4"]["2008-03-13"]

# METADATA
# title: Facts of NCD-240.4
# description: |
#   In the order in which they are asked for: the name, the type, the question, and by type the allowed values with their
#   labels and synonyms, the range and the unit. An array holds no repeats and is complete when given.
facts := [
	{
		"name": "diagnosis",
		"type": "string",
		"question": "What is the diagnosis?",
		"values": {
			"osa": "moderate or severe obstructive sleep apnea, OSA",
			"other": "any other diagnosis",
		},
	},
	{
		"name": "age",
		"type": "integer",
		"question": "How old is the beneficiary on the date of service, in years?",
		"minimum": 0,
		"maximum": 130,
		"unit": "years",
	},
	{
		"name": "period",
		"type": "string",
		"question": "Which period of CPAP use is requested?",
		"values": {
			"continued": "continued use, after the first 12 weeks",
			"initial": "initial use, the first 12 weeks",
		},
	},
	{
		"name": "educated",
		"type": "boolean",
		"question": "Has the provider taught the beneficiary how to use the device before its use?",
	},
	{
		"name": "clinical_evaluation",
		"type": "boolean",
		"question": "Does a clinical evaluation stand beside the sleep test?",
	},
	{
		"name": "sleep_test",
		"type": "string",
		"question": "Which sleep test was done?",
		"values": {
			"hst_type_ii": "home sleep test, type II",
			"hst_type_iii": "home sleep test, type III",
			"hst_type_iv": "home sleep test, type IV",
			"other": "any other test",
			"psg": "polysomnography in a facility",
		},
		"synonyms": {
			"polysomnography": "psg",
		},
	},
	{
		"name": "hst_channels",
		"type": "integer",
		"question": "How many channels does the type IV monitor measure?",
		"minimum": 1,
		"maximum": 64,
	},
	{
		"name": "ordered_by_treating_physician",
		"type": "boolean",
		"question": "Was the sleep test ordered by the beneficiary's treating physician?",
	},
	{
		"name": "supervised",
		"type": "boolean",
		"question": "Was the sleep test done under appropriate physician supervision?",
	},
	{
		"name": "events_per_hour",
		"type": "number",
		"question": "How high is the AHI or RDI, in events per hour?",
		"minimum": 0,
		"maximum": 200,
		"unit": "events per hour",
	},
	{
		"name": "recorded_sleep_hours",
		"type": "number",
		"question": "How many hours of continuous sleep were recorded?",
		"minimum": 0,
		"maximum": 24,
		"unit": "hours",
	},
	{
		"name": "recorded_events",
		"type": "integer",
		"question": "How many events were recorded during the test, all in all?",
		"minimum": 0,
		"maximum": 5000,
	},
	{
		"name": "symptoms",
		"type": "array",
		"question": "Which symptoms are documented (none: an empty list)?",
		"values": {
			"excessive_daytime_sleepiness": "excessive daytime sleepiness",
			"impaired_cognition": "impaired cognition",
			"insomnia": "insomnia",
			"mood_disorder": "a mood disorder",
			"other": "any other symptom",
		},
	},
	{
		"name": "comorbidities",
		"type": "array",
		"question": "Which comorbidities are documented (none: an empty list)?",
		"values": {
			"hypertension": "hypertension",
			"ischemic_heart_disease": "ischemic heart disease",
			"other": "any other comorbidity",
			"stroke_history": "a history of stroke",
		},
	},
	{
		"name": "benefited",
		"type": "boolean",
		"question": "Has the beneficiary benefited from CPAP during the first 12 weeks?",
	},
]
