# The facts: a closed list of closed objects.
package tools.documents

import data.payer.criteria
import data.payer.request

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

_faults contains _at(file, _fact_row(held, j), ["the fact", other.name, "has the name of the fact", fact.name, "to the client"]) if {
	some file, held in _documents
	held.facts
	facts := criteria[held.document][held.version].facts
	some i, fact in facts
	some j, other in facts
	i < j
	other.name != fact.name
	_plain(other.name) == _plain(fact.name)
}

_faults contains _at(file, _fact_row(held, i), ["the fact", fact.name, "has", json.marshal(word), "and", concat("", [json.marshal(other), ","]), "which are one word to the client"]) if {
	some file, held in _documents
	held.facts
	some i, fact in criteria[held.document][held.version].facts
	words := object.keys(fact.values) | object.keys(object.get(fact, "synonyms", {}))
	some word in words
	some other in words
	word < other
	_plain(word) == _plain(other)
}

# As the client reads a word of a sender: case, blanks, hyphens and _ make no difference.
_plain(word) := concat("_", [part | some part in split(replace(replace(lower(word), "-", " "), "_", " "), " "); part != ""])

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

_faults contains _at(file, _fact_row(held, i), ["the fact", concat("", [fact.name, ":"]), limit, _as_written(fact[limit])]) if {
	some file, held in _documents
	held.facts
	some i, fact in criteria[held.document][held.version].facts
	some limit in ["minimum", "maximum"]
	is_number(fact[limit])
}

# What no request may give, or no double holds.
_as_written(number) := fault if {
	fault := request._as_written(number)
} else := "must be from -1e300 to 1e300" if {
	abs(number) > 1e300
}

_faults contains _at(file, _fact_row(held, i), ["the fact", fact.name, "is read by no criterion and no advisory"]) if {
	some file, held in _documents
	held.facts
	_rule_of(held, "pathways")
	some i, fact in criteria[held.document][held.version].facts
	not fact.name in _read(held)
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
		{name: schema | some name, schema in _of_types(type); name in array.concat(required, optional)},
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

_of_types(type) := {
	"values": {
		"type": "object",
		"minProperties": 1,
		"additionalProperties": false,
		"patternProperties": {"^[a-z0-9][a-z0-9_]*$": _words},
	},
	"synonyms": object.union(_texts, {"minProperties": 1}),
	"minimum": {"type": type},
	"maximum": {"type": type},
	"unit": _words,
}

# What the module of facts itself names, and the columns that are no facts.
_taken := {
	"bool", "date", "float", "int", "of",
	"codes", "date_of_service", "document", "facts", "hcpcs", "icd10", "request_id", "unavailable",
}
