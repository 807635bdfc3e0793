# The facts that NCD-110.21, version 2007-07-30, reads.
package payer.criteria["NCD-110.21"]["2007-07-30"]

# METADATA
# title: Facts of NCD-110.21
# description: |
#   In the order in which they are asked for: the name, the type, the question, and by type the allowed values with their
#   labels and synonyms, the range and the unit.
facts := [
	{
		"name": "cause",
		"type": "string",
		"question": "What causes the anemia?",
		"values": {
			"b12_deficiency": "vitamin B12 deficiency",
			"bleeding": "bleeding",
			"bone_marrow_fibrosis": "bone marrow fibrosis",
			"cancer": "the cancer, not its treatment",
			"chemotherapy": "myelosuppressive anticancer chemotherapy",
			"folate_deficiency": "folate deficiency",
			"hemolysis": "hemolysis",
			"iron_deficiency": "iron deficiency",
			"other": "any other cause",
			"radiotherapy": "radiotherapy alone",
		},
	},
	{
		"name": "malignancy",
		"type": "string",
		"question": "Which cancer is treated?",
		"values": {
			"aml": "acute myelogenous leukemia, AML",
			"cml": "chronic myelogenous leukemia, CML",
			"erythroid_cancer": "an erythroid cancer",
			"lymphocytic_leukemia": "lymphocytic leukemia",
			"lymphoma": "lymphoma",
			"multiple_myeloma": "multiple myeloma",
			"other": "any other cancer",
			"solid_tumor": "a solid tumor",
		},
	},
	{
		"name": "prophylactic",
		"type": "boolean",
		"question": "Is the drug given to prevent anemia or to reduce tumor hypoxia?",
	},
	{
		"name": "neutralizing_antibodies",
		"type": "boolean",
		"question": "Is there erythropoietin-type resistance due to neutralizing antibodies?",
	},
	{
		"name": "uncontrolled_hypertension",
		"type": "boolean",
		"question": "Does the patient have uncontrolled hypertension?",
	},
	{
		"name": "stage",
		"type": "string",
		"question": "At which stage is the treatment?",
		"values": {
			"initiation": "initiation: it is to be started",
			"maintenance": "maintenance: from four weeks after the start on",
		},
	},
	{
		"name": "drug",
		"type": "string",
		"question": "Which drug is given?",
		"values": {
			"darbepoetin_alfa": "darbepoetin alfa",
			"epoetin_alfa": "epoetin alfa",
		},
		"synonyms": {
			"Aranesp": "darbepoetin_alfa",
			"Epogen": "epoetin_alfa",
			"Procrit": "epoetin_alfa",
		},
	},
	{
		"name": "weekly_dose",
		"type": "number",
		"question": "How high is the starting dose a week for each kilogram of body weight (epoetin in units, darbepoetin in micrograms)?",
		"minimum": 0,
		"maximum": 5000,
	},
	{
		"name": "hemoglobin",
		"type": "number",
		"question": "How high is hemoglobin immediately before this step of treatment, in g/dL?",
		"minimum": 0,
		"maximum": 30,
		"unit": "g/dL",
	},
	{
		"name": "hematocrit",
		"type": "number",
		"question": "How high is hematocrit immediately before this step of treatment, in percent?",
		"minimum": 0,
		"maximum": 100,
		"unit": "percent",
	},
	{
		"name": "hemoglobin_rise",
		"type": "number",
		"question": "By how much has hemoglobin risen over four weeks of treatment, against the baseline before it, in g/dL?",
		"minimum": -20,
		"maximum": 20,
		"unit": "g/dL",
	},
	{
		"name": "hematocrit_rise",
		"type": "number",
		"question": "By how much has hematocrit risen over four weeks of treatment, against the baseline before it, in percent?",
		"minimum": -100,
		"maximum": 100,
		"unit": "percent",
	},
	{
		"name": "dose_change",
		"type": "number",
		"question": "How much higher is the dose than the starting dose, in percent (lower: negative)?",
		"minimum": -100,
		"maximum": 1000,
		"unit": "percent",
	},
	{
		"name": "weeks_of_treatment",
		"type": "integer",
		"question": "For how many weeks has the patient been treated?",
		"minimum": 0,
		"maximum": 520,
		"unit": "weeks",
	},
	{
		"name": "rapid_rise",
		"type": "boolean",
		"question": "Has hemoglobin risen by more than 1 g/dL (hematocrit by more than 3 %) within some two weeks of treatment?",
	},
	{
		"name": "chemotherapy_ongoing",
		"type": "boolean",
		"question": "Does the chemotherapy go on?",
	},
	{
		"name": "final_chemotherapy_date",
		"type": "date",
		"question": "When was the last dose of myelosuppressive chemotherapy in this regimen given?",
	},
]
