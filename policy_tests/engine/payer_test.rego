package payer_test

import data.payer

_nothing := {
	"outcome": "invalid_request",
	"next_step": "correct_request",
	"summary": "The request is not valid and was not decided; correct the errors and send it again.",
	"request_id": null,
	"date_of_service": null,
	"policy": null,
	"pathways_met": [],
	"criteria": null,
	"reasons": [],
	"missing": [],
	"ask_first": null,
	"terms": [],
	"advisories": [],
	"errors": [],
}

test_invalid_request if {
	payer.decision == object.union(_nothing, {
		"request_id": "r",
		"date_of_service": "2025-06-01",
		"errors": [{"path": "facts", "message": "is required"}],
	}) with input as {"document": "CC-0126", "date_of_service": "2025-06-01", "request_id": "r"}
}

test_no_policy_in_force if {
	payer.decision == object.union(_nothing, {
		"outcome": "no_policy_in_force",
		"next_step": "clinical_review",
		"summary": "No version of CC-0126 is held for this date of service, so a person must review the request.",
		"request_id": "r",
		"date_of_service": "2025-03-31",
	}) with input as {"document": "CC-0126", "date_of_service": "2025-03-31", "request_id": "r", "facts": {}}
}

test_decided if {
	decision := payer.decision with input as {
		"document": "CC-0126", "date_of_service": "2025-06-01", "request_id": "r",
		"facts": {
			"disease": "all", "infant": true, "kmt2a_rearranged": true,
			"combined_with": ["interfant"], "cd19_positive": false, "lineage": "t_cell",
		},
	}
	json.remove(decision, ["criteria", "policy/effective_to"]) == {
		"outcome": "approved",
		"next_step": "clinical_review",
		"summary": "CC-0126 version 2025-04-01 is met by pathway V, but a person must review what contradicts it first.",
		"request_id": "r",
		"date_of_service": "2025-06-01",
		"policy": {
			"document": "CC-0126",
			"title": "Blincyto (blinatumomab)",
			"version": "2025-04-01",
			"effective_from": "2025-04-01",
			"last_reviewed": "2025-02-21",
		},
		"pathways_met": ["V"],
		"reasons": [{
			"criterion": "V",
			"state": "met",
			"text": "It is combined with an Interfant regimen for infant ALL whose KMT2A (11q23) is rearranged.",
		}],
		"missing": [],
		"ask_first": null,
		"terms": [],
		"advisories": [
			{
				"code": "cd19_negative",
				"text": "A pathway is met although the cells are known to be CD19-negative; the overview keeps the drug to CD19-positive B-cell ALL.",
			},
			{
				"code": "not_b_cell",
				"text": "A pathway is met although the disease is known not to arise from B-cells; the overview keeps the drug to CD19-positive B-cell ALL.",
			},
		],
		"errors": [],
	}
}

