package payer.kleene_test

import data.payer.kleene

test_all_of if {
	[object.get(kleene.all_of, states, "not_met") | some states in _sets] == [
		"met", "not_met", "unknown",
		"not_met", "unknown", "not_met",
		"not_met",
	]
}

test_any_of if {
	[object.get(kleene.any_of, states, "not_met") | some states in _sets] == [
		"met", "not_met", "unknown",
		"met", "met", "unknown",
		"met",
	]
}

test_none_of if {
	[object.get(kleene.none_of, states, "not_met") | some states in _sets] == [
		"not_met", "met", "unknown",
		"not_met", "not_met", "unknown",
		"not_met",
	]
}

# Of no parts, none is met; what is no state meets nothing.
test_of_nothing if {
	[object.get(table, set(), "not_met") | some table in [kleene.all_of, kleene.any_of, kleene.none_of]] == ["not_met", "not_met", "met"]
	[object.get(table, {"no state"}, "not_met") | some table in [kleene.all_of, kleene.any_of, kleene.none_of]] == ["not_met", "not_met", "not_met"]
}

# Every set of states but the empty one.
_sets := [
	{"met"}, {"not_met"}, {"unknown"},
	{"met", "not_met"}, {"met", "unknown"}, {"not_met", "unknown"},
	{"met", "not_met", "unknown"},
]

test_at_least if {
	states := {
		["met", "met", "unknown"]: "met", ["met", "unknown", "not_met"]: "unknown", ["met", "not_met", "not_met"]: "not_met",
		["unknown", "unknown"]: "unknown", ["met"]: "not_met",
	}
	every states_of_parts, state in states { kleene.at_least(2, states_of_parts) == state }
}
