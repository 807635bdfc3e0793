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

# Every shape of a tree, with leaves that are open at each depth (a, b, c) or only in an exclusion (e), and one (d) that no
# longer matters at each depth. The facts come in the order of their positions, which is no other order of theirs.
test_what_is_missing if {
	settled := {"id": "X", "text": "X.", "state": "not_met", "all_of": [_leaf("X.d", "d", "unknown")]}
	pathways := [
		_leaf("P.a", "a", "unknown"),
		{"id": "Q", "text": "Q.", "state": "unknown", "any_of": [_leaf("Q.b", "b", "unknown"), _leaf("Q.d", "d", "not_met"), settled]},
		{"id": "R", "text": "R.", "state": "unknown", "all_of": [{"id": "R.1", "text": "R.1.", "state": "unknown", "any_of": [
			{"id": "R.1.A", "text": "R.1.A.", "state": "unknown", "any_of": [_leaf("R.1.A.b", "b", "unknown"), _leaf("R.1.A.d", "d", "not_met")]},
			{"id": "R.1.B", "text": "R.1.B.", "state": "unknown", "all_of": [_leaf("R.1.B.c", "c", "unknown")]},
			settled,
		]}]},
		{"id": "T", "text": "T.", "state": "unknown", "any_of": [{"id": "T.1", "text": "T.1.", "state": "unknown", "all_of": [{
			"id": "T.1.A", "text": "T.1.A.", "state": "unknown", "any_of": [_leaf("T.1.A.c", "c", "unknown")],
		}]}]},
		settled,
	]
	facts := {
		"a": {"position": 3, "type": "boolean", "question": "X?", "values": {true: "yes", false: "no"}},
		"b": {"position": 1, "type": "boolean", "question": "Z?", "values": {true: "yes", false: "no"}},
		"c": {"position": 2, "type": "boolean", "question": "Y?", "values": {true: "yes", false: "no"}},
		"d": {"position": 5, "type": "boolean", "question": "V?", "values": {true: "yes", false: "no"}},
		"e": {"position": 4, "type": "boolean", "question": "W?", "values": {true: "yes", false: "no"}},
	}
	decision := _decision(pathways, [_leaf("E.e", "e", "unknown")], set()) with data.payer.criteria["TEST-0001"]["2026-03-01"].facts as facts
	decision.missing == [
		{"fact": "b", "question": "Z?", "criteria": ["Q", "R.1.A"]},
		{"fact": "c", "question": "Y?", "criteria": ["R.1.B", "T.1.A"]},
		{"fact": "a", "question": "X?", "criteria": ["P"]},
		{"fact": "e", "question": "W?", "criteria": []},
	]
}

_leaf(id, fact, state) := {"id": id, "text": sprintf("Text of %s.", [id]), "state": state, "fact": fact, "value": null}

_node(id, state) := {
	"id": id, "text": sprintf("Text of %s.", [id]), "state": state, "fact": "fact_of_2026", "value": null,
	"all_of": [{"id": id, "text": "A clause.", "state": state, "fact": "fact_of_2026", "value": null}],
}

_decision(pathways, exclusions, contradictions) := decision if {
	decision := payer.decision with input as {"document": "TEST-0001", "date_of_service": "2026-03-01", "facts": {}}
		with data.payer.criteria["TEST-0001"]["2026-03-01"].criteria as {"pathways": pathways, "exclusions": exclusions}
		with data.payer.criteria["TEST-0001"]["2026-03-01"].contradictions as contradictions
}
