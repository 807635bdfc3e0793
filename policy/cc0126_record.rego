# What a FHIR R4 record says of the facts that CC-0126, version 2025-04-01, reads. No decision reads it, so it is not locked
# with the version: codes are withdrawn and mended, and what was decided on facts stays decided.
package payer.records["CC-0126"]["2025-04-01"]

# METADATA
# title: What establishes a fact of CC-0126
# description: |
#   For each fact rules on a resource: `codes` of which it needs one, `component` those that it must have, `where` what must
#   hold beside, `read` where the value stands (else its code), `means` which codes mean which value. `suggests`: shown
#   beside the question, never established. A code that ends in * is a category. A fact with no rule is asked for; docs/fhir.md says where codes were looked up.
facts := {
	"disease": [
		{"resource": "Condition", "means": _diseases},
		{"resource": "Claim", "read": _diagnoses, "means": _diseases},
		# The WHO's entity is leukemia or lymphoma; and what ICD-10-CM sets apart, others call the L3 form of ALL.
		{"resource": "Condition", "suggests": true, "means": [
			{"value": "all", "codes": {"sct": _b_lymphoblastic}},
			{"value": "other", "codes": {"icd10cm": ["C91.A*"]}},
		]},
	],
	# C91.0 names no lineage, and a B-cell ALL may be of mature cells.
	"lineage": [
		{"resource": "Condition", "means": [
			{"value": "b_cell_precursor", "codes": {"sct": array.concat(
				["277572006", "371012000", "425941003", "714251006"],
				_b_lymphoblastic,
			)}},
			{"value": "mature_b_cell", "codes": {"icd10cm": ["C91.A*"]}},
			{"value": "t_cell", "codes": {"sct": ["277575008", "427642009"]}},
		]},
		{"resource": "Condition", "suggests": true, "means": [{
			"value": "b_cell_precursor",
			"codes": {"sct": ["277571004", "277573001"]},
		}]},
	],
	# Immunophenotypes stand in text.
	"cd19_positive": [],
	"infant": [
		# Infant ALL begins before the first birthday. The onset of a relapse says nothing of when it first began.
		{"resource": "Condition", "codes": _all, "read": concat("", [
			"iif(onset.toDate() < %patient.birthDate + 1 year or onset.ofType(Age).where(", _under_a_year,
			").exists(), true, {})",
		])},
		{"resource": "Condition", "codes": _all_at_first, "where": _not_again, "read": concat("", [
			"iif(onset.toDate() >= %patient.birthDate + 1 year or onset.ofType(Age).where(", _a_year_or_more,
			").exists(), false, {})",
		])},
	],
	# A variant of the gene may be a point mutation: it is a rearrangement when the change is a fusion or a translocation.
	# That there is no fusion says so only of the gene alone: with a partner, it may be fused to another.
	"kmt2a_rearranged": [
		{
			"resource": "Observation", "codes": _variant, "read": "value", "means": [_present],
			"component": [_kmt2a, {"codes": _change, "value": {"so": ["SO:0001565", "SO:1000044"]}}],
		},
		{
			"resource": "Observation", "codes": _variant, "read": "value", "means": [_absent],
			"component": [_kmt2a, {"codes": _change, "value": {"so": ["SO:0001565"]}}],
			"where": "component.where(code.coding.where(code = '48018-6').exists()).count() = 1",
		},
		{"resource": "Condition", "means": [{"value": true, "codes": {"sct": ["838341005"]}}]},
		{
			"resource": "Observation", "codes": _variant, "read": "value", "means": [_present, _absent],
			"component": [_kmt2a], "suggests": true,
			"where": "component.where(code.coding.where(code = '48019-4').exists()).empty()",
		},
	],
	# C91.00, remission not achieved, is newly diagnosed or refractory: it does not say which.
	"disease_status": [
		{"resource": "Condition", "means": _statuses},
		{"resource": "Condition", "codes": _all, "read": "clinicalStatus", "means": [
			{"value": "relapsed", "codes": {"clinical": ["relapse", "recurrence"]}},
			{"value": "remission", "codes": {"clinical": ["remission"]}},
		]},
		{"resource": "Claim", "read": _diagnoses, "means": _statuses},
	],
	"complete_response": [],
	# No LOINC code for the percentage of minimal residual disease could be verified.
	"mrd_percent": [],
	"treatment_phase": [],
	# A list is complete when given, and no list of prescriptions is.
	"combined_with": [{
		"resource": "MedicationRequest", "suggests": true,
		"means": [
			{"value": "bosutinib", "codes": {"rxnorm": [
				"1307619", "1307625",
				"1307624", "1307630", "1307633", "1307635", "1987732", "1987734",
			]}},
			{"value": "dasatinib", "codes": {"rxnorm": [
				"475342", "643170",
				"643105", "643107", "643109", "643173", "643175", "643177",
				"799047", "799830", "1045402", "1045404", "1045406", "1045408",
			]}},
			{"value": "imatinib", "codes": {"rxnorm": [
				"282388", "282386",
				"284206", "403878", "403879", "404588", "404589", "411240", "483431",
			]}},
			{"value": "nilotinib", "codes": {"rxnorm": ["662281"]}},
			{"value": "ponatinib", "codes": {"rxnorm": ["1364347"]}},
		],
	}],
	"alternating_with": [{
		"resource": "MedicationRequest", "suggests": true,
		"means": [
			{"value": "mercaptopurine", "codes": {"rxnorm": ["103", "197931", "1536484"]}},
			{"value": "methotrexate", "codes": {"rxnorm": [
				"6851",
				"105585", "283510", "283511", "283671", "1655956", "1655959", "1655960", "1655967", "1655968",
				"1921592", "1946772",
			]}},
			{"value": "prednisone", "codes": {"rxnorm": [
				"8640",
				"198144", "198145", "198146", "198148", "205301", "312615", "312617", "315187",
			]}},
			{"value": "vincristine", "codes": {"rxnorm": ["11202", "1863343", "1863354"]}},
		],
	}],
}

