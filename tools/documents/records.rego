# The records: closed rules that say what of a FHIR record establishes a fact. FHIRPath is parsed by tools/docs.
package tools.documents

import data.modules
import data.payer
import data.payer.criteria

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
	not _may_hold(fact, meant.value)
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

_may_hold(fact, value) if fact.values[value]

_may_hold(fact, value) if {
	fact.type == "boolean"
	is_boolean(value)
}

_may_hold(fact, value) if {
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
