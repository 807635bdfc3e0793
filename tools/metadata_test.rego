package tools.metadata_test

import data.tools.metadata

test_sound if {
	metadata.errors == set() with input as {"annotations": _notes} with data.payer.criteria as _criteria
	metadata.sound with input as {"annotations": _notes} with data.payer.criteria as _criteria
	metadata.report == "" with input as {"annotations": _notes} with data.payer.criteria as _criteria
}

test_reported if {
	notes := json.patch(_notes, [{"op": "remove", "path": concat("", ["/", row, "/annotations/title"])} | some row in ["0", "3"]])
	report := "d.rego:10: has no title\nd.rego:40: has no title"
	metadata.report == report with input as {"annotations": notes} with data.payer.criteria as _criteria
	not metadata.sound with input as {"annotations": notes} with data.payer.criteria as _criteria
}

test_nothing_held_is_not_sound if {
	not metadata.sound with input as {"annotations": []} with data.payer.criteria as {}
	not metadata.sound with input as {} with data.payer.criteria as {}
}

test_number_of_cases if count(_cases) == 32

test_errors[name] if {
	some name, case in _cases
	notes := json.patch(_notes, object.get(case, "notes", []))
	held := json.patch(_criteria, object.get(case, "held", []))
	case.errors == metadata.errors with input as {"annotations": notes} with data.payer.criteria as held
}