# A differential diagnosis is one to be ruled out.
_diagnoses := "diagnosis.where(type.coding.where(code = 'differential').empty()).diagnosis.ofType(CodeableConcept)"

_diseases := [
	{"value": "all", "codes": _all},
	{"value": "dlbcl", "codes": {"icd10cm": ["C83.3*"], "sct": ["109969005"]}},
	# Other diseases of the blood that the drug may be asked for: what is no such code is no reason to say `other`.
	{"value": "other", "codes": {"icd10cm": ["C81*", "C82*", "C84*", "C90*", "C91.1*", "C92*", "C93*", "C94*"]}},
]

_all := {
	"icd10cm": ["C91.0*"],
	"sct": array.concat(
		_all_at_first.sct,
		["12301000132103", "12311000132101", "425941003", "427642009", "91856007"],
	),
}

_all_at_first := {
	"icd10cm": ["C91.00"],
	"sct": [
		"277571004", "277572006", "277573001", "277574007", "277575008",
		"371012000", "425688002", "714251006", "91857003",
	],
}

_not_again := concat(" ", [
	"code.coding.where(code = 'C91.01' or code = 'C91.02').empty() and",
	"clinicalStatus.coding.where(code = 'relapse' or code = 'recurrence' or code = 'remission').empty()",
])

_under_a_year := concat(" ", [
	"system = 'http://unitsofmeasure.org' and comparator.empty() and (code = 'a' and value < 1 or",
	"code = 'mo' and value < 12 or code = 'wk' and value < 52 or code = 'd' and value < 365)",
])

_a_year_or_more := concat(" ", [
	"system = 'http://unitsofmeasure.org' and comparator.empty() and (code = 'a' and value >= 1 or",
	"code = 'mo' and value >= 12 or code = 'wk' and value >= 53 or code = 'd' and value >= 366)",
])

# B lymphoblastic leukemia or lymphoma, a neoplasm of precursor cells, by its genetics.
_b_lymphoblastic := ["723889003", "838340006", "838341005", "838342003", "838343008", "838344002", "838346000"]

_statuses := [
	{"value": "refractory", "codes": {"sct": ["12311000132101"]}},
	{"value": "relapsed", "codes": {"icd10cm": ["C91.02"], "sct": ["12301000132103"]}},
	{"value": "remission", "codes": {"icd10cm": ["C91.01"], "sct": ["425941003", "427642009", "91856007"]}},
]

_variant := {"loinc": ["69548-6"]}

_kmt2a := {"codes": {"loinc": ["48018-6"]}, "value": {"hgnc": ["HGNC:7132"]}}

_change := {"loinc": ["48019-4"]}

_present := {"value": true, "codes": {"loinc": ["LA9633-4"]}}

_absent := {"value": false, "codes": {"loinc": ["LA9634-2"]}}
