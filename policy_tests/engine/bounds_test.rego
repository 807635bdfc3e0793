package payer.bounds_test

import data.payer.bounds

_number := {"name": "n", "type": "number", "minimum": 0, "maximum": 10}

_whole := {"name": "n", "type": "integer", "minimum": 0, "maximum": 10}

test_intervals if {
	[[limits.from, limits.open_below, limits.to, limits.open_above] |
		some given in [{"less_than": 2.5}, {"at_most": 2.5}, {"at_least": 2.5}, {"more_than": 2.5}]
		limits := bounds.interval(_number, given)
		limits.given == given
		limits.whole == false
	] == [[0, false, 2.5, true], [0, false, 2.5, false], [2.5, false, 10, false], [2.5, true, 10, false]]
}

# Whole numbers have whole ends.
test_intervals_of_whole_numbers if {
	[[limits.from, limits.to] |
		some given in [
			{"less_than": 2.5}, {"less_than": 2}, {"at_most": 2.5}, {"at_most": 2},
			{"at_least": 2.5}, {"at_least": 2}, {"more_than": 2.5}, {"more_than": 2},
		]
		limits := bounds.interval(_whole, given)
		[limits.given, limits.whole, limits.open_below, limits.open_above] == [given, true, false, false]
	] == [[0, 2], [0, 1], [0, 2], [0, 2], [3, 10], [2, 10], [3, 10], [3, 10]]
}

test_edges_of_the_range if {
	bounds.interval(_number, {"at_most": 0}).to == 0
	bounds.interval(_number, {"at_least": 10}).from == 10
	bounds.interval(_number, {"more_than": 0}).from == 0
	bounds.interval(_number, {"less_than": 10}).to == 10
}

test_no_interval[given] if {
	some given in [
		{}, {"less_than": 1, "more_than": 0}, {"lessthan": 1}, {"less_than": "1"}, {"less_than": null}, {"at_most": -1},
		{"at_least": 11}, {"less_than": 0}, {"more_than": 10}, {"at_least": -1}, {"at_most": 11}, [1], 5, "x", null, {"at_most": [1]},
	]
	not bounds.interval(_number, given)
	not bounds.interval(_whole, given)
}

test_no_interval_of_other_types if {
	not bounds.interval({"name": "n", "type": "string", "values": {"a": "A"}}, {"at_most": 1})
	not bounds.interval({"name": "n", "type": "boolean"}, {"at_most": 1})
}

# Whole numbers between two neighbours are none.
test_no_whole_number if not bounds.interval(object.union(_whole, {"minimum": 3}), {"less_than": 3})

# Each state at an end that belongs to the interval, and at one that does not.
test_states if {
	closed := {"from": 1, "open_below": false, "to": 2, "open_above": false, "whole": false}
	open := {"from": 1, "open_below": true, "to": 2, "open_above": true, "whole": false}
	[[bounds.at_least(closed, limit), bounds.at_least(open, limit)] | some limit in [1, 1.5, 2, 2.1]] == [
		["met", "met"], ["unknown", "unknown"], ["unknown", "not_met"], ["not_met", "not_met"],
	]
	[[bounds.at_most(closed, limit), bounds.at_most(open, limit)] | some limit in [0.9, 1, 1.5, 2]] == [
		["not_met", "not_met"], ["unknown", "not_met"], ["unknown", "unknown"], ["met", "met"],
	]
	[[bounds.more_than(closed, limit), bounds.more_than(open, limit)] | some limit in [0.9, 1, 1.5, 2]] == [
		["met", "met"], ["unknown", "met"], ["unknown", "unknown"], ["not_met", "not_met"],
	]
	[[bounds.less_than(closed, limit), bounds.less_than(open, limit)] | some limit in [1, 1.5, 2, 2.1]] == [
		["not_met", "not_met"], ["unknown", "unknown"], ["unknown", "met"], ["met", "met"],
	]
	[[bounds.from_to(closed, ends[0], ends[1]), bounds.from_to(open, ends[0], ends[1])] |
		some ends in [[1, 2], [1, 1.9], [1.1, 2], [2, 3], [0, 1], [3, 4], [0, 3]]
	] == [
		["met", "met"], ["unknown", "unknown"], ["unknown", "unknown"],
		["unknown", "not_met"], ["unknown", "not_met"], ["not_met", "not_met"], ["met", "met"],
	]
}

test_one_of if {
	whole := {"from": 1, "open_below": false, "to": 2, "open_above": false, "whole": true}
	[bounds.one_of(whole, values) | some values in [{1, 2}, {1, 2, 3}, {1}, {3}, set()]] == ["met", "met", "unknown", "not_met", "not_met"]
	number := {"from": 1, "open_below": true, "to": 2, "open_above": false, "whole": false}
	[bounds.one_of(number, values) | some values in [{1, 2}, {1}, {0}]] == ["unknown", "not_met", "not_met"]
	bounds.one_of(object.union(number, {"open_below": false}), {1, 2}) == "unknown" # what lies between them is none of them
}
