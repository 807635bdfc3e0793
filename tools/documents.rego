# What a document must be, checked by its text (`data.modules`, file name to what `opa parse` says of it) and by asking the
# rules themselves. What passes here decides every request, shows nothing without words and reads no fact that is not
# there: the names of facts are strings, so OPA's own checks do not see them. tools/check runs it.
package tools.documents

import data.modules
import data.payer
import data.payer.calendar
import data.payer.criteria

# A line for each fault, by file and row. A document is asked only when its text is sound.
report := concat("\n", [concat("", [sprintf("%s:%d: ", [file, row]), concat(" ", words)]) | some [file, row, words] in sort(found)]) if {
	found := [faults | some faults in [_nothing_held, _faults, _unanswered]; count(faults) > 0][0]
} else := ""

_nothing_held contains _at("policy", 1, ["no document is held"]) if count(_documents) == 0

_faults contains _at(file, note.location.row, ["the METADATA has no", field]) if {
	some file, module in modules
	some note in module.annotations
	some field in ["title", "description"]
	trim_space(object.get(note, field, "")) == ""
}

# The package: what its METADATA says, and whether its files are whole.

_faults contains _at(file, about.location.row, [replace(concat(".", ["custom", _told(problem)]), "custom.(Root)", "custom")]) if {
	some file, held in _documents
	about := _about(held)
	[_, problems] := json.match_schema(object.get(about, "custom", {}), _package_schema)
	some problem in problems
}

_faults contains _at(file, 1, ["the package is of", held.document, held.version, "but custom says", said]) if {
	some file, held in _documents
	custom := object.get(_about(held), "custom", {})
	said := concat(" ", [sprintf("%v", [object.get(custom, field, "nothing")]) | some field in ["document", "version"]])
	said != concat(" ", [held.document, held.version])
}

_faults contains _at(file, 1, ["the version", held.version, "is no calendar date: a version is named by its first day in force, YYYY-MM-DD"]) if {
	some file, held in _documents
	not calendar.is_date(held.version)
}

_faults contains _at(file, 1, ["the document", held.document, "must have an id of letters, digits, - and . that begins with a letter and is no word of Python"]) if {
	some file, held in _documents
	not _is_id(held.document)
}

_is_id(document) if {
	regex.match(`^[A-Za-z][A-Za-z0-9.-]*$`, document)
	not _module(document) in _words_of_python
}

_faults contains _at(file, 1, ["the document", held.document, "would have the same module name as", other.document]) if {
	some file, held in _documents
	some other in _documents
	held.document != other.document
	_module(held.document) == _module(other.document)
}

_faults contains _at(file, 1, [held.document, held.version, "has no", part]) if {
	some file, held in _documents
	some part, rules in {"facts: they stand in a file of their own": ["facts"], "criteria": ["about", "pathways", "exclusions"]}
	some name in rules
	not _rule_of(held, name)
}

# What is defined twice is an error in the middle of a decision when the two differ, and every request of a batch fails.
_faults contains _at(file, rule.location.row, [name, "is there already, in row", format_int(first, 10)]) if {
	some file, held in _documents
	some rule in held.module.rules
	name := rule.head.name
	rows := [other.location.row | some other in held.module.rules; other.head.name == name; _is_whole(other)]
	_is_whole(rule)
	first := min(rows)
	first != rule.location.row
}

# Neither a set nor a function, of which each rule says a part.
_is_whole(rule) if {
	not rule.head.key
	not rule.head.args
}

_faults contains _at(file, rule.location.row, [name, "must list the names of rules of this file, without a condition"]) if {
	some [file, name, rule] in _lists_of_criteria
	not _is_list(name, rule)
}

_is_list("pathways", rule) if {
	_lists(rule.head.value)
	_is_unconditional(rule)
}

_is_list("exclusions", rule) if {
	rule.head.value.type == "array"
	every term in rule.head.value.value { term.type == "var" }
	_is_unconditional(rule)
}

_faults contains _at(file, rule.location.row, [name, "lists", term.value, "which is no criterion of this file"]) if {
	some [file, name, rule] in _lists_of_criteria
	some term in rule.head.value.value
	term.type == "var"
	not term.value in {other.name | some [_, other] in _in(file); _is_criterion(other)}
}

