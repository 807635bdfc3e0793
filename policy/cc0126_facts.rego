# The facts that CC-0126, version 2025-04-01, reads. Validation, the
# catalogue, the questions in `missing` and the JSON Schema all come from this table; nothing else lists the facts.
# It is a constant, not a data file, because OPA parses a constant once and converts a data file on every decision.
package payer.criteria["CC-0126"]["2025-04-01"]

# METADATA
# title: Facts of CC-0126
# description: |
#   In the order in which they are asked for: the name, the type, the question, and by type the allowed values with their
#   labels and synonyms, the range and the unit, and what else to know. An array holds no repeats and is complete when given.
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
	},
	{
		"name": "infant",
		"type": "boolean",
		"question": "Is this infant ALL?",
	},
	{
		"name": "kmt2a_rearranged",
		"type": "boolean",
		"question": "Is KMT2A (11q23) rearranged?",
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
		"note": "Not premedication, supportive care, treatment of cytokine release, intrathecal prophylaxis, nor what it alternates with.",
		"values": {
			"bosutinib": "bosutinib, a tyrosine kinase inhibitor",
			"dasatinib": "dasatinib, a tyrosine kinase inhibitor",
			"imatinib": "imatinib, a tyrosine kinase inhibitor",
			"interfant": "an Interfant regimen",
			"nilotinib": "nilotinib, a tyrosine kinase inhibitor",
			"other": "any other antileukemic drug or regimen",
			"ponatinib": "ponatinib, a tyrosine kinase inhibitor",
		},
		"synonyms": {
			"Bosulif": "bosutinib",
			"Sprycel": "dasatinib",
			"Phyrago": "dasatinib",
			"Gleevec": "imatinib",
			"Glivec": "imatinib",
			"Imkeldi": "imatinib",
			"Tasigna": "nilotinib",
			"Danziten": "nilotinib",
			"Iclusig": "ponatinib",
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
		"synonyms": {
			"Deltasone": "prednisone",
			"Rayos": "prednisone",
			"Oncovin": "vincristine",
			"Vincasar": "vincristine",
			"MTX": "methotrexate",
			"Trexall": "methotrexate",
			"Xatmep": "methotrexate",
			"Jylamvo": "methotrexate",
			"Otrexup": "methotrexate",
			"Rasuvo": "methotrexate",
			"6-MP": "mercaptopurine",
			"Purinethol": "mercaptopurine",
			"Purixan": "mercaptopurine",
		},
	},
]
