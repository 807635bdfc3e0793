package payer.cc0126_test

import data.payer.criteria

# A whole clause as it stands in a decision; the vectors hold the states of every clause.
test_clause_ii_c if {
	_version.clause_ii_c == {
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
	} with input as {"facts": {"mrd_percent": 0.1, "complete_response": null}}
}

test_order_of_the_document if {
	criteria_ := _version.criteria with input as {"facts": {name: null | some name, _ in _version.facts}}
	[pathway.id | some pathway in criteria_.pathways] == ["I+II", "III+IV", "V"]
	[clause.id | some pathway in criteria_.pathways; some clause in pathway.all_of] == ["I", "II", "III", "IV", "V"]
	[use.id | some use in criteria_.pathways[0].all_of[1].any_of] == ["II.A", "II.B", "II.C", "II.D"]
	[exclusion.id | some exclusion in criteria_.exclusions] == ["exclusion.I", "exclusion.II"]
}

# The order of the contract, in which missing facts are asked for.
test_facts_in_order if [name | some [_, name] in sort({[fact.position, name] | some name, fact in _version.facts})] == [
	"disease", "lineage", "cd19_positive", "infant", "kmt2a_rearranged", "disease_status",
	"complete_response", "mrd_percent", "treatment_phase", "combined_with", "alternating_with",
]

_version := criteria["CC-0126"]["2025-04-01"]
