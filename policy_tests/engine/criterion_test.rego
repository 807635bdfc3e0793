package payer.criterion_test

import data.payer.criterion

_rule := {"title": "A rule.", "description": "It is so."}

_clause := {"title": "A clause.", "description": "They are so.", "custom": {"id": "C", "evidence": ["Label"]}}

_known := {"yes": true, "no": false, "word": "a", "whole": 2, "number": 1.5, "list": ["a", "b"], "none": [], "date": "2024-03-01"}

_input := {"date_of_service": "2024-04-26", "facts": _known, "bounds": {
	"low": {"given": {"less_than": 1}, "from": 0, "open_below": false, "to": 1, "open_above": true, "whole": false},
	"ends": {"given": {"at_least": 1}, "from": 1, "open_below": false, "to": 2, "open_above": false, "whole": false},
	"two": {"given": {"at_most": 2}, "from": 2, "open_below": false, "to": 2, "open_above": false, "whole": true},
}}

# What is asked of a value, value by value: met, not met, and what settles by a bound, both at the edge.
test_states_of_leaves if {
	states := [
		[criterion.is_true(_rule, "yes"), "met"],
		[criterion.is_true(_rule, "no"), "not_met"],
		[criterion.is_true(_rule, "nobody_said"), "unknown"],
		[criterion.one_of(_rule, "word", {"a", "c"}), "met"],
		[criterion.one_of(_rule, "word", {"c"}), "not_met"],
		[criterion.one_of(_rule, "whole", {1, 2}), "met"],
		[criterion.one_of(_rule, "two", {1, 2}), "met"],
		[criterion.one_of(_rule, "nobody_said", {"a"}), "unknown"],
		[criterion.at_least(_rule, "number", 1.5), "met"],
		[criterion.at_least(_rule, "number", 1.6), "not_met"],
		[criterion.at_least(_rule, "low", 1), "not_met"],
		[criterion.at_least(_rule, "low", 0.5), "unknown"],
		[criterion.at_least(_rule, "ends", 1), "met"],
		[criterion.at_least(_rule, "nobody_said", 1), "unknown"],
		[criterion.at_most(_rule, "number", 1.5), "met"],
		[criterion.at_most(_rule, "number", 1.4), "not_met"],
		[criterion.at_most(_rule, "low", 1), "met"],
		[criterion.at_most(_rule, "ends", 2), "met"],
		[criterion.at_most(_rule, "nobody_said", 1), "unknown"],
		[criterion.more_than(_rule, "number", 1.4), "met"],
		[criterion.more_than(_rule, "number", 1.5), "not_met"],
		[criterion.more_than(_rule, "low", 1), "not_met"],
		[criterion.more_than(_rule, "ends", 2), "not_met"],
		[criterion.more_than(_rule, "nobody_said", 1), "unknown"],
		[criterion.less_than(_rule, "number", 1.6), "met"],
		[criterion.less_than(_rule, "number", 1.5), "not_met"],
		[criterion.less_than(_rule, "low", 1), "met"],
		[criterion.less_than(_rule, "ends", 1), "not_met"],
		[criterion.less_than(_rule, "nobody_said", 1), "unknown"],
		[criterion.from_to(_rule, "number", 1.5, 2), "met"],
		[criterion.from_to(_rule, "number", 1, 1.5), "met"],
		[criterion.from_to(_rule, "number", 1.6, 2), "not_met"],
		[criterion.from_to(_rule, "number", 1, 1.4), "not_met"],
		[criterion.from_to(_rule, "low", 0, 1), "met"],
		[criterion.from_to(_rule, "nobody_said", 0, 1), "unknown"],
		[criterion.holds_any(_rule, "list", {"b", "c"}), "met"],
		[criterion.holds_any(_rule, "list", {"c"}), "not_met"],
		[criterion.holds_any(_rule, "none", {"c"}), "not_met"],
		[criterion.holds_any(_rule, "nobody_said", {"c"}), "unknown"],
		[criterion.holds_none(_rule, "list", {"c"}), "met"],
		[criterion.holds_none(_rule, "none", {"c"}), "met"],
		[criterion.holds_none(_rule, "list", {"b", "c"}), "not_met"],
		[criterion.holds_none(_rule, "nobody_said", {"c"}), "unknown"],
		[criterion.holds_exactly(_rule, "list", {"b", "a"}), "met"],
		[criterion.holds_exactly(_rule, "none", set()), "met"],
		[criterion.holds_exactly(_rule, "list", {"a"}), "not_met"],
		[criterion.holds_exactly(_rule, "list", {"a", "b", "c"}), "not_met"],
		[criterion.holds_exactly(_rule, "nobody_said", {"c"}), "unknown"],
		[criterion.within_days_before(_rule, "date", 56), "met"],
		[criterion.within_days_before(_rule, "date", 55), "not_met"],
		[criterion.within_days_before(_rule, "nobody_said", 55), "unknown"],
	] with input as _input
	every i, pair in states {
		print(i, pair[0], pair[1])
		pair[0].state == pair[1]
	}
}

