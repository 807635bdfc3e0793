# The package: what its METADATA says, and whether its files are whole.
package tools.documents

import data.modules
import data.payer.calendar

_faults contains _at(file, about.location.row, [replace(concat(".", ["custom", _told(problem)]), "custom.(Root)", "custom")]) if {
	some file, held in _documents
	about := _about(held)
	[_, problems] := json.match_schema(object.get(about, "custom", {}), _package_schema)
	some problem in problems
}

_faults contains _at(file, about.location.row, [concat("", [concat(".", [sprintf("%v", [step]) | some step in array.concat(["custom"], path)]), ":"]), day, "is no calendar date, YYYY-MM-DD"]) if {
	some file, held in _documents
	about := _about(held)
	walk(about.custom, [path, day])
	path[count(path) - 1] in {"last_reviewed", "date"}
	is_string(day)
	not calendar.is_date(day)
}

# As codes of a request are compared: what is written otherwise is in no list.
_faults contains _at(file, about.location.row, [concat("", ["custom.codes.", list, ":"]), json.marshal(code), "is no code of", form[0]]) if {
	some file, held in _documents
	about := _about(held)
	some list, form in {
		"hcpcs": ["HCPCS or CPT as it is written: \"E0601\", \"94660\"", "^[0-9A-Z][0-9]{3}[0-9A-Z]$"],
		"icd10": ["ICD-10-CM as it is written: \"C91.00\"", `^[A-Z][0-9][0-9A-Z]([.][0-9A-HJ-NP-Z]{1,4})?$`], # no I and no O but at first
	}
	some code, _ in about.custom.codes[list]
	not regex.match(form[1], code)
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

# Of two blocks a decision shows the first, and what is locked the last.
_faults contains _at(file, notes[i].location.row, ["METADATA is there already, in row", concat("", [format_int(notes[0].location.row, 10), ":"]), "a rule has one, and the package"]) if {
	some file, held in _documents
	of_package := [note | some note in held.module.annotations; note.scope == "package"]
	some notes in array.concat([of_package], [rule.annotations | some rule in held.module.rules])
	some i, _ in notes
	i > 0
}

# It would come between a rule and the package, whose METADATA is what the document says of itself.
_faults contains _at(file, note.location.row, ["METADATA has the scope", concat("", [note.scope, ":"]), "it is of a rule, or of the package"]) if {
	some file, held in _documents
	some note in held.module.annotations
	not note.scope in {"rule", "package"}
}

# Nothing else says so: OPA refuses the files, by rules that are not at fault.
_told_twice contains _at(file, 1, [document, version, "stands in", other, "too: of a version one file holds the criteria, one the facts, one what a record says; another version is another package"]) if {
	some [folder, document, version], kinds in _files
	some files in kinds
	some file in files
	some other in files
	file != other
}

_files[[folder, document, version]][has_facts] contains file if {
	some file, module in modules
	[_, {"value": "payer"}, {"value": folder}, {"value": document}, {"value": version}] = [{"value": step.value} |
		some step in module["package"].path
	]
	folder in {"criteria", "records"}
	has_facts := "facts" in {rule.head.name | some rule in module.rules}
}

# What is defined twice is an error in the middle of a decision when the two differ, and every request of a batch fails.
_faults contains _at(file, rule.location.row, [rule.head.name, "is there already, in", concat(":", [first, format_int(row, 10)])]) if {
	some file, held in _documents
	some rule in held.module.rules
	_is_whole(rule)
	[first, row] := min(_defined[[held.document, held.version, rule.head.name]])
	[first, row] != [file, rule.location.row]
}

_defined[[held.document, held.version, rule.head.name]] contains [file, rule.location.row] if {
	some file, held in _documents
	some rule in held.module.rules
	_is_whole(rule)
}

_is_whole(rule) if {
	_is_plain(rule)
	not _is_true(rule)
}

_faults contains _at(file, rule.location.row, ["about must be rego.metadata.chain()[1].annotations, which is the METADATA of the package"]) if {
	some file, held in _documents
	some rule in held.module.rules
	rule.head.name == "about"
	not _is_about(rule.head.value)
}

_is_about(value) if {
	[call, entry, field] := value.value
	[step.value | some step in call.value[0].value] == ["rego", "metadata", "chain"]
	[entry.value, field.value] == [1, "annotations"]
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

_module(document) := lower(replace(replace(document, "-", ""), ".", "_"))

_about(held) := [note | some note in held.module.annotations; note.scope == "package"][0]

_rule_of(held, name) if {
	some other in _documents
	[other.document, other.version] == [held.document, held.version]
	some rule in other.module.rules
	rule.head.name == name
}

_words_of_python := {
	"and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally",
	"for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try",
	"while", "with", "yield",
}

_package_schema := {
	"required": ["document", "version", "last_reviewed", "codes", "history"],
	"additionalProperties": false,
	"properties": {
		"document": _words,
		"version": {"type": "string"},
		"last_reviewed": {"type": "string"},
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
			"properties": {"date": {"type": "string"}, "change": _words},
		}},
	},
}
