package payer.ncd110_21_test

import data.payer.as_read
import data.payer.criteria

test_order_of_the_document if {
	as_read.order("NCD-110.21", "2007-07-30") == [
		"INITIATION: A, stage.initiation, 1, 2, 5",
		"MAINTENANCE: A, stage.maintenance, 1, 3, 5",
		"INCREASE: A, stage.maintenance, 1, 4, 5",
		"N.1",
		"N.2",
		"N.3",
		"N.4",
		"N.5",
		"N.6",
		"N.7",
	]
}

# Word for word; the vectors hold the states of every clause.
test_criteria_as_people_read_them if {
	as_read.criteria("NCD-110.21", "2007-07-30") == [
		"INITIATION An ESA is started, at no more than the starting dose of its label.",
		"A The anemia comes from myelosuppressive chemotherapy of a cancer that the document names.",
		"A.cause Myelosuppressive anticancer chemotherapy causes the anemia.",
		"A.malignancy The cancer is a solid tumor, multiple myeloma, lymphoma or lymphocytic leukemia.",
		"stage.initiation The treatment is to be started.",
		"1 Immediately before this step of treatment hemoglobin is below 10 g/dL or hematocrit below 30 %.",
		"1.hemoglobin Hemoglobin is below 10 g/dL.",
		"1.hematocrit Hematocrit is below 30 %.",
		"2 The starting dose is at most the one of the drug's label.",
		"2.epoetin It is epoetin alfa, at most 150 U/kg three times a week.",
		"2.epoetin.drug The drug is epoetin alfa.",
		"2.epoetin.weekly_dose The weekly dose is at most 450 U/kg.",
		"2.darbepoetin It is darbepoetin alfa, at most 2.25 mcg/kg once a week.",
		"2.darbepoetin.drug The drug is darbepoetin alfa.",
		"2.darbepoetin.weekly_dose The weekly dose is at most 2.25 mcg/kg.",
		"5 The chemotherapy goes on, or its final dose was given in the eight weeks before the date of service.",
		"5.chemotherapy_ongoing The chemotherapy goes on.",
		"5.final_chemotherapy_date The final dose of chemotherapy was given at most 56 days before the date of service, and not after it.",
		"MAINTENANCE An ESA that has worked over four weeks goes on at the starting dose.",
		"stage.maintenance The treatment was started at least four weeks ago.",
		"3 The treatment has worked over four weeks and goes on at no more than the starting dose.",
		"3.response Over four weeks of treatment hemoglobin has risen by at least 1 g/dL or hematocrit by at least 3 %.",
		"3.response.hemoglobin_rise Hemoglobin has risen by 1 g/dL or more.",
		"3.response.hematocrit_rise Hematocrit has risen by 3 % or more.",
		"3.dose_change The dose is no higher than the starting dose.",
		"INCREASE The dose of an ESA that has not worked enough over four weeks is raised.",
		"4 The treatment has not worked enough over four weeks, and before the eighth week the dose is raised by at most 25 %.",
		"4.response Over four weeks of treatment hemoglobin has risen by less than 1 g/dL or hematocrit by less than 3 %.",
		"4.response.hemoglobin_rise Hemoglobin has risen by less than 1 g/dL.",
		"4.response.hematocrit_rise Hematocrit has risen by less than 3 %.",
		"4.dose_change The dose is at most 25 % higher than the starting dose.",
		"4.weeks_of_treatment Treatment has lasted less than eight weeks.",
		"N.1 The anemia comes from a deficiency, blood loss, marrow fibrosis, radiotherapy alone or the cancer itself.",
		"N.2 The cancer is acute or chronic myelogenous leukemia (AML, CML) or an erythroid cancer.",
		"N.3 The drug is given to prevent anemia or to reduce tumor hypoxia.",
		"N.4 Neutralizing antibodies cause erythropoietin-type resistance.",
		"N.5 The patient has uncontrolled hypertension.",
		"N.6 Hemoglobin or hematocrit has risen rapidly and is no longer below its limit.",
		"N.6.rapid_rise Hemoglobin rose by more than 1 g/dL, or hematocrit by more than 3 %, within some two weeks of treatment.",
		"N.6.limit Hemoglobin is not below 10 g/dL, nor is hematocrit below 30 %.",
		"N.7 The request meets none of the pathways.",
	]
}

