# Leaves: a fact of this version, of a type that can be asked so, and values that it has.
package tools.documents

import data.payer.criteria

_leaves contains [file, row, rule, fact] if {
	some [file, row, rule] in _rules
	_types[rule.call.function]
	name := rule.call.arguments[1]
	name.type == "string"
	held := _documents[file]
	some fact in criteria[held.document][held.version].facts
	fact.name == name.value
}

_problem contains [file, row, ["reads the fact", _shown(name), "which this version does not have; it has", concat(", ", names)]] if {
	some [file, row, rule] in _rules
	_types[rule.call.function]
	name := rule.call.arguments[1]
	held := _documents[file]
	names := [fact.name | some fact in criteria[held.document][held.version].facts]
	count(names) > 0 # else they are of another version, which is said
	not name.value in names
}

_problem contains [file, row, ["asks", rule.call.function, "of the fact", concat("", [fact.name, ","]), "which is of type", fact.type]] if {
	some [file, row, rule, fact] in _leaves
	not fact.type in _types[rule.call.function]
}

_problem contains [file, row, ["asks the fact", fact.name, "for", _shown(value), "which is none of its values:", concat(", ", sort(object.keys(fact.values)))]] if {
	some [file, row, rule, fact] in _leaves
	some value in _set(file, rule.call.arguments[2])
	fact.values
	not fact.values[value.value]
}

_problem contains [file, row, ["asks the fact", fact.name, "for", _shown(value), "which is no whole number of its range"]] if {
	some [file, row, rule, fact] in _leaves
	fact.type == "integer"
	some value in _set(file, rule.call.arguments[2])
	not _is_of(value, fact)
}

_problem contains [file, row, ["must give the values that it asks for as a set, here or as a rule of this file"]] if {
	some [file, row, rule] in _rules
	rule.call.function in {"one_of", "holds_any", "holds_none", "holds_exactly"}
	not _set(file, rule.call.arguments[2])
}

_problem contains [file, row, ["asks the fact", fact.name, "for the limit", concat("", [_shown(limit), ","]), said]] if {
	some [file, row, rule, fact] in _leaves
	_types[rule.call.function] == {"integer", "number"}
	some i, limit in rule.call.arguments
	i > 1
	said := _limit_fault(limit, fact)
}

_limit_fault(limit, fact) := "which is no number of its range" if {
	not _is_within(limit, fact)
} else := "which is no whole number, as the fact is" if {
	fact.type == "integer"
	floor(limit.value) != limit.value
} else := concat(" ", ["which", _as_written(limit.value)])

_problem contains [file, row, ["must give the days as a whole number, 0 or more"]] if {
	some [file, row, rule] in _rules
	rule.call.function == "within_days_before"
	not _is_days(rule.call.arguments[2])
}

_is_days(term) if {
	term.type == "number"
	term.value >= 0
	floor(term.value) == term.value
}

_problem contains [file, row, ["goes from", _shown(least), "to", _shown(most)]] if {
	some [file, row, rule] in _rules
	rule.call.function == "from_to"
	[_, _, least, most] := rule.call.arguments
	least.value > most.value
}

_is_within(limit, fact) if {
	limit.type == "number"
	limit.value >= fact.minimum
	limit.value <= fact.maximum
}

_is_of(value, fact) if {
	_is_within(value, fact)
	floor(value.value) == value.value
}

_set(file, term) := term.value if {
	term.type == "set"
} else := named.rule.head.value.value if {
	term.type == "var"
	some [_, named] in _in(file)
	named.name == term.value
	named.rule.head.value.type == "set"
}

_problem contains [file, row, ["asks", rule.call.function, "of no value"]] if {
	some [file, row, rule] in _rules
	rule.call.function in {"one_of", "holds_any", "holds_none"}
	count(_set(file, rule.call.arguments[2])) == 0
}

_problem contains [file, row, ["is a note that nothing reads: notes are advisories, or contradictions"]] if {
	some [file, row, rule] in _rules
	rule.call.function == "note"
	not rule.name in {"advisories", "contradictions"}
}

_shown(term) := json.marshal(object.get(term, "value", null)) if not is_array(term.value)

_shown(term) := "something else" if is_array(term.value)