test_a_date_within_days_before[date_of_service] if {
	some date_of_service, state in {"2024-02-29": "not_met", "2024-03-01": "met", "2024-03-02": "met", "2024-03-03": "not_met"}
	leaf := criterion.within_days_before(_rule, "date", 1) with input as object.union(_input, {"date_of_service": date_of_service})
	leaf.state == state
}

test_a_leaf_in_full if {
	criterion.at_least(_clause, "number", 1) == {
		"id": "C", "evidence": ["Label"], "text": "They are so.", "state": "met", "fact": "number", "value": 1.5,
	} with input as _input
	criterion.at_least(_rule, "low", 0.5) == {
		"node": {"text": "It is so.", "state": "unknown", "fact": "low", "value": {"less_than": 1}},
		"state": "unknown", "open": [["low", ""]], "meets": {"low"}, "fails": {"low"},
	} with input as _input
	criterion.at_least(_clause, "low", 1) == {
		"id": "C", "evidence": ["Label"], "text": "They are so.", "state": "not_met", "fact": "low", "value": {"less_than": 1},
	} with input as _input
	criterion.is_true(_clause, "nobody_said") == {
		"node": {"id": "C", "evidence": ["Label"], "text": "They are so.", "state": "unknown", "fact": "nobody_said", "value": null},
		"state": "unknown", "open": [["nobody_said", "C"]], "meets": {"nobody_said"}, "fails": {"nobody_said"},
	} with input as {"facts": {}}
}

test_every_leaf_in_full if {
	leaves := {
		"is_true": criterion.is_true(_clause, "yes"),
		"one_of": criterion.one_of(_clause, "word", {"a"}),
		"at_least": criterion.at_least(_clause, "number", 1),
		"at_most": criterion.at_most(_clause, "number", 2),
		"more_than": criterion.more_than(_clause, "number", 1),
		"less_than": criterion.less_than(_clause, "number", 2),
		"from_to": criterion.from_to(_clause, "number", 1, 2),
		"holds_any": criterion.holds_any(_clause, "list", {"a"}),
		"holds_none": criterion.holds_none(_clause, "list", {"c"}),
		"holds_exactly": criterion.holds_exactly(_clause, "list", {"a", "b"}),
		"within_days_before": criterion.within_days_before(_clause, "date", 56),
	} with input as _input
	facts := {"is_true": "yes", "one_of": "word", "holds_any": "list", "holds_none": "list", "holds_exactly": "list", "within_days_before": "date"}
	every function, leaf in leaves {
		fact := object.get(facts, function, "number")
		print(function, leaf)
		leaf == {"id": "C", "evidence": ["Label"], "text": "They are so.", "state": "met", "fact": fact, "value": _known[fact]}
	}
}

# A part without an id is named by its clause and its fact, and is open for that clause.
test_a_clause_in_full if {
	all := criterion.all_of(_clause, [criterion.is_true(_rule, "yes"), criterion.is_true(_rule, "x")]) with input as _input
	all == {
		"node": {
			"id": "C", "evidence": ["Label"], "text": "They are so.", "state": "unknown",
			"all_of": [
				{"id": "C.yes", "text": "It is so.", "state": "met", "fact": "yes", "value": true},
				{"id": "C.x", "text": "It is so.", "state": "unknown", "fact": "x", "value": null},
			],
		},
		"state": "unknown", "open": [["x", "C"]], "meets": {"x"}, "fails": {"x"},
	}
	criterion.any_of({"description": "D.", "custom": {"id": "D"}}, [all]) == {
		"node": {"id": "D", "text": "D.", "state": "unknown", "any_of": [all.node]},
		"state": "unknown", "open": [["x", "C"]], "meets": {"x"}, "fails": {"x"},
	}
}