test_bad_items_of_a_batch_spoil_only_themselves if {
	good := {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": "dlbcl"}}
	decisions := payer.decisions with input as {"requests": [null, 5, "x", [], {}, false, good]}
	[decision.outcome | some decision in decisions] == [
		"invalid_request", "invalid_request", "invalid_request",
		"invalid_request", "invalid_request", "invalid_request", "not_approved",
	]
}

test_batch_of_nothing if payer.decisions == [] with input as {"requests": []}

test_largest_batch if count(payer.decisions) == 1000 with input as {"requests": numbers.range(1, 1000)}

test_batch_too_large[envelope] if {
	some envelope in [{}, {"version": "2025-04-01"}]
	wanted := [object.union(_nothing, {"errors": [{"path": "requests", "message": "must hold at most 1000 requests"}]})]
	payer.decisions == wanted with input as object.union({"requests": numbers.range(1, 1001)}, envelope)
}

test_envelope_without_requests if {
	wanted := [object.union(_nothing, {"errors": [{"path": "requests", "message": "must be an array of requests"}]})]
	payer.decisions == wanted with input as {}
	payer.decisions == wanted with input as {"requests": null}
}

test_envelope_that_is_no_object if {
	payer.decisions == [object.union(_nothing, {"errors": [{"path": "", "message": "must be an object"}]})] with input as []
}

# A request is decided under the version asked for, whatever its date, with the facts of that version; its own errors stay
# its own.
test_decisions_under_a_version if {
	held := {"document": "TEST-0001", "date_of_service": "2026-06-01", "facts": {}}
	given := [object.union(held, change) | some change in [{}, {"date_of_service": "1999-01-01"}, {"facts": {"x": 1}}, {"date_of_service": 5}]]
	decisions := payer.decisions with input as {"requests": given, "version": "2025-01-01"}
	[decision.policy.version | some decision in array.slice(decisions, 0, 2)] == ["2025-01-01", "2025-01-01"]
	[decision.date_of_service | some decision in decisions] == ["2026-06-01", "1999-01-01", "2026-06-01", null]
	[error.path | some decision in decisions; some error in decision.errors] == ["facts.x", "date_of_service"]
	later := payer.decisions with input as {"requests": [held], "version": null}
	later[0].policy.version == "2026-03-01"
}

test_decisions_under_a_version_that_is_not_held[version] if {
	some version in ["2025-01-02", "2025-04-01", 5, {}]
	requests := [{"document": "TEST-0001", "date_of_service": "2026-06-01", "facts": {}}, null]
	decisions := payer.decisions with input as {"requests": requests, "version": version}
	expected := object.union(_nothing, {"errors": [{"path": "version", "message": "is not a version of this document held here"}]})
	decisions == [expected, expected]
}

# Long, but no batch.
test_decisions_of_a_long_text if {
	long := concat("", [format_int(i, 10) | some i in numbers.range(1, 1000)])
	payer.decisions == [object.union(_nothing, {"errors": [{"path": "requests", "message": "must be an array of requests"}]})] with input as {"requests": long}
}

# Should a document fail to decide, the request is answered all the same, alone and in a batch.
test_undecided if {
	given := {"document": "TEST-0001", "date_of_service": "2026-03-01", "request_id": "r", "facts": {}}
	undecided := payer.decision with input as given with data.payer.criteria["TEST-0001"]["2026-03-01"].pathways as []
	undecided == object.union(_nothing, {
		"outcome": "undecided",
		"next_step": "clinical_review",
		"summary": "TEST-0001 version 2026-03-01 gives no decision on this request, which is a fault of the policy, so a person must review the request.",
		"request_id": "r",
		"date_of_service": "2026-03-01",
		"policy": {
			"document": "TEST-0001",
			"title": "Fixture, no clinical document",
			"version": "2026-03-01",
			"effective_from": "2026-03-01",
			"effective_to": null,
			"last_reviewed": "2024-12-01",
		},
	})
	inexact := object.union(given, {"facts": {"fact_of_2026": null}})
	decisions := payer.decisions with input as {"requests": [given, inexact, 5]}
		with data.payer.criteria["TEST-0001"]["2026-03-01"].exclusions as null
	[decision.outcome | some decision in decisions] == ["undecided", "undecided", "invalid_request"]
}

# A bound or a null decides as what it leaves open, and is shown as given.
test_bounds if {
	facts := {
		"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": true, "disease_status": "remission",
		"combined_with": ["other"], "treatment_phase": "induction", "complete_response": 1, "infant": null,
	}
	given := {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": facts}
	[[decision.outcome, [entry.fact | some entry in decision.missing], value] |
		some bound in [{"less_than": 0.01}, {"at_least": 0.1}, {"less_than": 0.2}, null]
		request := object.union(given, {"facts": {"mrd_percent": bound}})
		decision := payer.decision with input as request
		walk(decision.criteria, [_, node])
		node.id == "II.C.mrd_percent"
		value := node.value
	] == [
		["not_approved", [], {"less_than": 0.01}],
		["approved", [], {"at_least": 0.1}],
		["needs_information", ["mrd_percent"], {"less_than": 0.2}],
		["needs_information", ["mrd_percent"], null],
	]
}

test_detail if {
	requests := [{"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": "dlbcl"}}, 5]
	full := payer.decisions with input as {"requests": requests}
	count(full) == 2
	full == payer.decisions with input as {"requests": requests, "detail": "full"}
	full == payer.decisions with input as {"requests": requests, "detail": null, "version": null}
	brief := payer.decisions with input as {"requests": requests, "detail": "brief"}
	brief == [object.union(decision, {"criteria": null}) | some decision in full]
	full[0].criteria != null
	under := payer.decisions with input as {"requests": requests, "detail": "brief", "version": "2025-04-01"}
	under[0] == brief[0]
	wanted := [object.union(_nothing, {"errors": [{"path": "detail", "message": "must be full or brief"}]})]
	wanted == payer.decisions with input as {"requests": requests, "detail": "short"}
	wanted == payer.decisions with input as {"requests": requests, "detail": 5}
}

test_a_version_with_every_detail if {
	request := {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}}
	decisions := payer.decisions with input as {"requests": [request], "version": "2025-04-01"}
	decision := payer.decision with input as request
	decisions == [decision]
	decision.criteria != null
}
