# Compounds: parts that are criteria of this file.
package tools.documents

_parts(rule) := rule.call.arguments[count(rule.call.arguments) - 1]

_problem contains [file, row, ["must list its parts, by the names of their rules"]] if {
	some [file, row, rule] in _rules
	rule.call.function in _compounds
	not _lists(_parts(rule))
}

_lists(term) if {
	term.type == "array"
	count(term.value) > 0
	every part in term.value { part.type == "var" }
}

_problem contains [file, row, ["has the part", part.value, "which is no criterion of this file"]] if {
	some [file, row, rule] in _rules
	rule.call.function in _compounds
	some part in _parts(rule).value
	part.type == "var"
	not part.value in {other.name | some [_, other] in _in(file); _is_criterion(other)}
}

_problem contains [file, row, ["has the part", part.value, "which is a pathway with terms of its own: name its clauses"]] if {
	some [file, row, rule] in _rules
	rule.call.function in _compounds
	some part in _parts(rule).value
	part.value in _listed(file, "pathways")
}

_problem contains [file, row, ["has the part", part.value, "twice, which would count twice"]] if {
	some [file, row, rule] in _rules
	rule.call.function in _compounds
	some i, part in _parts(rule).value
	some j, other in _parts(rule).value
	i < j
	part.value == other.value
}

# Without an id a part is shown as its clause and its fact.
_shown_as contains [file, row, rule, concat(".", [rule.note.custom.id, part.call.arguments[1].value]), part] if {
	some [file, row, rule] in _rules
	rule.call.function in _compounds
	some term in _parts(rule).value
	some [_, part] in _in(file)
	part.name == term.value
	not part.note.custom.id
	_types[part.call.function]
}

_problem contains [file, row, ["has two parts that would be shown as", concat("", [id, ":"]), "give one of them an id,", concat(" or ", sort(names))]] if {
	some [file, row, rule, id, _] in _shown_as
	names := {part.name | [file, row, _, id, part] = _shown_as[_]}
	count(names) > 1
}

_problem contains [file, row, ["has the part", concat("", [part.name, ","]), "which would be shown as", concat("", [id, ";"]), "that is the id of", other.name]] if {
	some [file, row, _, id, part] in _shown_as
	some [_, other] in _in(file)
	other.note.custom.id == id
}

_problem contains [file, row, ["must take pathways, and so all of them, second"]] if {
	some [file, row, rule] in _rules
	rule.call.function == "fallback"
	[term.value | some term in array.slice(rule.call.arguments, 1, 9)] != ["pathways"]
}

_problem contains [file, row, ["must ask for at least 1 of its parts, and for no more than it has"]] if {
	some [file, row, rule] in _rules
	rule.call.function == "at_least_n_of"
	not rule.call.arguments[1].value in numbers.range(1, count(_parts(rule).value))
}

_problem contains [file, row, ["is a pathway, which is all of its clauses: criterion.all_of"]] if {
	some [file, row, rule] in _rules
	_kind(file, rule.name) == "pathway"
	rule.call.function != "all_of"
}

_compounds := {"all_of", "any_of", "none_of", "at_least_n_of"}
