# Runs every vector of vectors/DOCUMENT/*.yaml, and names those that fail, with what was wanted and what came. No table of
# sub-cases: `opa test` traces those, which takes twenty times as long. `expect` holds:
#   outcome; pathways, missing (fact -> criteria), errors (paths), advisories (codes): exact, empty when not named;
#   reasons, states, next_step, ask_first, terms, request_id, version, date: compared when named.
package payer.vectors_test

import data.payer

# Every document has vectors that it decides either way and such that it leaves open; each vector has a name of its own.
test_vectors_of_every_document[document] if {
	some document in ({name | data.payer.criteria[name][_].about} - {"TEST-0001"})
	outcomes := {vector.expect.outcome | vector := data.vectors[_][_][_]; vector.input.document == document}
	lacking := {"approved", "not_approved", "needs_information"} - outcomes
	print(document, "has no vector that expects:", lacking)
	lacking == set()
}

test_names_are_unique if count({vector.name | vector := data.vectors[_][_][_]}) == count([0 | data.vectors[_][_][_]])

# The batch gives the same decisions as single requests, in their order, bad items among them.
test_batch if {
	requests := array.slice([vector.input | vector := data.vectors[_].outcomes[_]], 0, 1000)
	singles := [decision | some request in requests; decision := payer.decision with input as request]
	count(singles) > 10
	singles == payer.decisions with input as {"requests": requests}
}

test_vectors if {
	failing := [vector.name | vector := data.vectors[_][_][_]; not _holds(vector)]
	failing == []
}

_holds(vector) if {
	decision := payer.decision with input as vector.input
	_same(vector.name, _wanted(vector.expect), _seen(decision, vector.expect))
	_consistent(decision)
}

_same(name, want, have) if {
	want == have
} else := false if {
	print(name, "wants", want, "and has", have)
}

_wanted(expect) := object.union(
	{"pathways": [], "missing": {}, "errors": [], "advisories": []},
	expect,
)

_seen(decision, expect) := object.union(
	{
		"outcome": decision.outcome,
		"pathways": decision.pathways_met,
		"missing": {entry.fact: entry.criteria | some entry in decision.missing},
		"errors": [error.path | some error in decision.errors],
		"advisories": [advisory.code | some advisory in decision.advisories],
	},
	{name: value | some name, value in _optional(decision, expect); name in object.keys(expect)},
)

_optional(decision, expect) := {
	"reasons": [reason.criterion | some reason in decision.reasons],
	"states": {id: state | some id, _ in object.get(expect, "states", {}); state := _states(decision)[id]},
	"next_step": decision.next_step,
	"ask_first": decision.ask_first,
	"terms": decision.terms,
	"request_id": decision.request_id,
	"version": _version(decision),
	"date": decision.date_of_service,
}

_version(decision) := decision.policy.version if {
	decision.policy != null
} else := null

_states(decision) := {node.id: node.state | walk(decision.criteria, [_, node]); node.id}

# What holds for every decision, whatever the request.
_consistent(decision) if {
	object.keys(decision) == {
		"outcome", "next_step", "summary", "request_id", "date_of_service", "policy",
		"pathways_met", "criteria", "reasons", "missing", "ask_first", "terms", "advisories", "errors",
	}
	every advisory in decision.advisories { object.keys(advisory) == {"code", "text"} }
	decision.next_step in _next_steps[decision.outcome]
	_settled(decision)
}

_next_steps := {
	"invalid_request": {"correct_request"},
	"no_policy_in_force": {"clinical_review"},
	"not_approved": {"clinical_review"},
	"approved": {"issue_approval", "clinical_review"},
	"needs_information": {"request_information", "clinical_review"},
}

_settled(decision) if {
	decision.outcome in {"invalid_request", "no_policy_in_force"}
	decision.policy == null
	decision.criteria == null
	decision.reasons == []
	decision.missing == []
	decision.ask_first == null
	decision.terms == []
	decision.advisories == []
}

_settled(decision) if {
	decision.outcome in {"approved", "not_approved"}
	count(decision.reasons) > 0
	decision.missing == []
	decision.ask_first == null
	decision.errors == []
}

_settled(decision) if {
	decision.outcome == "needs_information"
	count(decision.reasons) > 0
	decision.terms == []
	decision.errors == []
	_asks(decision)
}

_asks(decision) if {
	decision.next_step == "request_information"
	count(decision.missing) > 0
	count(decision.missing) == count({entry.fact | some entry in decision.missing})
	every fact in object.get(decision, ["ask_first", "facts"], []) { fact in {entry.fact | some entry in decision.missing} }
}

_asks(decision) if {
	decision.next_step == "clinical_review"
	decision.missing == []
	decision.ask_first == null
}
