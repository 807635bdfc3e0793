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
	entry := {
		"document": document,
		"versions": [_version(document, version) | some version in sort(versions.of(document))],
	}
]

_version(document, version) := object.union(
	object.remove(versions.summary(document, version), ["document"]),
	{
		"codes": about.custom.codes,
		"history": about.custom.history,
		"facts": [fact |
			some [_, name] in sort({[held.position, name] | some name, held in facts})
			fact := object.union(
				object.remove(facts[name], ["position"]),
				{"name": name, "criteria": _clauses(criteria, name)},
			)
		],
		"criteria": json.remove(criteria, _of_a_request(criteria)),
	},
) if {
	about := data.payer.criteria[document][version].about
	facts := data.payer.criteria[document][version].facts
	unknown := {name: null | some name, _ in facts}
	criteria := data.payer.criteria[document][version].criteria with input as {"facts": unknown}
}

# Where a node speaks of a request rather than of the document.
_of_a_request(criteria) := [concat("/", [trim(json.marshal(step), "\"") | some step in path]) |
	walk(criteria, [path, _])
	path[count(path) - 1] in {"state", "value"}
]

# The clauses that read a fact, in the order of the document.
_clauses(criteria, fact) := [clause |
	walk(criteria.pathways, [_, node])
	node.fact == fact
	clause := trim_suffix(node.id, concat("", [".", fact]))
]
