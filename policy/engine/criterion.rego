# METADATA
# title: The vocabulary of criteria
# description: |
#   What the sentences of a document are made of. Each function takes the METADATA of the rule that says the sentence
#   (`rego.metadata.rule()`), then the fact with what is asked of it, or the parts. What is unknown is handled here and
#   nowhere else. `input.facts` holds what is known exactly, `input.bounds` the intervals of `payer.bounds`.
#
#   A criterion is `{"fact", "node", "undecided"}`. `fact` is the fact of a leaf; a part without an id is named by it.
#   `node` is what a decision shows. `undecided` is empty once the state is known; else it holds one object: `open`, the
#   leaves that are open here, each its fact and the clause that asks; and the fewest facts that can make it met
#   (`meets`) and not met (`fails`).
#
#   Each function builds its node where it is: a function for that would cost more than all else, since OPA hashes the
#   arguments of every call.
package payer.criterion

import data.payer.bounds
import data.payer.calendar
import data.payer.kleene

# METADATA
# title: Is true
# description: The answer is yes.
is_true(rule, fact) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[value],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: One of
# description: The value is one of a set.
one_of(rule, fact, values) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[value in values],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, bounds.one_of(input.bounds[fact], values)) if {
	input.bounds[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: At least
# description: The number is a limit or more.
at_least(rule, fact, limit) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[value >= limit],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, bounds.at_least(input.bounds[fact], limit)) if {
	input.bounds[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: At most
# description: The number is a limit or less.
at_most(rule, fact, limit) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[value <= limit],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, bounds.at_most(input.bounds[fact], limit)) if {
	input.bounds[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: More than
# description: The number is more than a limit.
more_than(rule, fact, limit) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[value > limit],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, bounds.more_than(input.bounds[fact], limit)) if {
	input.bounds[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: Less than
# description: The number is less than a limit.
less_than(rule, fact, limit) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[value < limit],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, bounds.less_than(input.bounds[fact], limit)) if {
	input.bounds[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: From to
# description: The number is within two limits, both included.
from_to(rule, fact, least, most) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[[value >= least, value <= most] == [true, true]],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, bounds.from_to(input.bounds[fact], least, most)) if {
	input.bounds[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: Holds any
# description: The list holds at least one of a set of values.
holds_any(rule, fact, values) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[count(values & {item | some item in value}) > 0],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: Holds none
# description: The list holds none of a set of values.
holds_none(rule, fact, values) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[count(values & {item | some item in value}) == 0],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: Holds exactly
# description: The list holds a set of values, all of it and nothing else.
holds_exactly(rule, fact, values) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[values == {item | some item in value}],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
} else := _inexact(rule, fact, "unknown")

# METADATA
# title: Within days before
# description: The date is the date of service or at most so many days before it, and not after it.
within_days_before(rule, fact, days) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": _state[[passed >= 0, passed <= days] == [true, true]],
		"fact": fact,
		"value": value,
	}),
	"undecided": [],
} if {
	value := input.facts[fact]
	passed := calendar.day_number(input.date_of_service) - calendar.day_number(value)
} else := _inexact(rule, fact, "unknown")

_state := {true: "met", false: "not_met"}

# A leaf whose fact is not known exactly. A bound may settle it all the same; else its fact is needed.
_inexact(rule, fact, state) := {
	"fact": fact,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": state,
		"fact": fact,
		"value": object.get(input, ["bounds", fact, "given"], null),
	}),
	"undecided": [{
		"open": [[fact, object.get(rule, ["custom", "id"], "")]],
		"meets": {fact},
		"fails": {fact},
	} |
		state == "unknown"
	],
}

# METADATA
# title: All of
# description: Every part is met.
all_of(rule, parts) := {
	"fact": "",
	"node": object.union(rule.custom, {
		"text": rule.description,
		"state": state,
		"all_of": [object.union({"id": concat(".", [rule.custom.id, part.fact])}, part.node) | some part in parts],
	}),
	"undecided": [{
		"open": _open(rule.custom.id, ways),
		"meets": union({way.meets | some way in ways}),
		"fails": _fewest(1, [way.fails | some way in ways]),
	} |
		state == "unknown"
		ways := [way | some way in parts[_].undecided]
	],
} if {
	state := object.get(kleene.all_of, {part.node.state | some part in parts}, "not_met")
}

# METADATA
# title: Any of
# description: At least one part is met.
any_of(rule, parts) := {
	"fact": "",
	"node": object.union(rule.custom, {
		"text": rule.description,
		"state": state,
		"any_of": [object.union({"id": concat(".", [rule.custom.id, part.fact])}, part.node) | some part in parts],
	}),
	"undecided": [{
		"open": _open(rule.custom.id, ways),
		"meets": _fewest(1, [way.meets | some way in ways]),
		"fails": union({way.fails | some way in ways}),
	} |
		state == "unknown"
		ways := [way | some way in parts[_].undecided]
	],
} if {
	state := object.get(kleene.any_of, {part.node.state | some part in parts}, "not_met")
}

# METADATA
# title: None of
# description: No part is met.
none_of(rule, parts) := {
	"fact": "",
	"node": object.union(rule.custom, {
		"text": rule.description,
		"state": state,
		"none_of": [object.union({"id": concat(".", [rule.custom.id, part.fact])}, part.node) | some part in parts],
	}),
	"undecided": [{
		"open": _open(rule.custom.id, ways),
		"meets": union({way.fails | some way in ways}),
		"fails": _fewest(1, [way.meets | some way in ways]),
	} |
		state == "unknown"
		ways := [way | some way in parts[_].undecided]
	],
} if {
	state := object.get(kleene.none_of, {part.node.state | some part in parts}, "not_met")
}

# METADATA
# title: At least so many of
# description: So many parts or more are met.
at_least_n_of(rule, least, parts) := {
	"fact": "",
	"node": object.union(rule.custom, {
		"text": rule.description,
		"state": state,
		"at_least": least,
		"of": [object.union({"id": concat(".", [rule.custom.id, part.fact])}, part.node) | some part in parts],
	}),
	"undecided": [{
		"open": _open(rule.custom.id, ways),
		"meets": _fewest(least - met, [way.meets | some way in ways]),
		"fails": _fewest(((met + count(ways)) - least) + 1, [way.fails | some way in ways]),
	} |
		state == "unknown"
		ways := [way | some way in parts[_].undecided]
	],
} if {
	met := count([part | some part in parts; part.node.state == "met"])
	not_met := count([part | some part in parts; part.node.state == "not_met"])
	state := {
		[true, true]: "met",
		[false, true]: "unknown",
		[false, false]: "not_met",
	}[[met >= least, (count(parts) - not_met) >= least]]
}

# METADATA
# title: The fallback
# description: No pathway is met. It has no fact of its own and needs none.
fallback(rule, pathways) := {
	"fact": "",
	"fallback": true,
	"node": object.union(object.get(rule, "custom", {}), {
		"text": rule.description,
		"state": object.get(kleene.none_of, {pathway.node.state | some pathway in pathways}, "not_met"),
	}),
	"undecided": [],
}

# METADATA
# title: Note
# description: What a rule has to say beside the decision, without deciding anything.
note(rule) := {"code": rule.custom.advisory, "text": rule.description}

# The open leaves of a clause's parts. One without an id is the clause's.
_open(id, ways) := [[fact, object.get({"": id}, clause, clause)] |
	some way in ways
	some [fact, clause] in way.open
]

# What the so many ways that need fewest facts need together; of equal ones the first, and what needs a fact that is not
# to be had last.
_fewest(number, ways) := union({ways[i] | some [_, _, i] in array.slice(ranked, 0, number)}) if {
	unavailable := {fact | some fact in input.unavailable}
	ranked := sort([[count(way & unavailable) > 0, count(way), i] | some i, way in ways])
}
