# The JSON Schema of a request for one version of a document, made from the table of its facts. Services validate
# against it.
package tools.schema

import data.payer.criteria

# File name to text, for every version held.
files[name] := text if {
	some document, version
	about := criteria[document][version].about
	name := concat("", [replace(lower(replace(document, "-", "")), ".", "_"), "_", replace(version, "-", "_"), ".json"])
	text := json.marshal_with_options(_schema(document, version, about), {"pretty": true, "indent": "  "})
}

_schema(document, version, about) := {
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"title": sprintf("Request under %s, version %s: %s", [document, version, about.title]),
	"type": "object",
	"required": ["document", "date_of_service", "facts"],
	"additionalProperties": false,
	"properties": {
		"document": {"type": "string", "enum": [document]},
		"date_of_service": {
			"type": "string",
			"format": "date",
			"pattern": _date,
			"description": "A calendar date; it selects the version in force on that day.",
		},
		"request_id": {"type": ["string", "null"], "minLength": 1, "maxLength": 128, "description": "Echoed back."},
		"codes": {
			"type": ["object", "null"],
			"additionalProperties": false,
			"description": "Informational; never decides.",
			"properties": {
				"hcpcs": {"type": ["string", "null"], "minLength": 1, "maxLength": 20},
				"icd10": {
					"type": ["array", "null"],
					"items": {"type": "string", "minLength": 1, "maxLength": 20},
				},
			},
		},
		"facts": {
			"type": "object",
			"additionalProperties": false,
			"description": "What is known; a fact that is absent or null is unknown.",
			"properties": {fact.name: _fact(fact) | some fact in criteria[document][version].facts},
		},
		"unavailable": {
			"type": "array",
			"uniqueItems": true,
			"description": "Facts that were asked for and cannot be had.",
			"items": {"enum": [fact.name | some fact in criteria[document][version].facts]},
		},
	},
}

_fact(fact) := {"description": fact.question, "anyOf": array.concat(_values(fact.type, fact), [{"type": "null"}])}

_values("string", fact) := [{"enum": [value | some value, _ in fact.values]}]

_values("boolean", _) := [{"type": "boolean"}]

_values("integer", fact) := [object.union({"type": "integer"}, _limits(fact)), _bound(fact)]

_values("number", fact) := [object.union({"type": "number"}, _limits(fact)), _bound(fact)]

_values("date", _) := [{"type": "string", "format": "date", "pattern": _date}]

_values("array", fact) := [{
	"type": "array",
	"uniqueItems": true,
	"items": {"type": "string", "enum": [value | some value, _ in fact.values]},
}]

_limits(fact) := {"minimum": fact.minimum, "maximum": fact.maximum}

_bound(fact) := {
	"type": "object",
	"description": "Known within a bound only.",
	"additionalProperties": false,
	"minProperties": 1,
	"maxProperties": 1,
	"properties": {side: object.union_n([{"type": "number"}, _limits(fact), beyond]) |
		# Below the least value or above the greatest there is none.
		some side, beyond in {
			"less_than": {"exclusiveMinimum": fact.minimum},
			"at_most": {},
			"at_least": {},
			"more_than": {"exclusiveMaximum": fact.maximum},
		}
	},
}

_date := "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"
