# Runs every vector of vectors/*.yaml, each as a named sub-case. `expect` holds:
#   outcome; pathways, missing (fact -> criteria), errors (paths), advisories (codes): exact, empty when not named;
#   reasons, states, next_step, request_id, version, date: compared when named.
package payer.vectors_test

import data.payer

# A table test that runs no case passes, so the number of cases is locked.
test_number_of_vectors if count(_vectors) == 324

test_names_are_unique if count({name | some name, _ in _vectors}) == count([0 | some file; data.vectors[file][_]])

test_decision[name] if {
	some name, vector in _vectors
	expect := vector.expect
	decision := payer.decision with input as vector.input
	_seen(decision, expect) == _wanted(expect)
	_consistent(decision)
}

# The batch gives the same decisions as single requests, in their order, bad items among them.
test_batch if {
	vectors := [vector | some vector in _vectors]
	singles := [decision | some vector in vectors; decision := payer.decision with input as vector.input]
	count(singles) == count(vectors)
	singles == payer.decisions with input as {"requests": [vector.input | some vector in vectors]}
}

_vectors := {vector.name: vector | vector := data.vectors[_][_]}

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
		"pathways_met", "criteria", "reasons", "missing", "advisories", "errors",
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
	"needs_information": {"request_information"},
}

_settled(decision) if {
	decision.outcome in {"invalid_request", "no_policy_in_force"}
	decision.policy == null
	decision.criteria == null
	decision.reasons == []
	decision.missing == []
	decision.advisories == []
}

_settled(decision) if {
	decision.outcome in {"approved", "not_approved"}
	count(decision.reasons) > 0
	decision.missing == []
	decision.errors == []
}

_settled(decision) if {
	decision.outcome == "needs_information"
	count(decision.reasons) > 0
	count(decision.missing) > 0
	count(decision.missing) == count({entry.fact | some entry in decision.missing})
	decision.errors == []
}
