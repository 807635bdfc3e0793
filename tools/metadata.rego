# What METADATA must say, since decisions, catalogue and documentation repeat it. Input: `opa inspect -a -f json` of the
# policy, which is loaded as well: what its criteria say is held to what its METADATA says. Output: the errors.
package tools.metadata

import data.payer.criteria

report := concat("\n", sort(errors))

# Undefined, which `opa eval --fail` turns into an exit status, unless a document is held and nothing is wrong.
sound if {
	count(_clauses) > 0
	count(errors) == 0
}

errors contains _at(note, ["has no", field]) if {
	some note in _notes
	some field in ["title", "description"]
	not regex.match(`\S`, object.get(note.annotations, field, ""))
}

errors contains _at(note, [replace(concat(".", ["custom", problem.error]), "custom.(Root)", "custom")]) if {
	some note in _notes
	[_, problems] := json.match_schema(_custom(note), _schema(note))
	some problem in problems
}

errors contains _at(note, ["the package is of", document, version, "but custom says", said]) if {
	some note in _packages
	[document, version] := _version(note)
	said := concat(" ", [sprintf("%v", [object.get(_custom(note), field, "nothing")]) | some field in ["document", "version"]])
	said != concat(" ", [document, version])
}

errors contains _at(note, ["has no custom.id, which clauses, pathways and exclusions have"]) if {
	some note in _notes
	_kind(note)
	not _custom(note).id
}

errors contains _at(note, ["has the custom.id", note.annotations.custom.id, "but is no clause, pathway or exclusion"]) if {
	some note in _notes
	not _kind(note)
}

errors contains _of([document, version], ["the rule", name, "has no METADATA"]) if {
	some [document, version] in _versions
	some name, _ in _held(document, version)
	regex.match(_named, name)
	every note in _notes { array.slice(note.names, 3, 6) != [document, version, name] }
}

errors contains _of([document, version], ["the package has no METADATA"]) if {
	some document, version
	criteria[document][version].facts
	not [document, version] in _versions
}

# A clause may be called as the pathway that consists of it; no other id is there twice.
errors contains _at(note, ["has the id", note.id, "as has", concat(".", array.slice(other.names, 5, 6))]) if {
	some note in _clauses
	some other in _clauses
	other.id == note.id
	other.version == note.version
	other.place != note.place
	not {note.kind, other.kind} == {"clause", "pathway"}
}

errors contains _at(note, ["has the id", note.id, "which was withdrawn in version", gone]) if {
	some note in _clauses
	some key in _keys(note)
	[document, version] := note.version
	some first, keys in _ids[document]
	key in keys
	some gone, others in _ids[document]
	not key in others
	first < gone
	gone < version
}

errors contains _at(note, ["names the part", part, "which is no fact of this version"]) if {
	some note in _clauses
	some part, _ in note.parts
	[document, version] := note.version
	not criteria[document][version].facts[part]
}

# From here on: what the criteria say, node by node.
errors contains _of(node.version, ["the criteria have the", node.kind, node.id, "which no METADATA names"]) if {
	some node in _nodes
	count(_told(node)) == 0
}

errors contains _at(note, [note.kind, note.id, "is not in the criteria"]) if {
	some note in _clauses
	every node in _nodes { [node.version, node.kind, node.id] != [note.version, note.kind, note.id] }
}

errors contains _at(note, [note.kind, note.id, "has the part", part, "which is not in the criteria"]) if {
	some note in _clauses
	some part, _ in note.parts
	every node in _nodes { [node.version, node.id] != [note.version, concat(".", [note.id, part])] }
}

errors contains _at(told.note, [node.kind, node.id, "has another", field, "in the criteria"]) if {
	some node in _nodes
	some told in _told(node)
	some field in ["text", "evidence"]
	object.get(node.criterion, field, null) != object.get(told, field, null)
}

_at(note, words) := concat("", [note.place, ": ", concat(" ", words)])

_of(version, words) := _at(note, words) if {
	some note in _packages
	_version(note) == version
} else := _at({"place": concat(" ", version)}, words)

_notes := [note |
	some found in input.annotations
	note := object.union(found, {
		"place": sprintf("%s:%d", [found.location.file, found.location.row]),
		"names": [step.value | some step in found.path],
	})
]

_custom(note) := object.get(note.annotations, "custom", {})

_version(note) := array.slice(note.names, 3, 5) if array.slice(note.names, 0, 3) == ["data", "payer", "criteria"]

_packages := [note | some note in _notes; note.annotations.scope == "package"; _version(note)]

_versions := {_version(note) | some note in _packages}

_named := `^(clause|pathway|exclusion)_`

_kind(note) := regex.find_all_string_submatch_n(_named, note.names[5], 1)[0][1] if {
	_version(note)
}

_clauses := [clause |
	some note in _notes
	kind := _kind(note)
	clause := object.union(note, {
		"kind": kind,
		"version": _version(note),
		"id": _custom(note).id,
		"parts": object.get(_custom(note), "parts", {}),
	})
]

_keys(clause) := {[clause.kind, clause.id], ["any kind", clause.id]}

_ids[document][version] := {key |
	some clause in _clauses
	clause.version == [document, version]
	some key in _keys(clause)
} if {
	some [document, version] in _versions
}

_held(document, version) := held if {
	unknown := {name: null | some name, _ in criteria[document][version].facts}
	held := criteria[document][version] with input as {"facts": unknown, "codes": {"hcpcs": null, "icd10": []}}
}

_nodes := [node |
	some [document, version] in _versions
	walk(_held(document, version).criteria, [path, criterion])
	criterion.id
	node := {"version": [document, version], "id": criterion.id, "kind": _kind_at(path), "criterion": criterion}
]

_kind_at(path) := {"pathways": "pathway", "exclusions": "exclusion"}[path[0]] if {
	count(path) == 2
} else := "clause"

# What METADATA says of a node: its own rule, or its clause, which names it as a part.
_told(node) := {told |
	some note in _clauses
	note.version == node.version
	told := _telling(note, node)
}

_telling(note, node) := {"note": note, "text": note.annotations.description, "evidence": note.annotations.custom.evidence} if {
	[note.kind, note.id] == [node.kind, node.id]
	note.annotations.custom.evidence
} else := {"note": note, "text": note.annotations.description} if {
	[note.kind, note.id] == [node.kind, node.id]
} else := {"note": note, "text": note.parts[node.criterion.fact]} if {
	node.id == concat(".", [note.id, node.criterion.fact])
}

_schema(note) := _package_schema if {
	note.annotations.scope == "package"
	_version(note)
} else := {"maxProperties": 0} if {
	note.annotations.scope == "package"
} else := _rule_schema

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

_rule_schema := {
	"additionalProperties": false,
	"properties": {
		"id": {"type": "string", "pattern": "^[A-Za-z0-9]+([.+][A-Za-z0-9]+)*$"},
		"evidence": {"type": "array", "minItems": 1, "uniqueItems": true, "items": _words},
		"parts": object.union(_texts, {"minProperties": 1}),
		"advisory": {"type": "string", "pattern": "^[a-z0-9_]+$"},
	},
}

_words := {"type": "string", "pattern": `\S`}

_day := {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}

_texts := {"type": "object", "additionalProperties": _words}