_faults contains _at(file, rule.location.row, [name, "lists", term.value, "twice"]) if {
	some [file, name, rule] in _lists_of_criteria
	some i, term in rule.head.value.value
	some j, other in rule.head.value.value
	i < j
	term.value == other.value
}

_faults contains _at(file, row, [rule.name, "stands in the pathways and in the exclusions, and would exclude what it approves"]) if {
	some [file, row, rule] in _rules
	rule.name in (_listed(file, "pathways") & _listed(file, "exclusions"))
}

_lists_of_criteria contains [file, rule.head.name, rule] if {
	some file, held in _documents
	some rule in held.module.rules
	rule.head.name in {"pathways", "exclusions"}
}

# The facts: a closed list of closed objects.

_faults contains _at(file, _fact_row(held, i), [concat("", [name, ":"]), trim_prefix(_told(problem), "(Root): ")]) if {
	some file, held in _documents
	held.facts
	some i, fact in criteria[held.document][held.version].facts
	name := concat(" ", ["the fact", object.get(fact, "name", format_int(i + 1, 10))])
	[_, problems] := json.match_schema(fact, _fact_schema(object.get(fact, "type", "none")))
	some problem in problems
}

_faults contains _at(file, _fact_row(held, i), ["the fact", fact.name, "is there twice"]) if {
	some file, held in _documents
	held.facts
	facts := criteria[held.document][held.version].facts
	some i, fact in facts
	some j, other in facts
	i < j
	other.name == fact.name
}

_faults contains _at(file, _fact_row(held, i), ["the fact", fact.name, "has a name that is taken, by Python, by the client or by a column of a file of requests"]) if {
	some file, held in _documents
	held.facts
	some i, fact in criteria[held.document][held.version].facts
	fact.name in (_words_of_python | _taken)
}

_faults contains _at(file, _fact_row(held, i), ["the fact", fact.name, "has the synonym", word, "which is one of its values"]) if {
	some file, held in _documents
	held.facts
	some i, fact in criteria[held.document][held.version].facts
	some word, _ in fact.synonyms
	fact.values[word]
}

_faults contains _at(file, _fact_row(held, i), ["the fact", fact.name, "has the synonym", word, "of", value, "which is none of its values"]) if {
	some file, held in _documents
	held.facts
	some i, fact in criteria[held.document][held.version].facts
	some word, value in fact.synonyms
	not fact.values[value]
}

_faults contains _at(file, _fact_row(held, i), ["the fact", fact.name, "has a minimum above its maximum"]) if {
	some file, held in _documents
	held.facts
	some i, fact in criteria[held.document][held.version].facts
	fact.minimum > fact.maximum
}

_faults contains _at(file, _fact_row(held, i), ["the fact", fact.name, "is read by no criterion and no advisory"]) if {
	some file, held in _documents
	held.facts
	_rule_of(held, "pathways")
	some i, fact in criteria[held.document][held.version].facts
	not fact.name in _read(held)
}

# The records: closed rules that say what of a FHIR record establishes a fact. FHIRPath is parsed by tools/docs.

_faults contains _at(file, 1, ["the package is of", held.document, held.version, "whose criteria are not here"]) if {
	some file, held in _records
	not [held.document, held.version] in {[other.document, other.version] | some other in _documents}
}

_faults contains _at(file, 1, ["does not say of the fact", name, "what establishes it: [] when nothing does"]) if {
	some file, held in _records
	some name in held.asked
	not held.rules[name]
}

_faults contains _at(file, 1, ["speaks of the fact", name, "which this version does not have"]) if {
	some file, held in _records
	count(held.asked) > 0
	some name, _ in held.rules
	not name in held.asked
}

_faults contains _at(file, row, ["the fact", concat("", [fact.name, ":"]), trim_prefix(_told(problem), "(Root): ")]) if {
	some [file, row, fact, rule] in _establishing
	[_, problems] := json.match_schema(rule, _record_schema(object.get(rule, "resource", "")))
	some problem in problems
}

_faults contains _at(file, row, ["the fact", fact.name, "takes", json.marshal(meant.value), "of a record, which is none of its values"]) if {
	some [file, row, fact, rule] in _establishing
	some meant in rule.means
	not _is_value(fact, meant.value)
}