# The states of clauses, by the facts of their parts: y is true, n is false, u and v are unknown.
test_states_of_clauses if {
	states := {
		"all": {
			["y"]: "met", ["n"]: "not_met", ["u"]: "unknown", ["y", "n"]: "not_met",
			["y", "u"]: "unknown", ["n", "u"]: "not_met", ["y", "n", "u"]: "not_met",
		},
		"any": {
			["y"]: "met", ["n"]: "not_met", ["u"]: "unknown", ["y", "n"]: "met",
			["y", "u"]: "met", ["n", "u"]: "unknown", ["y", "n", "u"]: "met",
		},
		"none": {
			["y"]: "not_met", ["n"]: "met", ["u"]: "unknown", ["y", "n"]: "not_met",
			["y", "u"]: "not_met", ["n", "u"]: "unknown", ["y", "n", "u"]: "not_met",
		},
		"two": {
			["y"]: "not_met", ["y", "y"]: "met", ["y", "u"]: "unknown", ["u", "v"]: "unknown", ["n", "u"]: "not_met",
			["y", "n", "u"]: "unknown", ["y", "y", "n"]: "met", ["y", "y", "u"]: "met", ["n", "n", "y"]: "not_met",
		},
	}
	every kind, cases in states {
		every facts, state in cases {
			print(kind, facts, state)
			_compound(kind, facts).state == state
		}
	}
}

# What is needed to meet a clause and to make it fail. Of equal ways the first; x is not to be had.
test_the_fewest_facts if {
	_needs("all", ["y", "u", "v"]) == [{"u", "v"}, {"u"}]
	_needs("any", ["n", "u", "v"]) == [{"u"}, {"u", "v"}]
	_needs("none", ["n", "u", "v"]) == [{"u", "v"}, {"u"}]
	_needs("two", ["y", "u", "v"]) == [{"u"}, {"u", "v"}]
	_needs("two", ["n", "u", "v", "w"]) == [{"u", "v"}, {"u", "v"}]
	_needs("any", ["v", "u"]) == [{"v"}, {"u", "v"}]
	_needs("any", ["x", "u"]) == [{"u"}, {"u", "x"}]
	_needs("all", ["x", "u"]) == [{"u", "x"}, {"u"}]
	_needs("two", ["x", "u", "v"]) == [{"u", "v"}, {"u", "v"}]
}

# The way with fewest facts, not the first, through clauses of clauses; a fact that serves twice is needed once.
test_the_fewest_facts_below if {
	c := {"description": "C.", "custom": {"id": "C"}}
	u := criterion.is_true(_rule, "u") with input as {"facts": {}}
	v := criterion.is_true(_rule, "v") with input as {"facts": {}}
	w := criterion.is_true(_rule, "w") with input as {"facts": {}}
	both := criterion.all_of(c, [u, v]) with input as {"facts": {}}
	any := criterion.any_of(c, [both, w]) with input as {"facts": {}}
	[any.meets, any.fails] == [{"w"}, {"u", "w"}]
	all := criterion.all_of(c, [both, u, any]) with input as {"facts": {}}
	[all.meets, all.fails] == [{"u", "v", "w"}, {"u"}]
	none := criterion.none_of(c, [both, w]) with input as {"facts": {}}
	[none.meets, none.fails] == [{"u", "w"}, {"w"}]
	all.open == [["u", "C"], ["v", "C"], ["u", "C"], ["u", "C"], ["v", "C"], ["w", "C"]]
	either := criterion.any_of(c, [u, v]) with input as {"facts": {}}
	within := criterion.all_of(c, [either]) with input as {"facts": {}}
	[within.meets, within.fails] == [{"u"}, {"u", "v"}]
	one := criterion.at_least_n_of(c, 1, [either]) with input as {"facts": {}}
	[one.meets, one.fails] == [{"u"}, {"u", "v"}]
	had := criterion.any_of(c, [w, both]) with input as {"facts": {}, "unavailable": ["w"]}
	[had.meets, had.fails] == [{"u", "v"}, {"u", "w"}]
}

