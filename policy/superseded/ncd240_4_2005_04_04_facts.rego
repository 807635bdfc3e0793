# The facts that NCD-240.4, version 2005-04-04, reads.
package payer.criteria["NCD-240.4"]["2005-04-04"]

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
		"name": "surgery_alternative",
		"type": "boolean",
		"question": "Is surgery a likely alternative to CPAP?",
	},
	{
		"name": "ordered_by_treating_physician",
		"type": "boolean",
		"question": "Is CPAP ordered and prescribed by the licensed treating physician?",
	},
	{
		"name": "sleep_test",
		"type": "string",
		"question": "Which sleep test was done?",
		"values": {
			"other": "any other test",
			"portable": "unattended portable multi-channel test",
			"psg": "polysomnography in a facility",
		},
		"synonyms": {
			"polysomnography": "psg",
		},
	},
	{
		"name": "recorded_sleep_hours",
		"type": "number",
		"question": "How many hours of sleep were actually recorded, nothing extrapolated?",
		"minimum": 0,
		"maximum": 24,
		"unit": "hours",
	},
	{
		"name": "ahi",
		"type": "number",
		"question": "How high is the apnea-hypopnea index (AHI), in events per hour?",
		"minimum": 0,
		"maximum": 200,
		"unit": "events per hour",
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
]
