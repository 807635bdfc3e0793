# What no document held can show: pathways and exclusions in any state and of any depth. The criteria are built for each
# case, from what its facts say: a to z are booleans.
package payer.outcome_test

import data.payer
import data.payer.criterion

test_a_met_exclusion_beats_a_met_pathway if {
	decision := _decision([_pathway("P", ["y"])], [_leaf("E", "n"), _leaf("F", "y")], {})
	decision.outcome == "not_approved"
	decision.next_step == "clinical_review"
	decision.pathways_met == ["P"]
	decision.reasons == [{"criterion": "F", "state": "met", "text": "Text of F."}]
}

# By the state of the one pathway and that of the one exclusion.
test_every_outcome if {
	states := ["y", "u", "n"]
	[[_decision([_pathway("P", [pathway])], [_leaf("E", exclusion)], {}).outcome | some exclusion in states] | some pathway in states] == [
		["not_approved", "needs_information", "approved"],
		["not_approved", "needs_information", "needs_information"],
		["not_approved", "not_approved", "not_approved"],
	]
}

test_without_exclusions if _decision([_pathway("P", ["y"])], [], {}).outcome == "approved"

test_summaries if {
	two := [_pathway("P", ["y"]), _pathway("Q", ["n"]), _pathway("R", ["y"])]
	none := [_leaf("E", "n")]
	_decision(two, none, {}).summary == "TEST-0001 version 2026-03-01 approves the request by pathway P and R."
	contradicted := _contradicted(two, none)
	contradicted.summary == concat("", [
		"TEST-0001 version 2026-03-01 is met by pathway P and R, ",
		"but a person must review what contradicts it first.",
	])
	[contradicted.outcome, contradicted.next_step, contradicted.advisories] == ["approved", "clinical_review", [{"code": "c", "text": "C."}]]
	_decision([_pathway("P", ["n"])], none, {}).summary == concat("", [
		"TEST-0001 version 2026-03-01 does not approve the request, ",
		"so a person must review it.",
	])
	_decision([_pathway("P", ["u"])], none, {}).summary == concat("", [
		"TEST-0001 version 2026-03-01 cannot decide the request ",
		"until the missing facts are known.",
	])
	_decision([_pathway("P", ["u"])], none, {"unavailable": ["u"]}).summary == concat("", [
		"TEST-0001 version 2026-03-01 cannot decide the request, ",
		"and what is open is not to be had, so a person must review it.",
	])
}

# Leaves that are open at each depth and only in an exclusion, and one (w) that no longer matters at each depth. The facts
# come in the order in which they are asked for; a clause that asks twice stands once.
test_what_is_missing if {
	settled := criterion.all_of(_rule("X"), [_leaf("X.1", "n"), _part("w")]) with input as _nothing
	shared := criterion.all_of(_rule("S"), [_part("v"), _leaf("S.1", "v")]) with input as _nothing
	deep := criterion.any_of(_rule("R.1"), [
		criterion.all_of(_rule("R.1.A"), [
			criterion.any_of(_rule("R.1.A.i"), [_part("u"), _part("n"), criterion.all_of(_rule("R.1.A.i.x"), [_part("t"), _part("y")])]),
			_part("y"),
		]),
		settled,
	]) with input as _nothing
	exclusion := criterion.all_of(_rule("E"), [criterion.none_of(_rule("E.1"), [_part("s"), _part("u")]), _part("y")]) with input as _nothing
	decision := _decision([_pathway_of("P", [shared]), _pathway_of("R", [deep, shared]), _pathway_of("Q", [settled])], [exclusion], {})
	decision.missing == [
		{"fact": "s", "question": "s?", "criteria": ["E.1"]},
		{"fact": "t", "question": "t?", "criteria": ["R.1.A.i.x"]},
		{"fact": "u", "question": "u?", "criteria": ["R.1.A.i"]},
		{"fact": "v", "question": "v?", "criteria": ["S", "S.1"]},
	]
	[reason.criterion | some reason in decision.reasons] == ["S", "R.1"]
	decision.ask_first == {"pathway": "P", "facts": ["s", "v"]}
}