test_none_of_and_at_least_n_of_in_full if {
	u := {"id": "C.u", "text": "It is so.", "state": "unknown", "fact": "u", "value": null}
	_compound("two", ["y", "u"]) == {
		"state": "unknown", "open": [["u", "C"]], "meets": {"u"}, "fails": {"u"},
		"node": {
			"id": "C", "evidence": ["Label"], "text": "They are so.", "state": "unknown", "at_least": 2,
			"of": [{"id": "C.y", "text": "It is so.", "state": "met", "fact": "y", "value": true}, u],
		},
	}
	_compound("none", ["u"]) == {
		"state": "unknown", "open": [["u", "C"]], "meets": {"u"}, "fails": {"u"},
		"node": {"id": "C", "evidence": ["Label"], "text": "They are so.", "state": "unknown", "none_of": [u]},
	}
	n := {"id": "C.n", "text": "It is so.", "state": "not_met", "fact": "n", "value": false}
	_compound("none", ["n"]) == {"id": "C", "evidence": ["Label"], "text": "They are so.", "state": "met", "none_of": [n]}
	_compound("any", ["n"]).any_of == [n]
	_compound("two", ["y", "n", "n"]) == {
		"id": "C", "evidence": ["Label"], "text": "They are so.", "state": "not_met", "at_least": 2,
		"of": [
			{"id": "C.y", "text": "It is so.", "state": "met", "fact": "y", "value": true},
			n,
			n,
		],
	}
}

# A part that is unknown shows its node alone, whatever the state above it.
test_an_unknown_part_within if {
	unknown := criterion.all_of({"description": "D.", "custom": {"id": "D"}}, [criterion.is_true(_rule, "u")]) with input as {"facts": {}}
	n := criterion.is_true(_rule, "n") with input as {"facts": {"n": false}}
	y := criterion.is_true(_rule, "y") with input as {"facts": {"y": true}}
	criterion.all_of(_clause, [unknown, n]).all_of[0] == unknown.node
	criterion.any_of(_clause, [unknown, y]).any_of[0] == unknown.node
	criterion.none_of(_clause, [unknown, y]).none_of[0] == unknown.node
	criterion.at_least_n_of(_clause, 1, [unknown, y]).of[0] == unknown.node
	criterion.all_of(_clause, [unknown, y]).node.all_of[0] == unknown.node
	criterion.any_of(_clause, [unknown, n]).node.any_of[0] == unknown.node
	criterion.none_of(_clause, [unknown, n]).node.none_of[0] == unknown.node
	criterion.at_least_n_of(_clause, 2, [unknown, y]).node.of[0] == unknown.node
}

test_fallback if {
	states := [[[], "met"], [["n", "n"], "met"], [["n", "u"], "unknown"], [["y", "u"], "not_met"]]
	every case in states {
		fallback := criterion.fallback(_clause, [_compound("all", [fact]) | some fact in case[0]])
		fallback == {
			"fallback": true, "state": case[1],
			"node": {"id": "C", "evidence": ["Label"], "text": "They are so.", "state": case[1]},
		}
	}
}

test_note if criterion.note({"description": "N.", "custom": {"advisory": "n"}}) == {"code": "n", "text": "N."}

_compound(kind, facts) := clause if {
	clause := _build(kind, facts) with input as {"facts": {"y": true, "n": false}, "unavailable": ["x"]}
}

_build("all", facts) := criterion.all_of(_clause, [criterion.is_true(_rule, fact) | some fact in facts])

_build("any", facts) := criterion.any_of(_clause, [criterion.is_true(_rule, fact) | some fact in facts])

_build("none", facts) := criterion.none_of(_clause, [criterion.is_true(_rule, fact) | some fact in facts])

_build("two", facts) := criterion.at_least_n_of(_clause, 2, [criterion.is_true(_rule, fact) | some fact in facts])

_needs(kind, facts) := [way.meets, way.fails] if {
	way := _compound(kind, facts)
}
