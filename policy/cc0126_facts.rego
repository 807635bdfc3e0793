# The facts that CC-0126, version 2025-04-01, reads. Validation, the
# catalogue, the questions in `missing` and the JSON Schema all come from this table; nothing else lists the facts.
# It is a constant, not a data file, because OPA parses a constant once and converts a data file on every decision.
package payer.criteria["CC-0126"]["2025-04-01"]

# METADATA
# title: Facts of CC-0126
# description: |
#   By name: the position in which it is asked for, the type, the question, and by type the allowed values with their
#   labels, the range and the unit. An array holds no repeats and is complete when given.
facts := {
	"disease": {
		"position": 1,
		"type": "string",
		"question": "Which disease is to be treated?",
		"values": {
			"all": "acute lymphoblastic (lymphocytic) leukemia, ALL",
			"dlbcl": "diffuse large B-cell lymphoma, DLBCL",
			"other": "any other disease",
		},
	},
	"lineage": {
		"position": 2,
		"type": "string",
		"question": "From which lineage does the disease arise?",
		"values": {
			"b_cell_precursor": "B-cell precursor",
			"mature_b_cell": "mature B-cell",
			"other": "any other lineage",
			"t_cell": "T-cell",
		},
	},
	"cd19_positive": {
		"position": 3,
		"type": "boolean",
		"question": "Are the malignant cells CD19-positive?",
		"values": {true: "yes", false: "no"},
	},
	"infant": {
		"position": 4,
		"type": "boolean",
		"question": "Is this infant ALL?",
		"values": {true: "yes", false: "no"},
	},
	"kmt2a_rearranged": {
		"position": 5,
		"type": "boolean",
		"question": "Is KMT2A (11q23) rearranged?",
		"values": {true: "yes", false: "no"},
	},
	"disease_status": {
		"position": 6,
		"type": "string",
		"question": "What is the status of the disease?",
		"values": {
			"newly_diagnosed": "newly diagnosed",
			"refractory": "refractory: it does not respond to treatment",
			"relapsed": "relapsed: it has come back after a response",
			"remission": "in remission",
		},
	},
	"complete_response": {
		"position": 7,
		"type": "integer",
		"question": "Which complete response to induction does the residual disease follow (1 first, 2 second, 0 none)?",
		"minimum": 0,
		"maximum": 20,
	},
	"mrd_percent": {
		"position": 8,
		"type": "number",
		"question": "How high is the minimal residual disease, in percent?",
		"minimum": 0,
		"maximum": 100,
		"unit": "percent",
	},
	"treatment_phase": {
		"position": 9,
		"type": "string",
		"question": "In which phase of treatment is blinatumomab given?",
		"values": {
			"consolidation": "consolidation",
			"induction": "induction",
			"maintenance": "maintenance",
			"other": "any other phase",
		},
	},
	"combined_with": {
		"position": 10,
		"type": "array",
		"question": "Which antileukemic drugs or regimens are given concurrently with blinatumomab (none: an empty list)?",
		"values": {
			"bosutinib": "bosutinib, a tyrosine kinase inhibitor",
			"dasatinib": "dasatinib, a tyrosine kinase inhibitor",
			"imatinib": "imatinib, a tyrosine kinase inhibitor",
			"interfant": "an Interfant regimen",
			"nilotinib": "nilotinib, a tyrosine kinase inhibitor",
			"other": "any other antileukemic drug or regimen",
			"ponatinib": "ponatinib, a tyrosine kinase inhibitor",
		},
	},
	"alternating_with": {
		"position": 11,
		"type": "array",
		"question": "Which antileukemic drugs does blinatumomab alternate with (none: an empty list)?",
		"values": {
			"mercaptopurine": "mercaptopurine",
			"methotrexate": "methotrexate",
			"other": "any other antileukemic drug",
			"prednisone": "prednisone",
			"vincristine": "vincristine",
		},
	},
}
