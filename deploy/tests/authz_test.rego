package system.authz_test

import data.system.authz

_service := "service-token"

_operator := "operator-token"

# Two of each, as while tokens rotate.
_runtime := {"env": {
	"PAYER_POLICY_SERVICE_TOKEN_SHA256": concat(" ", [crypto.sha256("old"), crypto.sha256(_service)]),
	"PAYER_POLICY_OPERATOR_TOKEN_SHA256": concat(" ", [crypto.sha256(_operator), crypto.sha256("old operator")]),
}}

_allowed(request) if {
	authz.allow.allowed with input as request with opa.runtime as _runtime
}

_reason(request) := reason if {
	reason := authz.allow.reason with input as request with opa.runtime as _runtime
}

_headers(token) := {"Authorization": [concat("", ["Bearer ", token])], "Content-Type": ["application/json"]}

# A field is replaced, not merged.
_changed(request, change) := object.union(object.remove(request, object.keys(change)), change)

_typed(type) := object.union(_headers(_service), {"Content-Type": type})

_decide := {
	"method": "POST", "path": ["v1", "data", "payer", "decision"], "params": {"provenance": ["true"]},
	"headers": _headers(_service), "body": {"input": {}},
}

_catalogue := {
	"method": "GET", "path": ["v1", "data", "payer", "catalogue"], "params": {}, "headers": _headers(_service),
}

_health := {"method": "GET", "path": ["health"], "params": {}, "headers": _headers(_operator)}

# Every change of a request that is allowed, with the answer.
_cases := [
	{"of": _decide, "with": {}, "allowed": true},
	{"of": _decide, "with": {"params": {}}, "allowed": true},
	{"of": _decide, "with": {"headers": _headers("old")}, "allowed": true},
	{"of": _decide, "with": {"path": ["v1", "data", "payer", "decisions"]}, "allowed": true},
	{"of": _decide, "with": {"path": ["v1", "data", "payer", "catalogue"]}, "allowed": true},
	{"of": _decide, "with": {"headers": _typed(["Application/JSON; charset=utf-8"])}, "allowed": true},
	{"of": _catalogue, "with": {}, "allowed": true},
	{"of": _catalogue, "with": {"params": {"provenance": ["true"]}}, "allowed": true},
	{"of": _health, "with": {}, "allowed": true},
	{"of": _health, "with": {"path": ["health", "ready"]}, "allowed": true},
	{"of": _health, "with": {"path": ["health", "ready"], "headers": {}}, "allowed": true},
	{"of": _health, "with": {"path": ["health", "live"], "headers": {}}, "allowed": true},
	{"of": _health, "with": {"path": ["health", "ready"], "headers": {}, "method": "POST"}, "allowed": false},
	{"of": _health, "with": {"path": ["health", "ready"], "headers": {}, "params": {"explain": ["full"]}}, "allowed": false},
	{"of": _health, "with": {"path": ["metrics"]}, "allowed": true},
	{"of": _health, "with": {"path": ["v1", "status"]}, "allowed": true},
	# Another token, or none.
	{"of": _decide, "with": {"headers": _headers("")}, "allowed": false},
	{"of": _decide, "with": {"headers": _headers("service-toke")}, "allowed": false},
	{"of": _decide, "with": {"headers": _headers(crypto.sha256(_service))}, "allowed": false},
	{"of": _decide, "with": {"headers": {"Authorization": [_service]}}, "allowed": false},
	{"of": _decide, "with": {"headers": {"Authorization": ["Bearer service-token", "Bearer x"]}}, "allowed": false},
	{"of": _decide, "with": {"headers": _headers(_operator)}, "allowed": false},
	{"of": _health, "with": {"headers": _headers(_service)}, "allowed": false},
	# Another method or path.
	{"of": _decide, "with": {"method": "GET"}, "allowed": false},
	{"of": _decide, "with": {"method": "PUT"}, "allowed": false},
	{"of": _decide, "with": {"path": []}, "allowed": false},
	{"of": _decide, "with": {"path": ["v1", "data"]}, "allowed": false},
	{"of": _decide, "with": {"path": ["v1", "data", "payer"]}, "allowed": false},
	{"of": _decide, "with": {"path": ["v1", "data", "payer", "request"]}, "allowed": false},
	{"of": _decide, "with": {"path": ["v1", "data", "payer", "decision", "outcome"]}, "allowed": false},
	{"of": _decide, "with": {"path": ["v1", "data", "payer", "decision", ""]}, "allowed": false},
	{"of": _decide, "with": {"path": ["v1", "data", "system", "authz"]}, "allowed": false},
	{"of": _decide, "with": {"path": ["v0", "data", "payer", "decision"]}, "allowed": false},
	{"of": _catalogue, "with": {"method": "HEAD"}, "allowed": false},
	{"of": _health, "with": {"method": "POST"}, "allowed": false},
	{"of": _health, "with": {"path": ["health", "else"]}, "allowed": false},
	{"of": _health, "with": {"path": ["v1", "config"]}, "allowed": false},
	# Another body or parameter.
	{"of": _decide, "with": {"body": {}}, "allowed": false},
	{"of": _decide, "with": {"body": {"input": {}, "more": 1}}, "allowed": false},
	{"of": _decide, "with": {"body": {"Input": {}}}, "allowed": false},
	{"of": _decide, "with": {"body": []}, "allowed": false},
	{"of": _decide, "with": {"body": "input"}, "allowed": false},
	{"of": _decide, "with": {"params": {"provenance": ["true", "true"]}}, "allowed": false},
	{"of": _decide, "with": {"params": {"provenance": ["true"], "explain": ["full"]}}, "allowed": false},
	{"of": _decide, "with": {"headers": _typed(["application/yaml"])}, "allowed": false},
	{"of": _decide, "with": {"headers": _typed(["application/json", "application/yaml"])}, "allowed": false},
	{"of": _catalogue, "with": {"params": {"input": ["{}"]}}, "allowed": false},
	{"of": _health, "with": {"params": {"plugins": [""]}}, "allowed": false},
]

test_cases[number] if {
	some number, case in _cases
	request := _changed(case.of, case["with"])
	allowed := {true | _allowed(request)}
	allowed == {true | case.allowed}
}

test_there_are_all_cases if count(_cases) == 48

test_a_body_that_is_not_there if not _allowed(object.remove(_decide, ["body"]))

test_no_content_type if not _allowed(_changed(_decide, {"headers": object.remove(_headers(_service), ["Content-Type"])}))

test_no_token if _reason(_changed(_decide, {"headers": {}})) == "a valid token is needed"

test_no_request if _reason({}) == "a valid token is needed"

test_reasons if {
	startswith(_reason(_changed(_decide, {"body": {"requests": []}})), "asked for here is application/json")
	startswith(_reason(_changed(_catalogue, {"params": {"pretty": [""]}})), "asked for here is application/json")
	_reason(_changed(_decide, {"path": ["v1", "policies"]})) == "this token does not allow that"
	_reason(_changed(_decide, {"headers": _headers(_operator)})) == "this token does not allow that"
}

# Not even the empty token, when no hash is given.
test_no_hashes[env] if {
	some env in [{}, {"PAYER_POLICY_SERVICE_TOKEN_SHA256": ""}]
	every token in ["", _service] {
		not authz.allow.allowed with input as _changed(_decide, {"headers": _headers(token)})
			with opa.runtime as {"env": env}
	}
}

test_nobody_is_answered_without_the_mask if {
	not authz.allow.allowed with input as _decide with opa.runtime as _runtime with data.system.log as {}
}