_faults contains _at(file, row, ["the fact", fact.name, "takes the code", code, "for two values"]) if {
	some [file, row, fact, rule] in _establishing
	some i, meant in rule.means
	some j, other in rule.means
	i < j
	some system, codes in meant.codes
	some code in codes
	code in other.codes[system]
}

_faults contains _at(file, row, ["the fact", fact.name, "takes a quantity of a record, and is of type", fact.type]) if {
	some [file, row, fact, rule] in _establishing
	rule.quantity
	not fact.type in {"integer", "number"}
}

_faults contains _at(file, row, ["the fact", fact.name, "takes a quantity of a record, and no UCUM unit is held for its unit:", concat("", [unit, ";"]), "policy/engine/fhir.rego has", concat(", ", sort(object.keys(payer.fhir.units)))]) if {
	some [file, row, fact, rule] in _establishing
	rule.quantity
	fact.type in {"integer", "number"}
	unit := object.get(fact, "unit", "none")
	not payer.fhir.units[unit]
}

_faults contains _at(file, row, ["the fact", fact.name, "takes what it reads in a record for its value, and is of type", fact.type]) if {
	some [file, row, fact, rule] in _establishing
	not rule.means
	not rule.quantity
	not fact.type in {"boolean", "integer", "number"}
}

_faults contains _at(file, row, ["the fact", fact.name, "is complete when given, which nothing in a record is: it may be suggested"]) if {
	some [file, row, fact, rule] in _establishing
	fact.type == "array"
	not rule.suggests
}

_is_value(fact, value) if fact.values[value]

_is_value(fact, value) if {
	fact.type == "boolean"
	is_boolean(value)
}

_is_value(fact, value) if {
	fact.type in {"integer", "number"}
	some limit in [value[side] | some side in {"less_than", "at_most", "at_least", "more_than"}] # none of a plain number
	fact.minimum <= limit
	limit <= fact.maximum
}

# It is not locked with the version, so no decision may depend on it.
_faults contains _at(file, term.location.row, ["reads", path, "which is for the catalogue alone"]) if {
	some file, module in modules
	not module["package"].path[count(module["package"].path) - 1].value in {"payer", "holdings"}
	walk([object.get(module, "imports", []), object.get(module, "rules", [])], [_, term])
	term.type == "ref"
	some path in {"payer.records", "payer.fhir"}
	startswith(trim_prefix(concat(".", [step.value | some step in term.value; is_string(step.value)]), "data."), path)
}

# The files of records, with their rules by fact, and the names of the version's facts.
_records[file] := {"document": document, "version": version, "module": module, "rules": rules, "asked": asked} if {
	some file, module in modules
	[_, {"value": "payer"}, {"value": "records"}, {"value": document}, {"value": version}] = [{"value": step.value} |
		some step in module["package"].path
	]
	rules := object.get(payer.records[document][version], "facts", {})
	asked := {name | name := criteria[document][version].facts[_].name}
}

# By file and row: a fact, and a rule that establishes it.
_establishing contains [file, row, fact, rule] if {
	some file, held in _records
	some table in held.module.rules
	table.head.name == "facts"
	some [name, _] in table.head.value.value
	some fact in criteria[held.document][held.version].facts
	fact.name == name.value
	row := name.location.row
	some rule in held.rules[fact.name]
}

# The criteria: each sentence is one rule, METADATA and one expression of the vocabulary.

_faults contains _at(file, row, [rule.name, "has no METADATA: its text stands there, as title and description"]) if {
	some [file, row, rule] in _rules
	_is_told(rule)
	not rule.note
}

_faults contains _at(file, row, array.concat([rule.name], words)) if {
	some [file, row, words] in _problem
	some rule
	_rules[[file, row, rule]]
}

_faults contains _at(file, row, [rule.name, replace(concat(".", ["custom", _told(problem)]), "custom.(Root)", "custom")]) if {
	some [file, row, rule] in _rules
	[_, problems] := json.match_schema(object.get(rule.note, "custom", {}), _rule_schema(file, rule))
	some problem in problems
}

_faults contains _at(file, row, [rule.name, "has the id", id, "as has", other.name]) if {
	some [file, row, rule] in _rules
	some [other_row, other] in _in(file)
	other_row != row
	id := rule.note.custom.id
	id == other.note.custom.id
	{_kind(file, rule.name), _kind(file, other.name)} != {"pathway", "clause"}
}