# Each breaks one thing in METADATA (`notes`) or in the criteria (`held`) of the document below.
_cases := {
	"no title": {
		"notes": [{"op": "remove", "path": "/2/annotations/title"}],
		"errors": {"d.rego:30: has no title"},
	},
	"blank description": {
		"notes": [{"op": "replace", "path": "/0/annotations/description", "value": " \n"}],
		"errors": {"d.rego:10: has no description"},
	},
	"no description on a rule of another package": {
		"notes": [{"op": "add", "path": "/-", "value": _elsewhere("rule", {"title": "T"})}],
		"errors": {"e.rego:1: has no description"},
	},
	"unknown field of a package": {
		"notes": [{"op": "add", "path": "/0/annotations/custom/owner", "value": "X"}],
		"errors": {"d.rego:10: custom: Additional property owner is not allowed"},
	},
	"unknown field of a rule": {
		"notes": [{"op": "add", "path": "/2/annotations/custom/evidenc", "value": ["X"]}],
		"errors": {"d.rego:30: custom: Additional property evidenc is not allowed"},
	},
	"field of a rule on a package": {
		"notes": [{"op": "add", "path": "/0/annotations/custom/advisory", "value": "x"}],
		"errors": {"d.rego:10: custom: Additional property advisory is not allowed"},
	},
	"custom on a package that is no document": {
		"notes": [{"op": "add", "path": "/-", "value": _elsewhere("package", {
			"title": "T", "description": "D", "custom": {"document": "E"},
		})}],
		"errors": {"e.rego:1: custom: Must have at most 0 properties"},
	},
	"field of a package missing": {
		"notes": [{"op": "remove", "path": "/0/annotations/custom/codes"}],
		"errors": {"d.rego:10: custom: codes is required"},
	},
	"review date of the wrong form": {
		"notes": [{"op": "replace", "path": "/0/annotations/custom/last_reviewed", "value": "01/02/2025"}],
		"errors": {"d.rego:10: custom.last_reviewed: Does not match pattern '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'"},
	},
	"history that is no list": {
		"notes": [{"op": "replace", "path": "/0/annotations/custom/history", "value": {}}],
		"errors": {"d.rego:10: custom.history: Invalid type. Expected: array, given: object"},
	},
	"history without a change": {
		"notes": [{"op": "replace", "path": "/0/annotations/custom/history", "value": [{"date": "2025-01-01"}]}],
		"errors": {"d.rego:10: custom.history.0: change is required"},
	},
	"code without a label": {
		"notes": [{"op": "replace", "path": "/0/annotations/custom/codes/icd10", "value": {"C1": null}}],
		"errors": {"d.rego:10: custom.codes.icd10.C1: Invalid type. Expected: string, given: null"},
	},
	"evidence empty": {
		"notes": [{"op": "replace", "path": "/2/annotations/custom/evidence", "value": []}],
		"held": [{"op": "replace", "path": "/D/2025-01-01/criteria/pathways/0/all_of/0/evidence", "value": []}],
		"errors": {"d.rego:30: custom.evidence: Array must have at least 1 items"},
	},
	"evidence no list": {
		"notes": [{"op": "replace", "path": "/2/annotations/custom/evidence", "value": "Label"}],
		"held": [{"op": "replace", "path": "/D/2025-01-01/criteria/pathways/0/all_of/0/evidence", "value": "Label"}],
		"errors": {"d.rego:30: custom.evidence: Invalid type. Expected: array, given: string"},
	},
	"evidence no string": {
		"notes": [{"op": "replace", "path": "/2/annotations/custom/evidence", "value": [1]}],
		"held": [{"op": "replace", "path": "/D/2025-01-01/criteria/pathways/0/all_of/0/evidence", "value": [1]}],
		"errors": {"d.rego:30: custom.evidence.0: Invalid type. Expected: string, given: integer"},
	},
	"another document": {
		"notes": [{"op": "replace", "path": "/0/annotations/custom/document", "value": "E"}],
		"errors": {"d.rego:10: the package is of D 2025-01-01 but custom says E 2025-01-01"},
	},
	"another version": {
		"notes": [{"op": "replace", "path": "/0/annotations/custom/version", "value": "2025-01-02"}],
		"errors": {"d.rego:10: the package is of D 2025-01-01 but custom says D 2025-01-02"},
	},
	"no id": {
		"notes": [{"op": "remove", "path": "/3/annotations/custom/id"}],
		"errors": {
			"d.rego:40: has no custom.id, which clauses, pathways and exclusions have",
			"d.rego:10: the criteria have the exclusion exclusion.X which no METADATA names",
		},
	},
	"id of a rule that is no clause": {
		"notes": [{"op": "replace", "path": "/3/path/5/value", "value": "excluded_x"}],
		"held": [{"op": "remove", "path": "/D/2025-01-01/exclusion_x"}],
		"errors": {
			"d.rego:40: has the custom.id exclusion.X but is no clause, pathway or exclusion",
			"d.rego:10: the criteria have the exclusion exclusion.X which no METADATA names",
		},
	},
	"id of the wrong type": {
		"notes": [{"op": "replace", "path": "/3/annotations/custom/id", "value": 4}],
		"held": [{"op": "replace", "path": "/D/2025-01-01/criteria/exclusions/0/id", "value": 4}],
		"errors": {"d.rego:40: custom.id: Invalid type. Expected: string, given: integer"},
	},
	"clause without METADATA": {
		"notes": [{"op": "remove", "path": "/3"}],
		"errors": {
			"d.rego:10: the rule exclusion_x has no METADATA",
			"d.rego:10: the criteria have the exclusion exclusion.X which no METADATA names",
		},
	},
	"package without METADATA": {
		"held": [{"op": "add", "path": "/D/2025-02-01", "value": {"facts": {}}}],
		"errors": {"D 2025-02-01: the package has no METADATA"},
	},
	"two clauses of one id": {
		"notes": [{"op": "add", "path": "/-", "value": _note("2025-01-01", "clause_b", 50, {"id": "A"})}],
		"held": [{"op": "add", "path": "/D/2025-01-01/criteria/exclusions/-", "value": {"id": "A", "text": "clause_b"}}],
		"errors": {
			"d.rego:30: has the id A as has clause_b",
			"d.rego:50: has the id A as has clause_a",
			"d.rego:10: the criteria have the exclusion A which no METADATA names",
			"d.rego:50: clause A has another evidence in the criteria",
			"d.rego:50: clause A has another text in the criteria",
		},
	},
	"an exclusion called as a clause": {
		"notes": [{"op": "replace", "path": "/3/annotations/custom/id", "value": "A"}],
		"held": [{"op": "replace", "path": "/D/2025-01-01/criteria/exclusions/0/id", "value": "A"}],
		"errors": {
			"d.rego:20: has the id A as has exclusion_x",
			"d.rego:30: has the id A as has exclusion_x",
			"d.rego:40: has the id A as has clause_a",
			"d.rego:40: has the id A as has pathway_a",
		},
	},
	"an id that was withdrawn": {
		"notes": array.concat(_adding("2025-02-01", "B"), _adding("2025-03-01", "A")),
		"held": [_holding("2025-02-01", "B"), _holding("2025-03-01", "A")],
		"errors": {
			"d.rego:20: has the id A which was withdrawn in version 2025-02-01",
			"d.rego:30: has the id A which was withdrawn in version 2025-02-01",
		},
	},
	"a part that is no fact": {
		"notes": [
			{"op": "add", "path": "/2/annotations/custom/parts/h", "value": "H."},
			{"op": "remove", "path": "/2/annotations/custom/parts/g"},
		],
		"errors": {
			"d.rego:30: names the part h which is no fact of this version",
			"d.rego:30: clause A has the part h which is not in the criteria",
			"d.rego:10: the criteria have the clause A.g which no METADATA names",
		},
	},
	"a part that is no text": {
		"notes": [{"op": "replace", "path": "/2/annotations/custom/parts/g", "value": ["G."]}],
		"held": [{"op": "replace", "path": "/D/2025-01-01/criteria/pathways/0/all_of/0/all_of/0/text", "value": ["G."]}],
		"errors": {"d.rego:30: custom.parts.g: Invalid type. Expected: string, given: array"},
	},
	"a part without a leaf": {
		"held": [{"op": "remove", "path": "/D/2025-01-01/criteria/pathways/0/all_of/0/all_of"}],
		"errors": {"d.rego:30: clause A has the part g which is not in the criteria"},
	},
	"a leaf of an unknown clause": {
		"held": [{"op": "replace", "path": "/D/2025-01-01/criteria/pathways/0/all_of/0/all_of/0/id", "value": "B.g"}],
		"errors": {
			"d.rego:30: clause A has the part g which is not in the criteria",
			"d.rego:10: the criteria have the clause B.g which no METADATA names",
		},
	},
	"a clause outside the criteria": {
		"held": [{"op": "remove", "path": "/D/2025-01-01/criteria/exclusions/0"}],
		"errors": {"d.rego:40: exclusion exclusion.X is not in the criteria"},
	},
	"a text of the criteria's own": {
		"held": [{"op": "replace", "path": "/D/2025-01-01/criteria/pathways/0/all_of/0/all_of/0/text", "value": "H."}],
		"errors": {"d.rego:30: clause A.g has another text in the criteria"},
	},
	"an evidence label that is lost": {
		"held": [{"op": "remove", "path": "/D/2025-01-01/criteria/pathways/0/all_of/0/evidence"}],
		"errors": {"d.rego:30: clause A has another evidence in the criteria"},
	},
}

