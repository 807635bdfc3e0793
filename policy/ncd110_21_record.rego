# What a FHIR R4 record says of the facts that NCD-110.21, version 2007-07-30, reads. policy/cc0126_record.rego says what the
# words mean, and why it is not locked.
package payer.records["NCD-110.21"]["2007-07-30"]

# METADATA
# title: What establishes a fact of NCD-110.21
# description: For each fact rules on a resource. A fact with no rule is asked for.
facts := {
	"cause": [
		{"resource": "Condition", "means": _causes},
		{"resource": "Claim", "read": _diagnoses, "means": _causes},
		# A trait is no anemia, and not every fibrosis makes one.
		{"resource": "Condition", "suggests": true, "means": [
			{"value": "bone_marrow_fibrosis", "codes": {"icd10cm": ["D47.4", "D75.81"]}},
			{"value": "hemolysis", "codes": {"icd10cm": ["D56*", "D57*", "D58*"]}},
		]},
	],
	"malignancy": [
		{"resource": "Condition", "means": _malignancies},
		{"resource": "Claim", "read": _diagnoses, "means": _malignancies},
		# ICD-10-CM names them beside AML and CML; whether the document means them is for a person to say.
		{"resource": "Condition", "suggests": true, "means": [
			{"value": "aml", "codes": {"icd10cm": ["C92.4*", "C92.5*", "C93.0*", "C94.2*"]}},
			{"value": "cml", "codes": {"icd10cm": ["C92.2*"]}},
			{"value": "solid_tumor", "codes": {"icd10cm": ["C80*"]}},
		]},
	],
	"prophylactic": [],
	"neutralizing_antibodies": [],
	# I10 says nothing of whether it is controlled.
	"uncontrolled_hypertension": [{"resource": "Condition", "suggests": true, "means": [{
		"value": true,
		"codes": {"icd10cm": ["I16*"]},
	}]}],
	"stage": [],
	"drug": [{"resource": "Claim", "read": "item.productOrService", "means": [
		{"value": "darbepoetin_alfa", "codes": {"hcpcs": ["J0881"]}},
		{"value": "epoetin_alfa", "codes": {"hcpcs": ["J0885"]}},
	]}],
	"weekly_dose": [],
	"hemoglobin": [{
		"resource": "Observation", "read": "value", "quantity": true,
		"codes": {"loinc": ["20509-6", "30313-1", "30350-3", "30351-1", "30352-9", "718-7", "97550-8"]},
	}],
	"hematocrit": [{
		"resource": "Observation", "read": "value", "quantity": true,
		"codes": {"loinc": [
			"104826-3", "20570-8", "31100-1", "32354-3", "41654-5", "41655-2", "4544-3", "4545-0", "48703-3",
			"71829-6", "71830-4", "71832-0", "71833-8",
		]},
	}],
	# Of two measurements, the baseline and the later one, no code says which is which.
	"hemoglobin_rise": [],
	"hematocrit_rise": [],
	"dose_change": [],
	"weeks_of_treatment": [],
	"rapid_rise": [],
	# An encounter for chemotherapy is one of some.
	"chemotherapy_ongoing": [
		{"resource": "Condition", "suggests": true, "means": _chemotherapy},
		{"resource": "Claim", "read": _diagnoses, "suggests": true, "means": _chemotherapy},
	],
	"final_chemotherapy_date": [],
}

# A differential diagnosis is one to be ruled out.
_diagnoses := "diagnosis.where(type.coding.where(code = 'differential').empty()).diagnosis.ofType(CodeableConcept)"

_causes := [
	{"value": "b12_deficiency", "codes": {"icd10cm": ["D51*"]}},
	{"value": "bleeding", "codes": {"icd10cm": ["D62"]}},
	{"value": "cancer", "codes": {"icd10cm": ["D63.0"]}},
	{"value": "chemotherapy", "codes": {"icd10cm": ["D64.81"]}},
	{"value": "folate_deficiency", "codes": {"icd10cm": ["D52*"]}},
	{"value": "hemolysis", "codes": {"icd10cm": ["D55*", "D59*"]}},
	{"value": "iron_deficiency", "codes": {"icd10cm": ["D50*"]}},
]

_malignancies := [
	{"value": "aml", "codes": {"icd10cm": ["C92.0*", "C92.6*", "C92.A*"]}},
	{"value": "cml", "codes": {"icd10cm": ["C92.1*"]}},
	{"value": "erythroid_cancer", "codes": {"icd10cm": ["C94.0*"]}},
	{"value": "lymphocytic_leukemia", "codes": {"icd10cm": ["C91*"]}},
	{"value": "lymphoma", "codes": {"icd10cm": ["C81*", "C82*", "C83*", "C84*", "C85*", "C86*", "C88.4*"]}},
	{"value": "multiple_myeloma", "codes": {"icd10cm": ["C90.0*"]}},
	{"value": "solid_tumor", "codes": {"icd10cm": ["C0*", "C1*", "C2*", "C3*", "C4*", "C5*", "C6*", "C7*"]}},
]

_chemotherapy := [{"value": true, "codes": {"icd10cm": ["Z51.11"]}}]
