package payer.cc0126_test

import data.payer.as_read
import data.payer.criteria

# A whole clause as it stands in a decision; the vectors hold the states of every clause.
test_clause_ii_c if {
	_version.clause_ii_c.node == {
		"id": "II.C",
		"text": "Minimal residual disease (MRD) of 0.1 % or more is left by a first or second complete response to induction.",
		"state": "unknown",
		"all_of": [
			{
				"id": "II.C.mrd_percent",
				"text": "MRD is 0.1 % or more.",
				"state": "met",
				"fact": "mrd_percent",
				"value": 0.1,
			},
			{
				"id": "II.C.complete_response",
				"text": "It follows the first or the second complete response to induction.",
				"state": "unknown",
				"fact": "complete_response",
				"value": null,
			},
		],
	} with input as {"facts": {"mrd_percent": 0.1}}
}

test_order_of_the_document if {
	as_read.order("CC-0126", "2025-04-01") == ["I+II: I, II", "III+IV: III, IV", "V: V", "exclusion.I", "exclusion.II"]
}

# The whole tree, word for word.
test_criteria_as_people_read_them if {
	criteria_ := _criteria with input as {"facts": _facts}
	nodes := [node | walk([criteria_.pathways, criteria_.exclusions], [_, node]); node.id]
	as_read.criteria("CC-0126", "2025-04-01") == [
		"I+II CD19-positive B-cell precursor ALL in one of the four accepted uses.",
		"I The patient has acute lymphoblastic leukemia (ALL) of B-cell precursors that carry CD19.",
		"I.disease The disease is acute lymphoblastic (lymphocytic) leukemia.",
		"I.lineage It arises from B-cell precursors.",
		"I.cd19_positive Its cells are CD19-positive.",
		"II Blinatumomab is used in at least one of four ways.",
		"II.A The disease has relapsed or is refractory.",
		"II.B It is combined with a tyrosine kinase inhibitor, namely bosutinib, dasatinib, imatinib, nilotinib or ponatinib.",
		"II.C Minimal residual disease (MRD) of 0.1 % or more is left by a first or second complete response to induction.",
		"II.C.mrd_percent MRD is 0.1 % or more.",
		"II.C.complete_response It follows the first or the second complete response to induction.",
		"II.D It is given as consolidation.",
		"III+IV CD19-positive B-cell precursor ALL in maintenance therapy that alternates with POMP.",
		"III The patient has acute lymphoblastic leukemia (ALL) of B-cell precursors that carry CD19.",
		"III.disease The disease is acute lymphoblastic (lymphocytic) leukemia.",
		"III.lineage It arises from B-cell precursors.",
		"III.cd19_positive Its cells are CD19-positive.",
		"IV It is given alone as maintenance therapy, alternating with POMP (prednisone, vincristine, methotrexate, mercaptopurine).",
		"IV.treatment_phase The treatment phase is maintenance.",
		"IV.combined_with It is a single agent, combined with no other antileukemic drug.",
		"IV.alternating_with It alternates with prednisone, vincristine, methotrexate and mercaptopurine, and nothing else.",
		"V Infant ALL with rearranged KMT2A, treated together with an Interfant regimen.",
		"V It is combined with an Interfant regimen for infant ALL whose KMT2A (11q23) is rearranged.",
		"V.disease The disease is acute lymphoblastic (lymphocytic) leukemia.",
		"V.infant It is infant ALL.",
		"V.kmt2a_rearranged KMT2A (11q23) is rearranged.",
		"V.combined_with It is combined with an Interfant regimen.",
		"exclusion.I The drug is requested for diffuse large B-cell lymphoma (DLBCL).",
		"exclusion.II The request meets none of the pathways.",
	]
	{node.id: node.evidence | some node in nodes; node.evidence} == {
		"II": ["Label", "NCCN 1", "NCCN 2A"],
		"III": ["NCCN 2A"],
		"V": ["NCCN 2A"],
	}
}