# Ids that come and go, but do not come back; exclusion.X stays.
test_versions_side_by_side if {
	notes := json.patch(_notes, array.concat(_adding("2025-02-01", "B"), _adding("2025-03-01", "C")))
	held := json.patch(_criteria, [_holding("2025-02-01", "B"), _holding("2025-03-01", "C")])
	metadata.errors == set() with input as {"annotations": notes} with data.payer.criteria as held
}

_notes := _document("2025-01-01", "A")

_criteria := {"D": {"2025-01-01": _package("A")}}

# Pathway and clause share an id, as the contract allows.
_document(version, id) := [
	{
		"annotations": {"scope": "package", "title": "D", "description": "D.", "custom": {
			"document": "D",
			"version": version,
			"last_reviewed": "2024-12-31",
			"codes": {"hcpcs": {}, "icd10": {"C1": "Code."}},
			"history": [{"date": "2024-12-31", "change": "First."}],
		}},
		"location": {"file": "d.rego", "row": 10, "col": 1},
		"path": _path(["data", "payer", "criteria", "D", version]),
	},
	_note(version, "pathway_a", 20, {"id": id}),
	_note(version, "clause_a", 30, {"id": id, "evidence": ["Label"], "parts": {"g": "G."}}),
	_note(version, "exclusion_x", 40, {"id": "exclusion.X"}),
]

_note(version, name, row, custom) := {
	"annotations": {"scope": "rule", "title": "T", "description": name, "custom": custom},
	"location": {"file": "d.rego", "row": row, "col": 1},
	"path": _path(["data", "payer", "criteria", "D", version, name]),
}

_elsewhere(scope, annotations) := {
	"annotations": object.union(annotations, {"scope": scope}),
	"location": {"file": "e.rego", "row": 1, "col": 1},
	"path": _path(["data", "payer", "e"]),
}

_adding(version, id) := [{"op": "add", "path": "/-", "value": note} | some note in _document(version, id)]

_holding(version, id) := {"op": "add", "path": concat("", ["/D/", version]), "value": _package(id)}

_path(names) := [{"type": "string", "value": name} | some name in names]

_package(id) := {
	"facts": {"g": {}},
	"criteria": {
		"pathways": [{"id": id, "text": "pathway_a", "all_of": [{
			"id": id,
			"text": "clause_a",
			"evidence": ["Label"],
			"all_of": [{"id": concat(".", [id, "g"]), "text": "G.", "fact": "g", "value": null}],
		}]}],
		"exclusions": [{"id": "exclusion.X", "text": "exclusion_x"}],
	},
	"pathway_a": null,
	"clause_a": null,
	"exclusion_x": null,
}
