# What no case of CC-0126 can show: a document that exists only here, with pathways and exclusions in any state.
package payer.outcome_test

import data.payer

test_a_met_exclusion_beats_a_met_pathway if {
	decision := _decision([_node("P", "met")], [_node("E", "not_met"), _node("F", "met")], set())
	decision.outcome == "not_approved"
	decision.next_step == "clinical_review"
	decision.pathways_met == ["P"]
	decision.reasons == [{"criterion": "F", "state": "met", "text": "Text of F."}]
}

# By the state of the one pathway and that of the one exclusion.
test_every_outcome if {
	states := ["met", "unknown", "not_met"]
	[[_decision([_node("P", pathway)], [_node("E", exclusion)], set()).outcome | some exclusion in states] | some pathway in states] == [
		["not_approved", "needs_information", "approved"],
		["not_approved", "needs_information", "needs_information"],
		["not_approved", "not_approved", "not_approved"],
	]
}

test_summaries if {
	two := [_node("P", "met"), _node("Q", "not_met"), _node("R", "met")]
	none := [_node("E", "not_met")]
	_decision(two, none, set()).summary == "TEST-0001 version 2026-03-01 approves the request by pathway P and R."
	_decision(two, none, {{"code": "c", "text": "C."}}).summary == concat("", [
		"TEST-0001 version 2026-03-01 is met by pathway P and R, ",
		"but a person must review what contradicts it first.",
	])
	_decision([_node("P", "not_met")], none, set()).summary == concat("", [
		"TEST-0001 version 2026-03-01 does not approve the request, ",
		"so a person must review it.",
	])
	_decision([_node("P", "unknown")], none, set()).summary == concat("", [
		"TEST-0001 version 2026-03-01 cannot decide the request ",
		"until the missing facts are known.",
	])
}

_node(id, state) := {
	"id": id, "text": sprintf("Text of %s.", [id]), "state": state, "fact": "fact_of_2026", "value": null,
	"all_of": [{"id": id, "text": "A clause.", "state": state, "fact": "fact_of_2026", "value": null}],
}

_decision(pathways, exclusions, contradictions) := decision if {
	decision := payer.decision with input as {"document": "TEST-0001", "date_of_service": "2026-03-01", "facts": {}}
		with data.payer.criteria["TEST-0001"]["2026-03-01"].criteria as {"pathways": pathways, "exclusions": exclusions}
		with data.payer.criteria["TEST-0001"]["2026-03-01"].contradictions as contradictions
}
