package system.log_test

import data.system.log

_event := {
	"labels": {"id": "x", "version": "1.22.2"}, "decision_id": "d", "bundles": {}, "path": "payer/decision",
	"input": {"request_id": "secret"}, "requested_by": "127.0.0.1:5", "timestamp": "t", "metrics": {}, "req_id": 1,
}

_results(event) := {rule.value | some rule in log.mask with input as event; rule.path == "/result"; rule.op == "upsert"}

# Results as they are, and as they should never be: a mask that fails would lose the entry.
_cases := [
	{"result": {"outcome": "approved", "request_id": "secret"}, "logged": {"outcome": "approved"}},
	{"result": {"outcome": "secret"}, "logged": {}},
	{"result": {"outcome": ["approved"]}, "logged": {}},
	{"result": {"documents": []}, "logged": {}},
	{"result": "secret", "logged": {}},
	{"result": null, "logged": {}},
	{"result": [], "logged": {"outcomes": {}}},
	{
		"result": [{"outcome": "approved"}, {"outcome": "secret"}, {"outcome": "approved"}, {"outcome": "not_approved"}, 5, null],
		"logged": {"outcomes": {"approved": 2, "not_approved": 1}},
	},
]

test_results[number] if {
	some number, case in _cases
	_results(object.union(_event, {"result": case.result})) == {case.logged}
}

test_there_are_all_cases if count(_cases) == 8

test_no_result if _results(_event) == {{}}

test_inputs_are_removed if {
	removed := {rule.path | some rule in log.mask with input as _event; rule.op == "remove"}
	removed == {"/input", "/nd_builtin_cache"}
}

test_what_is_listed_is_logged if not log.drop with input as object.union(_event, {"result": {}})

test_an_entry_with_more_is_dropped[field] if {
	some field in ["custom", "error", "query", "request_context", "intermediate_results", "mapped_result", "rule_labels", "later"]
	log.drop with input as object.union(_event, {field: {"request_metadata": "secret"}})
}
