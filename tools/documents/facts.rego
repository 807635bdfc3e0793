# The facts: a closed list of closed objects.
package tools.documents

import data.payer.criteria

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

_read(held) := {name |
	some file, other in _documents
	[other.document, other.version] == [held.document, held.version]
	some name in ({fact.name | some [file, _, _, fact] in _leaves} | {term.value[2].value |
		walk(other.module.rules, [_, term])
		_reads_fact(term)
	})
}

# Where a fact stands in its table.
_fact_row(held, i) := row if {
	some rule in held.module.rules
	rule.head.name == "facts"
	row := rule.head.value.value[i].location.row
} else := 1

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

# What the module of facts itself names, and the columns that are no facts.
_taken := {
	"bool", "date", "float", "int", "of",
	"codes", "date_of_service", "document", "facts", "hcpcs", "icd10", "request_id", "unavailable",
}
