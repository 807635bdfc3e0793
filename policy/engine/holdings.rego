# METADATA
# title: The catalogue
# description: What is held, in words, for people and for programs that build forms.
package payer.holdings

import data.payer.versions

# METADATA
# title: Documents
# description: Every document with its versions, oldest first.
documents := [entry |
	some document in sort({name | data.payer.criteria[name][_].about})
	_asked_for(document)
	entry := {
		"document": document,
		"versions": [_version(document, version) | some version in sort(versions.of(document))],
	}
]

_asked_for(_) if not input.document

_asked_for(document) if input.document == document

_version(document, version) := object.union(
	object.remove(versions.summary(document, version), ["document"]),
	{
		"codes": about.custom.codes,
		"history": about.custom.history,
		"facts": [fact |
			some held in data.payer.criteria[document][version].facts
			fact := object.union(held, {"criteria": _clauses(array.concat(pathways, exclusions), held.name)})
		],
		"criteria": json.remove(criteria, _of_a_request(criteria)),
		"record": _record(document, version),
	},
) if {
	about := data.payer.criteria[document][version].about
	pathways := data.payer.criteria[document][version].pathways with input as {"facts": {}}
	exclusions := data.payer.criteria[document][version].exclusions with input as {"facts": {}}
	criteria := {
		"pathways": [object.get(pathway, "node", pathway) | some pathway in pathways],
		"exclusions": [object.get(exclusion, "node", exclusion) | some exclusion in exclusions],
	}
}

# Which elements and codes of a FHIR record establish its facts; of a version that says nothing, none do.
_record(document, version) := rules if {
	rules := data.payer.records[document][version].facts
} else := {}

# Where a node speaks of a request rather than of the document.
_of_a_request(criteria) := [concat("/", [trim(json.marshal(step), "\"") | some step in path]) |
	walk(criteria, [path, _])
	path[count(path) - 1] in {"state", "value"}
]

# The clauses that read a fact, in the order of the document: with nothing known every leaf is open.
_clauses(criteria, fact) := [clause |
	open := [clause | [fact, clause] = criteria[_].open[_]]
	some i, clause in open
	not clause in array.slice(open, 0, i)
]
