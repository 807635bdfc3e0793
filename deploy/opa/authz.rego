# METADATA
# title: Who may ask what
# description: |
#   Everything is refused but what is listed here. The environment of OPA holds the SHA-256 of the tokens, in hexadecimal,
#   several of them apart by spaces: PAYER_POLICY_SERVICE_TOKEN_SHA256 and PAYER_POLICY_OPERATOR_TOKEN_SHA256. The token is
#   read from its header here, so that it is asked for beside a client certificate too.
package system.authz

import data.system.log

default allow := {"allowed": false, "reason": "a valid token is needed"}

allow := {"allowed": true} if {
	_granted

	# Without its mask the decision log would hold health data: better no answer.
	log.masked
} else := {"allowed": false, "reason": concat("", [
	"asked for here is application/json, one object with the key input and no other, ",
	"and no query parameter but provenance=true",
])} if {
	"service" in _roles
	_asked
} else := {"allowed": false, "reason": "this token does not allow that"} if {
	count(_roles) > 0
}

_granted if {
	"service" in _roles
	_asked
	input.params in [{}, {"provenance": ["true"]}]
	_body_is_masked
}

_granted if {
	"operator" in _roles
	input.method == "GET"
	input.path in [["health"], ["metrics"], ["v1", "status"]]
	input.params == {}
}

# For probes, which have no token: they say yes or no. OPA asks here for its diagnostic address too.
_granted if {
	input.method == "GET"
	input.path in [["health", "live"], ["health", "ready"]]
	input.params == {}
}

_asked if {
	input.method == "POST"
	input.path in [["v1", "data", "payer", entry_point] | some entry_point in ["decision", "decisions", "catalogue"]]
}

_asked if _asks_for_the_catalogue

_asks_for_the_catalogue if {
	input.method == "GET"
	input.path == ["v1", "data", "payer", "catalogue"]
}

_body_is_masked if _asks_for_the_catalogue

# What stands beside `input` is logged where no mask reaches. YAML is refused for its aliases.
_body_is_masked if {
	object.keys(input.body) == {"input"}
	[type] := input.headers["Content-Type"]
	lower(type) in {"application/json", "application/json; charset=utf-8"}
}

_roles contains role if {
	[header] := input.headers.Authorization
	startswith(header, "Bearer ")
	hash := crypto.sha256(substring(header, 7, -1))
	some role, variable in {
		"service": "PAYER_POLICY_SERVICE_TOKEN_SHA256",
		"operator": "PAYER_POLICY_OPERATOR_TOKEN_SHA256",
	}
	hash in split(opa.runtime().env[variable], " ")
}