# The pathway that needs fewest facts, those of the exclusions included; of equal ones the first.
test_what_to_ask_first if {
	_ask_first([_pathway("P", ["u", "v"]), _pathway("Q", ["w"])], [], []) == {"pathway": "Q", "facts": ["w"]}
	_ask_first([_pathway("P", ["w"]), _pathway("Q", ["u"])], [], []) == {"pathway": "P", "facts": ["w"]}
	_ask_first([_pathway("P", ["u", "v"]), _pathway("Q", ["n", "w"])], [], []) == {"pathway": "P", "facts": ["u", "v"]}
	_ask_first([_pathway("P", ["u", "v"]), _pathway("Q", ["w"])], [_leaf("E", "u")], []) == {"pathway": "P", "facts": ["u", "v"]}
	_ask_first([_pathway("P", ["y"]), _pathway("Q", ["w"])], [_leaf("E", "u")], []) == {"pathway": "P", "facts": ["u"]}
	_ask_first([_pathway("P", ["w", "u"])], [_leaf("E", "u"), _leaf("F", "t")], []) == {"pathway": "P", "facts": ["t", "u", "w"]}
}

# What cannot be had is not asked for, and what needs it cannot be met.
test_what_is_unavailable if {
	open := _decision([_pathway("P", ["w"]), _pathway("Q", ["u", "v"])], [], {"unavailable": ["w"]})
	[open.next_step, [entry.fact | some entry in open.missing], open.ask_first] == ["request_information", ["u", "v"], {"pathway": "Q", "facts": ["u", "v"]}]
	hopeless := _decision([_pathway("P", ["w", "u"])], [], {"unavailable": ["w"]})
	[hopeless.outcome, hopeless.next_step, [entry.fact | some entry in hopeless.missing], hopeless.ask_first] == ["needs_information", "request_information", ["u"], null]
	excluded := _decision([_pathway("P", ["u"])], [_leaf("E", "w")], {"unavailable": ["w"]})
	[excluded.next_step, excluded.ask_first] == ["request_information", null]
	nothing := _decision([_pathway("P", ["w"])], [], {"unavailable": ["w"]})
	[nothing.outcome, nothing.next_step, nothing.missing, nothing.ask_first] == ["needs_information", "clinical_review", [], null]
	[reason.criterion | some reason in nothing.reasons] == ["P.1"]
}

# A met pathway beside an open exclusion: the exclusion is what is open.
test_an_open_exclusion_is_a_reason if {
	decision := _decision([_pathway("P", ["y"]), _pathway("Q", ["n"])], [_leaf("E", "u"), _leaf("F", "n")], {})
	decision.reasons == [{"criterion": "E", "state": "unknown", "text": "Text of E."}]
	decision.missing == [{"fact": "u", "question": "u?", "criteria": ["E"]}]
	decision.ask_first == {"pathway": "P", "facts": ["u"]}
	beside := _decision([_pathway("P", ["u"])], [_leaf("E", "v")], {})
	[reason.criterion | some reason in beside.reasons] == ["P.1"]
}

# An exclusion of parts stands for itself; the fallback never stands beside what fails; a clause of two pathways once.
test_reasons_of_what_is_not_approved if {
	shared := criterion.all_of(_rule("S"), [_part("n")]) with input as _nothing
	pathways := [_pathway_of("P", [shared]), _pathway_of("Q", [_leaf("Q.1", "y"), shared])]
	compound := criterion.all_of(_rule("E"), [_part("y")]) with input as _nothing
	fallback := criterion.fallback(_rule("Z"), pathways)
	decision := _decision(pathways, [compound, fallback], {})
	[reason.criterion | some reason in decision.reasons] == ["S", "E"]
	[exclusion.state | some exclusion in decision.criteria.exclusions] == ["met", "met"]
	object.keys(decision.criteria.exclusions[1]) == {"id", "text", "state"}
}

