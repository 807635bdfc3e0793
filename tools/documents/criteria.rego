# The criteria: each sentence is one rule, METADATA and one expression of the vocabulary.
package tools.documents

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

_problem contains [file, row, ["is a criterion, which is one value: write it with :="]] if {
	some [file, row, rule] in _rules
	_is_criterion(rule)
	not _is_plain(rule.rule)
}

_problem contains [file, row, ["is a note: write it with contains"]] if {
	some [file, row, rule] in _rules
	rule.call.function == "note"
	not rule.rule.head.key
}

# Two values of one rule are an error, and no request of the batch is decided; a request that nobody tried is the first to
# show it.
_problem contains [file, row, ["might have two values, and end every decision of a batch: what is no criterion is true, collects with contains, or is written out"]] if {
	some [file, row, rule] in _rules
	rule.call.function == ""
	not _has_prefix(rule)
	not _has_one_value(rule.rule)
}

_has_one_value(rule) if {
	rule.head.key
	not rule.head.value
}

_has_one_value(rule) if _is_true(rule)

_has_one_value(rule) if {
	_is_plain(rule)
	_is_unconditional(rule)
	not rule["else"]
	every type in {term.type | walk(rule.head.value, [_, term])} {
		type in {"null", "boolean", "number", "string", "array", "object", "set", "var"}
	}
}

_is_true(rule) if {
	count(rule.head.ref) == 1
	rule.head.value.value == true
	{[head.value.type, head.value.value] | walk(rule, [path, head]); path[count(path) - 1] == "head"} == {["boolean", true]}
}

# Neither a set or an object, of which each rule says a part, nor a function.
_is_plain(rule) if {
	count(rule.head.ref) == 1
	not rule.head.key
	not rule.head.args
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

_ids[document][version] := {rule.note.custom.id | some file, held in _documents; [held.document, held.version] == [document, version]; some [_, rule] in _in(file)} if {
	some held in _documents
	document := held.document
	version := held.version
}

_used(file) := (_listed(file, "pathways") | _listed(file, "exclusions")) | {part.value |
	some [_, rule] in _in(file)
	some part in _parts(rule).value
}

# By file and row: every rule of the criteria but those every document has, with its METADATA and the call that it is.
_rules contains [file, row, {"name": name, "rule": rule, "note": object.get(rule, ["annotations", 0], false), "call": _call(rule)}] if {
	some file, held in _documents
	some rule in held.module.rules
	row := rule.location.row
	name := rule.head.ref[0].value
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
		"properties": {"text": _words, "duration": {"type": "string", "minLength": 3, "pattern": _duration}},
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
