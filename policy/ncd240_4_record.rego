# What a FHIR R4 record says of the facts that NCD-240.4, version 2008-03-13, reads. policy/cc0126_record.rego says what the
# words mean, and why it is not locked.
package payer.records["NCD-240.4"]["2008-03-13"]

# METADATA
# title: What establishes a fact of NCD-240.4
# description: For each fact rules on a resource. A fact with no rule is asked for.
facts := {
	# The value is moderate or severe OSA, and G47.33 says nothing of how severe it is.
	"diagnosis": [
		{"resource": "Condition", "suggests": true, "means": _osa},
		{
			"resource": "Claim", "suggests": true, "means": _osa,
			"read": "diagnosis.where(type.coding.where(code = 'differential').empty()).diagnosis.ofType(CodeableConcept)",
		},
	],
	"age": [{"resource": "Patient", "read": "%age"}],
	"period": [],
	"educated": [],
	"clinical_evaluation": [],
	# Codes of tests are read only where they were done. CPT classifies home tests otherwise than HCPCS and the document.
	"sleep_test": [
		{"resource": "Procedure", "means": [
			{"value": "hst_type_ii", "codes": {"hcpcs": ["G0398"]}},
			{"value": "hst_type_iii", "codes": {"hcpcs": ["G0399"]}},
			{"value": "hst_type_iv", "codes": {"hcpcs": ["G0400"]}},
			{"value": "psg", "codes": {"cpt": ["95808", "95810", "95811"]}},
		]},
		{"resource": "Procedure", "suggests": true, "means": [
			{"value": "hst_type_iii", "codes": {"cpt": ["95806"]}},
			{"value": "hst_type_iv", "codes": {"cpt": ["95800", "95801"]}},
		]},
	],
	# By its definition G0400 has at least three.
	"hst_channels": [{"resource": "Procedure", "means": [{"value": {"at_least": 3}, "codes": {"hcpcs": ["G0400"]}}]}],
	"ordered_by_treating_physician": [],
	"supervised": [],
	"events_per_hour": [
		{"resource": "Observation", "codes": {"loinc": ["69990-0"]}, "read": "value", "quantity": true},
		# LOINC's RDI counts arousals too, which the document's does not.
		{
			"resource": "Observation", "codes": {"loinc": ["90566-1"]}, "read": "value", "quantity": true,
			"suggests": true,
		},
	],
	"recorded_sleep_hours": [],
	"recorded_events": [],
	"symptoms": [{"resource": "Condition", "suggests": true, "means": [
		{"value": "excessive_daytime_sleepiness", "codes": {"icd10cm": ["G47.1*"]}},
		{"value": "impaired_cognition", "codes": {"icd10cm": ["G31.84", "R41.84*"]}},
		{"value": "insomnia", "codes": {"icd10cm": ["F51.0*", "G47.0*"]}},
		{"value": "mood_disorder", "codes": {"icd10cm": ["F30*", "F31*", "F32*", "F33*", "F34*", "F39"]}},
	]}],
	"comorbidities": [{"resource": "Condition", "suggests": true, "means": [
		{"value": "hypertension", "codes": {"icd10cm": ["I10", "I11*", "I12*", "I13*", "I15*", "I1A*"]}},
		{"value": "ischemic_heart_disease", "codes": {"icd10cm": ["I20*", "I21*", "I22*", "I24*", "I25*"]}},
		{"value": "stroke_history", "codes": {"icd10cm": ["I60*", "I61*", "I63*", "I69*", "Z86.73"]}},
	]}],
	"benefited": [],
}

_osa := [{"value": "osa", "codes": {"icd10cm": ["G47.33"]}}]