_faults contains _at(file, row, [rule.name, "has the id", id, "which was withdrawn in version", gone]) if {
	some [file, row, rule] in _rules
	held := _documents[file]
	id := rule.note.custom.id
	some first, ids in _ids[held.document]
	id in ids
	some gone, others in _ids[held.document]
	not id in others
	first < gone
	gone < held.version
}

_faults contains _at(file, row, [rule.name, "stands in no pathway and no exclusion"]) if {
	some [file, row, rule] in _rules
	_is_criterion(rule)
	not rule.name in _used(file)
}

# Asked one fact at a time, with nothing else known, every request is decided.
_unanswered contains _at(file, 1, [held.document, held.version, "gives no decision when only", name, "is known:", json.marshal(value)]) if {
	count(_faults) == 0
	some file, held in _documents
	held.facts
	some [name, value] in _probes(held)
	answer := payer.decisions with input as {"version": held.version, "requests": [{
		"document": held.document, "date_of_service": held.version,
		"facts": {name: value},
	}]}
	answer[0].outcome in {"undecided", "invalid_request"}
}

_at(file, row, words) := [file, row, words]

_told(problem) := replace(problem.error, `Does not match pattern '\S'`, "must not be blank")

# The files of documents, with the names of their rules.
_documents[file] := {"document": path[2].value, "version": path[3].value, "facts": has_facts, "module": module} if {
	some file, module in modules
	path := array.slice(module["package"].path, 1, 5)
	[path[0].value, path[1].value] == ["payer", "criteria"]
	count(path) == 4
	has_facts := "facts" in {rule.head.name | some rule in module.rules}
}

_module(document) := lower(replace(replace(document, "-", ""), ".", "_"))

_about(held) := note if {
	some note in held.module.annotations
	note.scope == "package"
}

_rule_of(held, name) if {
	some other in _documents
	[other.document, other.version] == [held.document, held.version]
	some rule in other.module.rules
	rule.head.name == name
}

# Where a fact stands in its table.
_fact_row(held, i) := row if {
	some rule in held.module.rules
	rule.head.name == "facts"
	row := rule.head.value.value[i].location.row
} else := 1

# By file and row: every rule of the criteria but those every document has, with its METADATA and the call that it is.
_rules contains [file, row, {"name": name, "rule": rule, "note": object.get(rule, ["annotations", 0], false), "call": _call(rule)}] if {
	some file, held in _documents
	some rule in held.module.rules
	row := rule.location.row
	name := rule.head.name
	not name in {"about", "facts", "pathways", "exclusions"}
}

_in(file) := {[row, rule] | some [name, row, rule] in _rules; name == file}

# A call of the vocabulary, as function and arguments.
_call(rule) := {"function": term.value[0].value[1].value, "arguments": array.slice(term.value, 1, count(term.value))} if {
	term := object.get(rule.head, "key", object.get(rule.head, "value", {}))
	term.type == "call"
	term.value[0].value[0].value == "criterion"
} else := {"function": "", "arguments": []}

_is_told(rule) if rule.call.function != ""

_is_told(rule) if _has_prefix(rule)

_has_prefix(rule) if regex.match("^(pathway|clause|exclusion)_", rule.name)

_is_criterion(rule) if not rule.call.function in {"", "note"}

# What each function may be asked of, by the type of the fact.
_types := {
	"is_true": {"boolean"},
	"one_of": {"string", "integer"},
	"at_least": {"integer", "number"}, "at_most": {"integer", "number"}, "more_than": {"integer", "number"},
	"less_than": {"integer", "number"}, "from_to": {"integer", "number"},
	"holds_any": {"array"}, "holds_none": {"array"}, "holds_exactly": {"array"},
	"within_days_before": {"date"},
}

_compounds := {"all_of", "any_of", "none_of", "at_least_n_of"}

_problem contains [file, row, ["is no sentence of the vocabulary: write it as one call of criterion.…(rego.metadata.rule(), …)"]] if {
	some [file, row, rule] in _rules
	_has_prefix(rule)
	rule.call.function == ""
}

_problem contains [file, row, ["has a condition, and is undefined where that fails: all that it asks stands in its expression"]] if {
	some [file, row, rule] in _rules
	_is_criterion(rule)
	not _is_unconditional(rule.rule)
}

