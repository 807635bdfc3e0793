# The facts that CC-0126, version 2025-04-01, reads, in the order in which they are asked for. Validation, the
# catalogue, the questions in `missing` and the JSON Schema all come from this table; nothing else lists the facts.
# It is a constant, not a data file, because OPA parses a constant once and converts a data file on every decision.
package payer.criteria["CC-0126"]["2025-04-01"]

# METADATA
# title: Facts of CC-0126
# description: |
#   One entry per fact: its name, its type, and by type the allowed values with their labels, the range or the unit.
#   An array holds no repeats and is complete when given.
facts := [
	{
		"name": "disease",
		"type": "string",
		"question": "Which disease is to be treated?",
		"values": {
			"all": "acute lymphoblastic (lymphocytic) leukemia, ALL",
			"dlbcl": "diffuse large B-cell lymphoma, DLBCL",
			"other": "any other disease",
		},
	},
	{
		"name": "lineage",
		"type": "string",
		"question": "From which lineage does the disease arise?",
		"values": {
			"b_cell_precursor": "B-cell precursor",
			"mature_b_cell": "mature B-cell",
			"other": "any other lineage",
			"t_cell": "T-cell",
		},
	},
	{
		"name": "cd19_positive",
		"type": "boolean",
		"question": "Are the malignant cells CD19-positive?",
		"values": {true: "yes", false: "no"},
	},
	{
		"name": "infant",
		"type": "boolean",
		"question": "Is this infant ALL?",
		"values": {true: "yes", false: "no"},
	},
	{
		"name": "kmt2a_rearranged",
		"type": "boolean",
		"question": "Is KMT2A (11q23) rearranged?",
		"values": {true: "yes", false: "no"},
	},
	{
		"name": "disease_status",
		"type": "string",
		"question": "What is the status of the disease?",
		"values": {
			"newly_diagnosed": "newly diagnosed",
			"refractory": "refractory: it does not respond to treatment",
			"relapsed": "relapsed: it has come back after a response",
			"remission": "in remission",
		},
	},
	{
		"name": "complete_response",
		"type": "integer",
		"question": "Which complete response to induction does the residual disease follow (1 first, 2 second, 0 none)?",
		"minimum": 0,
		"maximum": 20,
	},
	{
		"name": "mrd_percent",
		"type": "number",
		"question": "How high is the minimal residual disease, in percent?",
		"minimum": 0,
		"maximum": 100,
		"unit": "percent",
	},
	{
		"name": "treatment_phase",
		"type": "string",
		"question": "In which phase of treatment is blinatumomab given?",
		"values": {
			"consolidation": "consolidation",
			"induction": "induction",
			"maintenance": "maintenance",
			"other": "any other phase",
		},
	},
	{
		"name": "combined_with",
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
	{
		"name": "alternating_with",
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
]
