# What a document must be, checked by its text (`data.modules`, file name to what `opa parse` says of it) and by asking the
# rules themselves. What passes here decides every request, shows nothing without words and reads no fact that is not
# there: the names of facts are strings, so OPA's own checks do not see them. tools/check runs it.
package tools.documents

import data.modules
import data.payer
import data.payer.criteria

# A line for each fault, by file and row: those of one kind, the rest may follow from them. A document is asked only when
# its text is sound.
report := concat("\n", [concat("", [sprintf("%s:%d: ", [file, row]), concat(" ", words)]) | some [file, row, words] in sort(found)]) if {
	found := [faults | some faults in [_unread, _told_twice, _nothing_held, _faults, _unanswered]; count(faults) > 0][0]
} else := ""

_nothing_held contains _at("policy", 1, ["no document is held"]) if count(_documents) == 0

_faults contains _at(file, note.location.row, ["the METADATA has no", field]) if {
	some file, module in modules
	some note in module.annotations
	some field in ["title", "description"]
	trim_space(object.get(note, field, "")) == ""
}

# Asked one fact at a time, with nothing else known, every request is decided.
_unanswered contains _at(file, 1, [held.document, held.version, "gives no decision when only", name, "is known:", json.marshal(value)]) if {
	count(_faults) == 0
	some file, held in _documents
	held.facts
	some [name, value] in _probes(held)
	answers := payer.decisions with input as {"version": held.version, "requests": [{
		"document": held.document, "date_of_service": held.version,
		"facts": {name: value},
	}]}
	outcomes := [decided.outcome | some decided in answers; not decided.outcome in {"undecided", "invalid_request"}]
	outcomes == []
}

_probes(held) := {[fact.name, value] |
	some fact in criteria[held.document][held.version].facts
	some tried in [[null], _tried(fact)]
	some value in tried
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

# The files of documents, with the names of their rules.
_documents[file] := {"document": path[2].value, "version": path[3].value, "facts": has_facts, "module": module} if {
	some file, module in modules
	path := array.slice(module["package"].path, 1, 5)
	[path[0].value, path[1].value] == ["payer", "criteria"]
	count(path) == 4
	has_facts := "facts" in {rule.head.name | some rule in module.rules}
}

_at(file, row, words) := [file, row, words]

_told(problem) := strings.replace_n(
	{
		`Does not match pattern '\S'`: "must not be blank",
		concat("", ["Does not match pattern '", _duration, "'"]): "must be a duration of ISO 8601, as P12W",
	},
	problem.error,
)

_duration := "^P([1-9][0-9]*Y)?([1-9][0-9]*M)?([1-9][0-9]*W)?([1-9][0-9]*D)?$"

_words := {"type": "string", "pattern": `\S`}

_texts := {"type": "object", "additionalProperties": _words}