# Every leaf shows the value of the fact that it names, which is the one in its id where that ends in a fact.
test_leaves_show_their_own_fact if {
	criteria_ := _criteria with input as {"facts": _facts}
	leaves := [node | walk(criteria_, [_, node]); object.keys(node) == {"id", "text", "state", "fact", "value"}]
	count(leaves) == 19
	every leaf in leaves { leaf.value == _facts[leaf.fact] }
	{leaf.id: leaf.fact | some leaf in leaves; not endswith(leaf.id, concat("", [".", leaf.fact]))} == {
		"II.A": "disease_status",
		"II.B": "combined_with",
		"II.D": "treatment_phase",
		"exclusion.I": "disease",
	}
}

_criteria := {
	"pathways": as_read.nodes(_version.pathways),
	"exclusions": as_read.nodes(_version.exclusions),
}

_facts := {
	"disease": "all", "lineage": "t_cell", "cd19_positive": true, "infant": true, "kmt2a_rearranged": false,
	"disease_status": "relapsed", "complete_response": 3, "mrd_percent": 5, "treatment_phase": "induction",
	"combined_with": ["other"], "alternating_with": [],
}

# In the order of the contract, in which missing facts are asked for, with what people are asked and may answer.
test_facts_as_people_read_them if {
	as_read.facts("CC-0126", "2025-04-01") == [
		"disease, string: Which disease is to be treated? all: acute lymphoblastic (lymphocytic) leukemia, ALL; dlbcl: diffuse large B-cell lymphoma, DLBCL; other: any other disease",
		"lineage, string: From which lineage does the disease arise? b_cell_precursor: B-cell precursor; mature_b_cell: mature B-cell; other: any other lineage; t_cell: T-cell",
		"cd19_positive, boolean: Are the malignant cells CD19-positive?",
		"infant, boolean: Is this infant ALL?",
		"kmt2a_rearranged, boolean: Is KMT2A (11q23) rearranged?",
		"disease_status, string: What is the status of the disease? newly_diagnosed: newly diagnosed; refractory: refractory: it does not respond to treatment; relapsed: relapsed: it has come back after a response; remission: in remission",
		"complete_response, integer: Which complete response to induction does the residual disease follow (1 first, 2 second, 0 none)? 0 to 20",
		"mrd_percent, number: How high is the minimal residual disease, in percent? 0 to 100 percent",
		"treatment_phase, string: In which phase of treatment is blinatumomab given? consolidation: consolidation; induction: induction; maintenance: maintenance; other: any other phase",
		"combined_with, array: Which antileukemic drugs or regimens are given concurrently with blinatumomab (none: an empty list)? Not premedication, supportive care, treatment of cytokine release, intrathecal prophylaxis, nor what it alternates with. bosutinib: bosutinib, a tyrosine kinase inhibitor; dasatinib: dasatinib, a tyrosine kinase inhibitor; imatinib: imatinib, a tyrosine kinase inhibitor; interfant: an Interfant regimen; nilotinib: nilotinib, a tyrosine kinase inhibitor; other: any other antileukemic drug or regimen; ponatinib: ponatinib, a tyrosine kinase inhibitor",
		"alternating_with, array: Which antileukemic drugs does blinatumomab alternate with (none: an empty list)? mercaptopurine: mercaptopurine; methotrexate: methotrexate; other: any other antileukemic drug; prednisone: prednisone; vincristine: vincristine",
	]
}

# Brand names stand for values that the fact has.
test_synonyms if {
	synonyms := {name: value | some fact in _version.facts; some name, value in fact.synonyms}
	count(synonyms) == 22
	synonyms.Gleevec == "imatinib"
	synonyms["6-MP"] == "mercaptopurine"
}

_version := criteria["CC-0126"]["2025-04-01"]

# A code that names another disease than the facts do.
test_codes_at_odds_with_the_disease if {
	cases := [
		["C83.31", "all", {"icd10_conflicts"}],
		["C83.31", "dlbcl", set()],
		["C91.00", "dlbcl", {"icd10_conflicts"}],
		["C91.00", "other", {"icd10_conflicts"}],
		["C91.00", "all", set()],
		["C91.10", "other", set()],
	]
	every case in cases {
		notes := _version.advisories with input as {"codes": {"icd10": [case[0]]}, "facts": {"disease": case[1]}}
		{note.code | some note in notes} == case[2]
	}
}
