# The JSON Schema of a request for one version of a document, made from the table of its facts. Services validate
# against it, and `opa check --schema` finds a misspelt fact in a rule with it.
package tools.schema

import data.payer.criteria

# File name to text, for every version held.
files[name] := text if {
	some document, version
	about := criteria[document][version].about
	name := concat("", [lower(replace(document, "-", "")), "_", replace(version, "-", "_"), ".json"])
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
			"pattern": "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$",
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
			"properties": {name: _fact(fact) | some name, fact in criteria[document][version].facts},
		},
	},
}

# anyOf, since `opa check` reads only the first of a list of types.
_fact(fact) := {
	"description": fact.question,
	"anyOf": [object.union({"type": fact.type}, _values(fact.type, fact)), {"type": "null"}],
}

_values("string", fact) := {"enum": [value | some value, _ in fact.values]}

_values("boolean", _) := {}

_values("integer", fact) := {"minimum": fact.minimum, "maximum": fact.maximum}

_values("number", fact) := {"minimum": fact.minimum, "maximum": fact.maximum}

_values("array", fact) := {
	"uniqueItems": true,
	"items": {"type": "string", "enum": [value | some value, _ in fact.values]},
}
