# METADATA
# title: From criteria to a decision
# description: |
#   What the criteria of the version in force say of a valid request: the outcome, the clauses that settle it, what is
#   still needed and the shortest way to an approval, what an approval is good for, and the advisories.
package payer.outcome

import data.payer.codes
import data.payer.kleene
import data.payer.request

# METADATA
# title: Decided
# description: The part of a decision that comes from the criteria.
decided := {
	"outcome": _outcome,
	"next_step": verdict.next_step,
	"summary": concat("", [input.document, " version ", request.version, verdict.sentence]),
	"pathways_met": _pathways_met,
	"criteria": {
		"pathways": [object.remove(node, ["terms"]) | some node in _pathway_nodes],
		"exclusions": [object.get(exclusion, "node", exclusion) | some exclusion in _exclusions],
	},
	"reasons": _once([{"criterion": node.id, "state": node.state, "text": node.text} | some node in verdict.settled_by]),
	"missing": verdict.missing,
	"ask_first": verdict.ask_first,
	"terms": verdict.terms,
	"advisories": sort(((codes.advisories | _advisories) | verdict.contradictions)),
} if {
	# Of criteria that are undefined a comprehension makes nothing, and of nothing no pathway is met.
	count(_pathways) > 0
	is_array(_exclusions)
	verdict := _verdict[_outcome]
}

_pathways := data.payer.criteria[input.document][request.version].pathways

_exclusions := data.payer.criteria[input.document][request.version].exclusions

_pathway_nodes := [object.get(pathway, "node", pathway) | some pathway in _pathways]

_pathways_met := [node.id | some node in _pathway_nodes; node.state == "met"]

_advisories := {note | some note in data.payer.criteria[input.document][request.version].advisories}

_contradictions := {note | some note in data.payer.criteria[input.document][request.version].contradictions}

# Down the state of the pathways, any one of which suffices; across the state of the exclusions.
_outcome := {
	"met": {"met": "not_approved", "unknown": "needs_information", "not_met": "approved"},
	"unknown": {"met": "not_approved", "unknown": "needs_information", "not_met": "needs_information"},
	"not_met": {"met": "not_approved", "unknown": "not_approved", "not_met": "not_approved"},
}[pathways][exclusions] if {
	pathways := object.get(kleene.any_of, {pathway.state | some pathway in _pathways}, "not_met")
	exclusions := object.get(kleene.any_of, {exclusion.state | some exclusion in _exclusions}, "not_met")
}

# What follows from each outcome. It is settled by clauses, in the order of the document.
_verdict["approved"] := {
	"next_step": "issue_approval",
	"sentence": concat("", [" approves the request by pathway ", concat(" and ", _pathways_met), "."]),
	"settled_by": _clauses("met"),
	"missing": [],
	"ask_first": null,
	"terms": _terms,
	"contradictions": set(),
} if {
	count(_contradictions) == 0
} else := {
	"next_step": "clinical_review",
	"sentence": concat("", [
		" is met by pathway ", concat(" and ", _pathways_met), ", but a person must review what contradicts it first.",
	]),
	"settled_by": _clauses("met"),
	"missing": [],
	"ask_first": null,
	"terms": _terms,
	"contradictions": _contradictions,
}

# A person denies, software never does. The fallback exclusion only says once more that every pathway fails.
_verdict["not_approved"] := {
	"next_step": "clinical_review",
	"sentence": " does not approve the request, so a person must review it.",
	"settled_by": array.concat(_clauses("not_met"), [exclusion |
		some exclusion in _exclusions
		exclusion.state == "met"
		not exclusion.fallback
	]),
	"missing": [],
	"ask_first": null,
	"terms": [],
	"contradictions": set(),
}

_verdict["needs_information"] := {
	"next_step": "request_information",
	"sentence": " cannot decide the request until the missing facts are known.",
	"settled_by": _open_clauses,
	"missing": _missing,
	"ask_first": _ask_first,
	"terms": [],
	"contradictions": set(),
} if {
	count(_missing) > 0
} else := {
	"next_step": "clinical_review",
	"sentence": " cannot decide the request, and what is open is not to be had, so a person must review it.",
	"settled_by": _open_clauses,
	"missing": [],
	"ask_first": null,
	"terms": [],
	"contradictions": set(),
}

# The clauses of a state of the pathways of that state.
_clauses(state) := [clause |
	some node in _pathway_nodes
	node.state == state
	some clause in node.all_of
	clause.state == state
]

_open_clauses := array.concat(_clauses("unknown"), [exclusion.node |
	count(_pathways_met) > 0
	some exclusion in _exclusions
	exclusion.state == "unknown"
])

_terms := [{"pathway": node.id, "text": terms.text, "duration": object.get(terms, "duration", null)} |
	some node in _pathway_nodes
	terms := node.terms
	node.state == "met"
]

# Each fact of an open leaf that can be had, in the order in which facts are asked for, with the clauses that ask.
_missing := [{"fact": name, "question": fact.question, "criteria": clauses} |
	some fact in _facts
	name := fact.name
	clauses := [clause | [name, clause] = _open[_]] # so written, OPA groups them once for all facts
	clauses[0]
	not _unavailable[name]
]

_facts := data.payer.criteria[input.document][request.version].facts

_unavailable := {name | some name in input.unavailable}

# The open leaves, each its fact and its clause, in the order of the document; those of the exclusions only for a fact that
# no pathway asks for.
_open := _once(array.concat(in_pathways, [[fact, clause] |
	[fact, clause] = _exclusions[_].open[_]
	not facts[fact]
])) if {
	in_pathways := [open | open = _pathways[_].open[_]]
	facts := {fact | some [fact, _] in in_pathways}
}

# The pathway that needs fewest facts, of equal ones the first, and these facts; null when none can be met.
_ask_first := {"pathway": pathway, "facts": [fact.name | some fact in _facts; needed[fact.name]]} if {
	besides := union({facts | facts = _exclusions[_].fails})
	ways := [[count(facts), i, node.id, facts] |
		some i, node in _pathway_nodes
		node.state != "not_met"
		facts := object.get(_pathways[i], "meets", set()) | besides
		count(facts & _unavailable) == 0
	]
	[_, _, pathway, needed] := min(ways)
} else := null

# The first of equal items, in their order.
_once(items) := items if {
	count({item | some item in items}) == count(items)
} else := [item | some i, item in items; not item in array.slice(items, 0, i)]