test_facts_as_people_read_them if {
	as_read.facts("NCD-110.21", "2007-07-30") == [
		"cause, string: What causes the anemia? b12_deficiency: vitamin B12 deficiency; bleeding: bleeding; bone_marrow_fibrosis: bone marrow fibrosis; cancer: the cancer, not its treatment; chemotherapy: myelosuppressive anticancer chemotherapy; folate_deficiency: folate deficiency; hemolysis: hemolysis; iron_deficiency: iron deficiency; other: any other cause; radiotherapy: radiotherapy alone",
		"malignancy, string: Which cancer is treated? aml: acute myelogenous leukemia, AML; cml: chronic myelogenous leukemia, CML; erythroid_cancer: an erythroid cancer; lymphocytic_leukemia: lymphocytic leukemia; lymphoma: lymphoma; multiple_myeloma: multiple myeloma; other: any other cancer; solid_tumor: a solid tumor",
		"prophylactic, boolean: Is the drug given to prevent anemia or to reduce tumor hypoxia?",
		"neutralizing_antibodies, boolean: Is there erythropoietin-type resistance due to neutralizing antibodies?",
		"uncontrolled_hypertension, boolean: Does the patient have uncontrolled hypertension?",
		"stage, string: At which stage is the treatment? initiation: initiation: it is to be started; maintenance: maintenance: from four weeks after the start on",
		"drug, string: Which drug is given? darbepoetin_alfa: darbepoetin alfa; epoetin_alfa: epoetin alfa",
		"weekly_dose, number: How high is the starting dose a week for each kilogram of body weight (epoetin in units, darbepoetin in micrograms)? 0 to 5000",
		"hemoglobin, number: How high is hemoglobin immediately before this step of treatment, in g/dL? 0 to 30 g/dL",
		"hematocrit, number: How high is hematocrit immediately before this step of treatment, in percent? 0 to 100 percent",
		"hemoglobin_rise, number: By how much has hemoglobin risen over four weeks of treatment, against the baseline before it, in g/dL? -20 to 20 g/dL",
		"hematocrit_rise, number: By how much has hematocrit risen over four weeks of treatment, against the baseline before it, in percent? -100 to 100 percent",
		"dose_change, number: How much higher is the dose than the starting dose, in percent (lower: negative)? -100 to 1000 percent",
		"weeks_of_treatment, integer: For how many weeks has the patient been treated? 0 to 520 weeks",
		"rapid_rise, boolean: Has hemoglobin risen by more than 1 g/dL (hematocrit by more than 3 %) within some two weeks of treatment?",
		"chemotherapy_ongoing, boolean: Does the chemotherapy go on?",
		"final_chemotherapy_date, date: When was the last dose of myelosuppressive chemotherapy in this regimen given?",
	]
}

# A compound exclusion as it stands in a decision: the clause of the pathways within.
test_exclusion_n_6 if {
	_version.exclusion_n_6 == {
		"id": "N.6",
		"text": "Hemoglobin or hematocrit has risen rapidly and is no longer below its limit.",
		"state": "met",
		"all_of": [
			{
				"id": "N.6.rapid_rise",
				"text": "Hemoglobin rose by more than 1 g/dL, or hematocrit by more than 3 %, within some two weeks of treatment.",
				"state": "met",
				"fact": "rapid_rise",
				"value": true,
			},
			{
				"id": "N.6.limit",
				"text": "Hemoglobin is not below 10 g/dL, nor is hematocrit below 30 %.",
				"state": "met",
				"none_of": [_version.clause_1],
			},
		],
	} with input as {"facts": {"rapid_rise": true, "hemoglobin": 10, "hematocrit": 30}}
}

_version := criteria["NCD-110.21"]["2007-07-30"]
