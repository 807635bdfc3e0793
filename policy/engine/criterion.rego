# METADATA
# title: The vocabulary of criteria
# description: |
#   What the sentences of a document are made of. Each function takes the METADATA of the rule that says the sentence
#   (`rego.metadata.rule()`), then the fact with what is asked of it, or the parts. What is unknown is handled here and
#   nowhere else. `input.facts` holds what is known exactly, `input.bounds` the intervals of `payer.bounds`.
#
#   A criterion is the node that a decision shows; where it is a part and has no id, it gets its clause's and its fact's
#   name there. While its state is unknown it is `{"node", "state", "open", "meets", "fails"}`: beside the node the leaves
#   that are open here, each its fact and the clause that asks, and the fewest facts that can make it met and not met.
#
#   Each function builds its node where it is: a function for that would cost more than all else, since OPA hashes the
#   arguments of every call. It builds it by `object.union`: what a function returns in braces OPA builds three times.
package payer.criterion

import data.payer.bounds
import data.payer.calendar
import data.payer.kleene

# METADATA
# title: Is true
# description: The answer is yes.
is_true(rule, fact) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[value],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: One of
# description: The value is one of a set.
one_of(rule, fact, values) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[value in values],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _within_bound(rule, fact, bounds.one_of(input.bounds[fact], values)) if {
	input.bounds[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: At least
# description: The number is a limit or more.
at_least(rule, fact, limit) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[value >= limit],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _within_bound(rule, fact, bounds.at_least(input.bounds[fact], limit)) if {
	input.bounds[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: At most
# description: The number is a limit or less.
at_most(rule, fact, limit) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[value <= limit],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _within_bound(rule, fact, bounds.at_most(input.bounds[fact], limit)) if {
	input.bounds[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: More than
# description: The number is more than a limit.
more_than(rule, fact, limit) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[value > limit],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _within_bound(rule, fact, bounds.more_than(input.bounds[fact], limit)) if {
	input.bounds[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: Less than
# description: The number is less than a limit.
less_than(rule, fact, limit) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[value < limit],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _within_bound(rule, fact, bounds.less_than(input.bounds[fact], limit)) if {
	input.bounds[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: From to
# description: The number is within two limits, both included.
from_to(rule, fact, least, most) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[[value >= least, value <= most] == [true, true]],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _within_bound(rule, fact, bounds.from_to(input.bounds[fact], least, most)) if {
	input.bounds[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: Holds any
# description: The list holds at least one of a set of values.
holds_any(rule, fact, values) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[count(values & {item | some item in value}) > 0],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: Holds none
# description: The list holds none of a set of values.
holds_none(rule, fact, values) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[count(values & {item | some item in value}) == 0],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: Holds exactly
# description: The list holds a set of values, all of it and nothing else.
holds_exactly(rule, fact, values) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[values == {item | some item in value}],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
} else := _unknown(rule, fact, null)

# METADATA
# title: Within days before
# description: The date is the date of service or at most so many days before it, and not after it.
within_days_before(rule, fact, days) := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": _state[[passed >= 0, passed <= days] == [true, true]],
	"fact": fact,
	"value": value,
}) if {
	value := input.facts[fact]
	passed := calendar.day_number(input.date_of_service) - calendar.day_number(value)
} else := _unknown(rule, fact, null)

_state := {true: "met", false: "not_met"}

# A leaf within a bound, which may settle it all the same.
_within_bound(rule, fact, state) := _unknown(rule, fact, input.bounds[fact].given) if {
	state == "unknown"
} else := object.union(object.get(rule, "custom", {}), {
	"text": rule.description,
	"state": state,
	"fact": fact,
	"value": input.bounds[fact].given,
})

_unknown(rule, fact, value) := object.union({"state": "unknown"}, {
	"node": object.union(custom, {
		"text": rule.description,
		"state": "unknown",
		"fact": fact,
		"value": value,
	}),
	"open": [[fact, object.get(custom, "id", "")]], # without an id, its clause's
	"meets": {fact},
	"fails": {fact},
}) if {
	custom := object.get(rule, "custom", {})
}

# METADATA
# title: All of
# description: Every part is met.
all_of(rule, parts) := object.union(rule.custom, {
	"text": rule.description,
	"state": state,
	"all_of": [object.union({"id": concat(".", [id, object.get(node, "fact", "")])}, node) |
		some part in parts
		node := object.get(part, "node", part)
	],
}) if {
	id := rule.custom.id
	state := object.get(kleene.all_of, {state | state = parts[_].state}, "not_met")
	state != "unknown"
} else := object.union({"state": "unknown"}, {
	"node": object.union(rule.custom, {
		"text": rule.description,
		"state": "unknown",
		"all_of": [object.union({"id": concat(".", [id, object.get(node, "fact", "")])}, node) |
			some part in parts
			node := object.get(part, "node", part)
		],
	}),
	"open": [[fact, object.get({"": id}, clause, clause)] | [fact, clause] = parts[_].open[_]],
	"meets": union({facts | facts = parts[_].meets}),
	"fails": _fewest(1, [facts | facts = parts[_].fails]),
}) if {
	id := rule.custom.id
}

# METADATA
# title: Any of
# description: At least one part is met.
any_of(rule, parts) := object.union(rule.custom, {
	"text": rule.description,
	"state": state,
	"any_of": [object.union({"id": concat(".", [id, object.get(node, "fact", "")])}, node) |
		some part in parts
		node := object.get(part, "node", part)
	],
}) if {
	id := rule.custom.id
	state := object.get(kleene.any_of, {state | state = parts[_].state}, "not_met")
	state != "unknown"
} else := object.union({"state": "unknown"}, {
	"node": object.union(rule.custom, {
		"text": rule.description,
		"state": "unknown",
		"any_of": [object.union({"id": concat(".", [id, object.get(node, "fact", "")])}, node) |
			some part in parts
			node := object.get(part, "node", part)
		],
	}),
	"open": [[fact, object.get({"": id}, clause, clause)] | [fact, clause] = parts[_].open[_]],
	"meets": _fewest(1, [facts | facts = parts[_].meets]),
	"fails": union({facts | facts = parts[_].fails}),
}) if {
	id := rule.custom.id
}

# METADATA
# title: None of
# description: No part is met.
none_of(rule, parts) := object.union(rule.custom, {
	"text": rule.description,
	"state": state,
	"none_of": [object.union({"id": concat(".", [id, object.get(node, "fact", "")])}, node) |
		some part in parts
		node := object.get(part, "node", part)
	],
}) if {
	id := rule.custom.id
	state := object.get(kleene.none_of, {state | state = parts[_].state}, "not_met")
	state != "unknown"
} else := object.union({"state": "unknown"}, {
	"node": object.union(rule.custom, {
		"text": rule.description,
		"state": "unknown",
		"none_of": [object.union({"id": concat(".", [id, object.get(node, "fact", "")])}, node) |
			some part in parts
			node := object.get(part, "node", part)
		],
	}),
	"open": [[fact, object.get({"": id}, clause, clause)] | [fact, clause] = parts[_].open[_]],
	"meets": union({facts | facts = parts[_].fails}),
	"fails": _fewest(1, [facts | facts = parts[_].meets]),
}) if {
	id := rule.custom.id
}

# METADATA
# title: At least so many of
# description: So many parts or more are met.
at_least_n_of(rule, least, parts) := object.union(rule.custom, {
	"text": rule.description,
	"state": state,
	"at_least": least,
	"of": [object.union({"id": concat(".", [id, object.get(node, "fact", "")])}, node) |
		some part in parts
		node := object.get(part, "node", part)
	],
}) if {
	id := rule.custom.id
	state := kleene.at_least(least, [state | state = parts[_].state])
	state != "unknown"
} else := object.union({"state": "unknown"}, {
	"node": object.union(rule.custom, {
		"text": rule.description,
		"state": "unknown",
		"at_least": least,
		"of": [object.union({"id": concat(".", [id, object.get(node, "fact", "")])}, node) |
			some part in parts
			node := object.get(part, "node", part)
		],
	}),
	"open": [[fact, object.get({"": id}, clause, clause)] | [fact, clause] = parts[_].open[_]],
	"meets": _fewest(least - met, [facts | facts = parts[_].meets]),
	"fails": _fewest(((met + count(fails)) - least) + 1, fails),
}) if {
	id := rule.custom.id
	met := count([part | some part in parts; part.state == "met"])
	fails := [facts | facts = parts[_].fails]
}

# METADATA
# title: The fallback
# description: No pathway is met. It has no fact of its own and needs none.
fallback(rule, pathways) := {
	"fallback": true,
	"node": object.union(rule.custom, {"text": rule.description, "state": state}),
	"state": state,
} if {
	state := object.get(kleene.none_of, {state | state = pathways[_].state}, "not_met")
}

# METADATA
# title: Note
# description: What a rule has to say beside the decision, without deciding anything.
note(rule) := {"code": rule.custom.advisory, "text": rule.description}

# What the so many ways that need fewest facts need together; of equal ones the first, and what needs a fact that is not
# to be had last. Most requests have all there is to have.
_fewest(number, ways) := union({ways[i] | some [_, i] in array.slice(ranked, 0, number)}) if {
	not input.unavailable
	ranked := sort([[count(way), i] | some i, way in ways])
} else := union({ways[i] | some [_, _, i] in array.slice(ranked, 0, number)}) if {
	unavailable := {fact | some fact in input.unavailable}
	ranked := sort([[count(way & unavailable) > 0, count(way), i] | some i, way in ways])
}
