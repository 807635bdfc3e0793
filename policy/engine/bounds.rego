# METADATA
# title: Bounds
# description: |
#   A number that is known within bounds only, as laboratories report it: `{"less_than": 0.01}`. With the range of its fact
#   a bound is an interval, `{"given", "from", "open_below", "to", "open_above", "whole"}`: open where the end itself is
#   left out, and `whole` when it holds whole numbers only, whose ends are whole numbers and never open.
#   A state is met or not_met when every value of the interval agrees, else unknown.
package payer.bounds

import data.payer.kleene

# METADATA
# title: Interval
# description: Of a bound on a fact; undefined when it is no bound, or when no value of the fact's range is within it.
interval(fact, given) := limits if {
	is_object(given)
	count(given) == 1
	some side, number in given
	is_number(number)
	number >= fact.minimum
	number <= fact.maximum
	limits := _limits(side, number, fact)
	limits.from <= limits.to
	not _empty(limits)
}

_empty(limits) if {
	limits.from == limits.to
	true in {limits.open_below, limits.open_above}
}

_limits(side, number, fact) := object.union(
	{
		"given": {side: number},
		"from": fact.minimum, "open_below": false,
		"to": fact.maximum, "open_above": false,
		"whole": {"number": false, "integer": true}[fact.type],
	},
	{
		"number": {
			"less_than": {"to": number, "open_above": true},
			"at_most": {"to": number},
			"at_least": {"from": number},
			"more_than": {"from": number, "open_below": true},
		},
		"integer": {
			"less_than": {"to": ceil(number) - 1},
			"at_most": {"to": floor(number)},
			"at_least": {"from": ceil(number)},
			"more_than": {"from": floor(number) + 1},
		},
	}[fact.type][side],
)

# METADATA
# title: At least
# description: Whether every value, or none, is a limit or more.
at_least(interval, limit) := "met" if {
	interval.from >= limit
} else := "not_met" if {
	interval.to < limit
} else := "not_met" if {
	interval.to == limit
	interval.open_above
} else := "unknown"

# METADATA
# title: At most
# description: Whether every value, or none, is a limit or less.
at_most(interval, limit) := "met" if {
	interval.to <= limit
} else := "not_met" if {
	interval.from > limit
} else := "not_met" if {
	interval.from == limit
	interval.open_below
} else := "unknown"

# METADATA
# title: More than
# description: Whether every value, or none, is more than a limit.
more_than(interval, limit) := _negated[at_most(interval, limit)]

# METADATA
# title: Less than
# description: Whether every value, or none, is less than a limit.
less_than(interval, limit) := _negated[at_least(interval, limit)]

_negated := {"met": "not_met", "not_met": "met", "unknown": "unknown"}

# METADATA
# title: From to
# description: Whether every value, or none, is within two limits, both included.
from_to(interval, least, most) := object.get(
	kleene.all_of,
	{at_least(interval, least), at_most(interval, most)},
	"not_met",
)

# METADATA
# title: One of
# description: Whether every value, or none, is one of a set of whole numbers.
one_of(interval, values) := "not_met" if {
	count(_within(interval, values)) == 0
} else := "met" if {
	interval.whole
	count(_within(interval, values)) == (interval.to - interval.from) + 1
} else := "unknown"

_within(interval, values) := {value |
	some value in values
	from_to(interval, value, value) != "not_met"
}