_is_unconditional(rule) if {
	every expression in rule.body { expression.generated }
}

_problem contains [file, row, ["must take rego.metadata.rule() first, which is its own text"]] if {
	some [file, row, rule] in _rules
	_is_told(rule)
	rule.call.function != ""
	[step.value | some step in rule.call.arguments[0].value[0].value] != ["rego", "metadata", "rule"]
}

# Leaves: a fact of this version, of a type that can be asked so, and values that it has.

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

_problem contains [file, row, ["reads input.facts", _shown(term.value[2]), "which this version does not have"]] if {
	some [file, row, rule] in _rules
	held := _documents[file]
	criteria[held.document][held.version].facts
	walk(rule.rule, [_, term])
	_reads_fact(term)
	not term.value[2].value in {fact.name | some fact in criteria[held.document][held.version].facts}
}

# What is no sentence of the vocabulary, as a note on an approval, compares facts in Rego.
_problem contains [file, row, ["compares the fact", fact.name, "with", _shown(value), "which is no value of it"]] if {
	some [file, row, rule] in _rules
	held := _documents[file]
	walk(rule.rule, [_, compared])
	_compares(compared)
	some term in compared
	_reads_fact(term)
	some fact in criteria[held.document][held.version].facts
	fact.name == term.value[2].value
	some value in {value | some other in compared; some value in _constants(file, other)}
	not _is_value(value, fact)
}

_compares(terms) if {
	is_array(terms)
	[step.value | some step in terms[0].value] in {["equal"], ["neq"], ["lt"], ["lte"], ["gt"], ["gte"], ["internal", "member_2"]}
}

_constants(file, term) := _set(file, term)

_constants(_, term) := {term} if term.type in {"string", "number", "boolean"}

_is_value(value, fact) if fact.values[value.value]

_is_value(value, fact) if [value.type, fact.type] in {["boolean", "boolean"], ["string", "date"]}

_is_value(value, fact) if _is_within(value, fact)

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

_problem contains [file, row, ["asks the fact", fact.name, "for the limit", concat("", [_shown(limit), ","]), "which is no number of its range"]] if {
	some [file, row, rule, fact] in _leaves
	_types[rule.call.function] == {"integer", "number"}
	some i, limit in rule.call.arguments
	i > 1
	not _is_within(limit, fact)
}

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

# Compounds: parts that are criteria of this file.

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

# The names in the lists `pathways` and `exclusions`.
_listed(file, list) := {term.value |
	some rule in _documents[file].module.rules
	rule.head.name == list
	some term in rule.head.value.value
}

_kind(file, name) := "pathway" if {
	name in _listed(file, "pathways")
} else := "exclusion" if {
	name in _listed(file, "exclusions")
} else := "clause"

_used(file) := (_listed(file, "pathways") | _listed(file, "exclusions")) | {part.value |
	some [_, rule] in _in(file)
	some part in _parts(rule).value
}

_ids[document][version] := {rule.note.custom.id | some file, held in _documents; [held.document, held.version] == [document, version]; some [_, rule] in _in(file)} if {
	some held in _documents
	document := held.document
	version := held.version
}

_probes(held) := {[fact.name, value] |
	some fact in criteria[held.document][held.version].facts
	some value in _tried(fact)
}

_tried(fact) := [fact.minimum, fact.maximum, {"at_least": fact.maximum}] if {
	fact.type in {"integer", "number"}
} else := [true, false] if {
	fact.type == "boolean"
} else := ["1900-01-01", "2199-12-31"] if {
	fact.type == "date"
} else := [[value] | some value, _ in fact.values] if {
	fact.type == "array"
} else := object.keys(fact.values)

# What METADATA and facts may say.

_package_schema := {
	"required": ["document", "version", "last_reviewed", "codes", "history"],
	"additionalProperties": false,
	"properties": {
		"document": _words,
		"version": _day,
		"last_reviewed": _day,
		"codes": {
			"type": "object",
			"required": ["hcpcs", "icd10"],
			"additionalProperties": false,
			"properties": {"hcpcs": _texts, "icd10": _texts},
		},
		"history": {"type": "array", "items": {
			"type": "object",
			"required": ["date", "change"],
			"additionalProperties": false,
			"properties": {"date": _day, "change": _words},
		}},
	},
}

