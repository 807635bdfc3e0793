# METADATA
# title: What the decision log holds
# description: |
#   Of a decision its outcome, of a batch how often there was which, of everything else nothing. A field of the log that is
#   not listed, an error's text say, drops the whole entry, since OPA masks nothing but `input` and `result`.
package system.log

# system.authz answers nobody unless this is loaded.
masked := true

mask := {
	{"op": "remove", "path": "/input"},
	{"op": "remove", "path": "/nd_builtin_cache"},
	{"op": "upsert", "path": "/result", "value": _result},
}

drop if count(object.keys(input) - _listed) > 0

_listed := {
	# Who, when, by which revision, what, how long.
	"labels", "requested_by", "timestamp", "req_id", "decision_id", "bundles", "revision", "path", "metrics",
	# Masked above.
	"input", "nd_builtin_cache", "result",
}

default _result := {}

_result := {"outcome": input.result.outcome} if {
	input.result.outcome in _outcomes
} else := {"outcomes": {outcome: number |
	some outcome in _outcomes
	number := count([decision | some decision in input.result; decision.outcome == outcome])
	number > 0
}} if {
	is_array(input.result)
}

_outcomes := {"approved", "not_approved", "needs_information", "no_policy_in_force", "invalid_request"}