# The clauses of what is met, not those of a pathway that fails.
test_reasons_of_an_approval if {
	pathways := [_pathway("P", ["y"]), _pathway("Q", ["n", "y"])]
	decision := _decision(pathways, [_leaf("E", "n")], {})
	[decision.next_step, [reason.criterion | some reason in decision.reasons]] == ["issue_approval", ["P.1"]]
	[reason.criterion | some reason in _contradicted(pathways, []).reasons] == ["P.1"]
}

test_without_pathways_or_exclusions_nothing_is_decided if {
	_decision([], [], {}).outcome == "undecided"
	_decision([_pathway("P", ["y"])], null, {}).outcome == "undecided"
}

test_advisories_of_the_codes_and_of_the_document if {
	decision := _decision([_pathway("P", ["y"])], [], {"codes": {"hcpcs": "X"}}) with data.payer.criteria["TEST-0001"]["2026-03-01"].advisories as {{"code": "a", "text": "A."}}
	[advisory.code | some advisory in decision.advisories] == ["a", "hcpcs_not_listed"]
}

test_terms if {
	terms := {"text": "For a time.", "duration": "P12W"}
	for_a_time := _with_terms("P", terms, "y")
	for_good := _with_terms("R", {"text": "For good."}, "y")
	not_met := _with_terms("S", terms, "n")
	pathways := [for_a_time, _pathway("Q", ["y"]), for_good, not_met]
	decision := _decision(pathways, [], {})
	decision.terms == [
		{"pathway": "P", "text": "For a time.", "duration": "P12W"},
		{"pathway": "R", "text": "For good.", "duration": null},
	]
	{object.keys(pathway) | some pathway in decision.criteria.pathways} == {{"id", "text", "state", "all_of"}}
	_decision(pathways, [_leaf("E", "u")], {}).terms == []
	_decision(pathways, [_leaf("E", "y")], {}).terms == []
}

_with_terms(id, terms, fact) := pathway if {
	rule := object.union(_rule(id), {"custom": {"terms": terms}})
	pathway := criterion.all_of(rule, [_leaf("C", fact)]) with input as _nothing
}

_nothing := {"facts": _known}

_known := {"y": true, "n": false}

_rule(id) := {"description": sprintf("Text of %s.", [id]), "custom": {"id": id}}

_part(fact) := leaf if {
	leaf := criterion.is_true({"description": sprintf("It is %s.", [fact])}, fact) with input as _nothing
}

_leaf(id, fact) := leaf if {
	leaf := criterion.is_true(_rule(id), fact) with input as _nothing
}

_pathway(id, facts) := _pathway_of(id, [_leaf(sprintf("%s.%d", [id, i + 1]), fact) | some i, fact in facts])

_pathway_of(id, clauses) := pathway if {
	pathway := criterion.all_of(_rule(id), clauses) with input as _nothing
}

_facts := [{"name": name, "type": "boolean", "question": sprintf("%s?", [name])} | some name in ["y", "n", "s", "t", "u", "v", "w"]]

_ask_first(pathways, exclusions, unavailable) := _decision(pathways, exclusions, {"unavailable": unavailable}).ask_first

_decision(pathways, exclusions, request) := decision if {
	decision := payer.decision with input as object.union({"document": "TEST-0001", "date_of_service": "2026-03-01", "facts": _known}, request)
		with data.payer.criteria["TEST-0001"]["2026-03-01"].pathways as pathways
		with data.payer.criteria["TEST-0001"]["2026-03-01"].exclusions as exclusions
		with data.payer.criteria["TEST-0001"]["2026-03-01"].facts as _facts
}

_contradicted(pathways, exclusions) := decision if {
	decision := _decision(pathways, exclusions, {}) with data.payer.criteria["TEST-0001"]["2026-03-01"].contradictions as {{"code": "c", "text": "C."}}
}
