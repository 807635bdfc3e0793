package payer.kleene_test

import data.payer.kleene

test_all_of if {
	[kleene.all_of(states) | some states in _sets] == [
		"met", "not_met", "unknown",
		"not_met", "unknown", "not_met",
		"not_met",
	]
}

test_any_of if {
	[kleene.any_of(states) | some states in _sets] == [
		"met", "not_met", "unknown",
		"met", "met", "unknown",
		"met",
	]
}

test_none_of if {
	[kleene.none_of(states) | some states in _sets] == [
		"not_met", "met", "unknown",
		"not_met", "not_met", "unknown",
		"not_met",
	]
}

# No parts at all, or what is no state, meet nothing, least of all by a default.
test_of_nothing if {
	[kleene.all_of(states) | some states in [set(), {"no state"}]] == ["not_met", "not_met"]
	[kleene.any_of(states) | some states in [set(), {"no state"}]] == ["not_met", "unknown"]
	[kleene.none_of(states) | some states in [set(), {"no state"}]] == ["not_met", "not_met"]
}

# Every set of states but the empty one.
_sets := [
	{"met"}, {"not_met"}, {"unknown"},
	{"met", "not_met"}, {"met", "unknown"}, {"not_met", "unknown"},
	{"met", "not_met", "unknown"},
]