_rule_schema(file, rule) := {
	"required": ["advisory"],
	"additionalProperties": false,
	"properties": {"advisory": {"type": "string", "pattern": "^[a-z0-9_]+$"}},
} if {
	rule.call.function == "note"
} else := {
	"required": ["id"],
	"additionalProperties": false,
	"properties": object.union(_criterion, {"terms": {
		"type": "object",
		"required": ["text"],
		"additionalProperties": false,
		"properties": {"text": _words, "duration": {"type": "string", "minLength": 3, "pattern": `^P([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?$`}},
	}}),
} if {
	_kind(file, rule.name) == "pathway"
} else := {"required": ["id"], "additionalProperties": false, "properties": _criterion} if {
	_has_id(file, rule)
} else := {"additionalProperties": false, "properties": _criterion} if {
	_is_criterion(rule)
} else := {"maxProperties": 0}

# Only a leaf that is part of a clause may be named by its fact.
_has_id(_, rule) if rule.call.function in _compounds

_has_id(_, rule) if _has_prefix(rule)

_has_id(file, rule) if _kind(file, rule.name) == "exclusion"

_criterion := {
	"id": {"type": "string", "pattern": "^[A-Za-z0-9]+([.+][A-Za-z0-9_]+)*$"},
	"evidence": {"type": "array", "minItems": 1, "uniqueItems": true, "items": _words},
}

_words_of_python := {
	"and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally",
	"for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try",
	"while", "with", "yield",
}

# What the module of facts itself names, and the columns that are no facts.
_taken := {
	"bool", "date", "float", "int", "of",
	"codes", "date_of_service", "document", "facts", "hcpcs", "icd10", "request_id", "unavailable",
}

_fact_schema(type) := {
	"required": array.concat(["name", "type", "question"], required),
	"additionalProperties": false,
	"properties": object.union(
		{
			"name": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
			"type": {"enum": [type]},
			"question": _words,
			"note": _words,
		},
		{name: schema | some name, schema in _of_types; name in array.concat(required, optional)},
	),
} if {
	[required, optional] := {
		"string": [["values"], ["synonyms"]],
		"array": [["values"], ["synonyms"]],
		"boolean": [[], []],
		"date": [[], []],
		"integer": [["minimum", "maximum"], ["unit"]],
		"number": [["minimum", "maximum"], ["unit"]],
	}[type]
} else := {"required": ["name", "type", "question"], "properties": {"type": {"enum": ["string", "boolean", "integer", "number", "array", "date"]}}}

_of_types := {
	"values": {
		"type": "object",
		"minProperties": 1,
		"additionalProperties": false,
		"patternProperties": {"^[a-z0-9][a-z0-9_]*$": _words},
	},
	"synonyms": object.union(_texts, {"minProperties": 1}),
	"minimum": {"type": "number"},
	"maximum": {"type": "number"},
	"unit": _words,
}

_record_schema(resource) := {
	"required": array.concat(["resource"], required),
	"additionalProperties": false,
	"properties": object.union(read, {
		"resource": {"enum": object.keys(payer.fhir.resources)},
		"component": {"type": "array", "minItems": 1, "items": {
			"required": ["codes", "value"],
			"additionalProperties": false,
			"properties": {"codes": _coded, "value": _coded},
		}},
		"where": _words,
		"read": _words,
		"means": {"type": "array", "minItems": 1, "items": {
			"required": ["value", "codes"],
			"additionalProperties": false,
			"properties": {"value": {}, "codes": _coded},
		}},
		"quantity": {"enum": [true]},
		"suggests": {"enum": [true]},
	}),
	"not": {"required": ["means", "quantity"]},
} if {
	[required, read] := {true: [[], {"codes": _coded}], false: [["read"], {}]}[_has_code(resource)]
}

_has_code(resource) := "code" in object.keys(object.get(payer.fhir.resources, resource, {"code": ""}))

_coded := {"type": "object", "minProperties": 1, "additionalProperties": false, "properties": {system: codes |
	some system, _ in payer.fhir.systems
	codes := {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"type": "string", "pattern": `^[^\s*]+\*?$`}}
}}

_words := {"type": "string", "pattern": `\S`}

_day := {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}

_texts := {"type": "object", "additionalProperties": _words}
