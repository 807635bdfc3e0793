# What a document reads: a name that is not there is undefined, no error, and a note that reads it is never given.
package tools.documents

import data.modules
import data.payer.calendar
import data.payer.criteria

# What reads more than a fact by its name reads facts that are not seen here; and codes are as they were sent.
_faults contains _at(file, term.location.row, [name, "reads", _path(term.value), "where a document reads input.facts by the name of a fact, input.date_of_service, and codes.hcpcs and codes.icd10 of data.payer.codes"]) if {
	some [file, name, term] in _references
	term.value[0].value == "input"
	not _reads_fact(term)
	[step.value | some step in term.value] != ["input", "date_of_service"]
}

_faults contains _at(file, term.location.row, [name, "reads", _path(path), "which is nowhere in policy/engine/"]) if {
	some [file, name, term] in _references
	path := _absolute(file, term)
	not [path[1].value, path[2].value, path[3].value] in _of_the_engine
}

_of_the_engine contains [module["package"].path[1].value, module["package"].path[2].value, rule.head.ref[0].value] if {
	some module in modules
	count(module["package"].path) == 3
	some rule in module.rules
}

# A reference as it begins at data, whatever its first name is an import of.
_absolute(_, term) := term.value if term.value[0].value == "data"

_absolute(file, term) := array.concat(imported.path.value, array.slice(term.value, 1, count(term.value))) if {
	some imported in modules[file].imports
	named := array.reverse(imported.path.value)[0].value
	object.get(imported, "alias", named) == term.value[0].value
}

_references contains [file, rule.name, term] if {
	some [file, _, rule] in _rules
	walk(rule.rule, [_, term])
	term.type == "ref"
	term.value[0].type == "var"
}

_references contains [file, "import", imported.path] if {
	some file, held in _documents
	some imported in held.module.imports
	imported.path.value[0].value == "input"
}

_path(steps) := concat(".", [object.get({"string": step.value, "var": step.value}, step.type, "…") | some step in steps])

_problem contains [file, row, ["reads input.facts", _shown(term.value[2]), "which this version does not have"]] if {
	some [file, row, rule] in _rules
	held := _documents[file]
	criteria[held.document][held.version].facts
	walk(rule.rule, [_, term])
	_reads_fact(term)
	not term.value[2].value in {fact.name | some fact in criteria[held.document][held.version].facts}
}

_problem contains [file, row, ["compares the fact", fact.name, "with", _shown(value), "which is no value of it"]] if {
	some [file, row, name, value] in _comparisons
	held := _documents[file]
	some fact in criteria[held.document][held.version].facts
	fact.name == name
	not _is_value(value, fact)
}

# What is no sentence of the vocabulary, as a note on an approval, compares facts in Rego.
_comparisons contains [file, row, term.value[2].value, value] if {
	some [file, row, rule] in _rules
	walk(rule.rule, [_, compared])
	_compares(compared)
	some term in compared
	_reads_fact(term)
	some value in {value | some other in compared; some value in _constants(file, other)}
}

# Or hands them to a function of the file that does.
_comparisons contains [file, row, term.value[2].value, value] if {
	some [file, _, rule] in _rules
	walk(rule.rule, [_, call])
	is_array(call)
	some i, term in call
	_reads_fact(term)
	some [row, helper] in _in(file)
	[step.value | some step in call[0].value] == [helper.name]
	some value in _compared_with(file, helper.rule, helper.rule.head.args[i - 1])
}

_compared_with(file, rule, argument) := {value | some value in _constants(file, argument)} | {value |
	walk(rule.body, [_, compared])
	_compares(compared)
	some term in compared
	[term.type, term.value] == ["var", argument.value]
	some other in compared
	some value in _constants(file, other)
}

_compares(terms) if {
	is_array(terms)
	[step.value | some step in terms[0].value] in {["equal"], ["neq"], ["lt"], ["lte"], ["gt"], ["gte"], ["internal", "member_2"]}
}

_constants(file, term) := _set(file, term)

_constants(_, term) := {term} if term.type in {"string", "number", "boolean"}

_is_value(value, fact) if fact.values[value.value]

_is_value(value, fact) if [value.type, fact.type] == ["boolean", "boolean"]

_is_value(value, fact) if {
	fact.type == "date"
	calendar.is_date(value.value)
}

_is_value(value, fact) if _is_within(value, fact)

_reads_fact(term) if {
	term.type == "ref"
	[term.value[0].value, term.value[1].value] == ["input", "facts"]
	term.value[2].type == "string"
}

_read(held) := {name |
	some file, other in _documents
	[other.document, other.version] == [held.document, held.version]
	some name in ({fact.name | some [file, _, _, fact] in _leaves} | {term.value[2].value |
		walk(other.module.rules, [_, term])
		_reads_fact(term)
	})
}
