# METADATA
# title: Payer criteria
# description: |
#   The entry points that services ask; see the contract. A decision is defined for every input: what is wrong with a
#   request is said in the decision, never by its absence.
package payer

import data.payer.request
import data.payer.versions

# METADATA
# title: Decision
# description: The decision on the request in `input`.
# entrypoint: true
decision := _invalid if {
	count(request.errors) > 0
} else := _no_policy_in_force if {
	not request.version
} else := object.union(data.payer.outcome.decided, _of_request) if {
	count(request.inexact) == 0
} else := object.union(outcome, _of_request) if {
	outcome := data.payer.outcome.decided with input.facts as request.exact
		with input.bounds as request.bounds
} else := _undecided

_of_request := {
	"request_id": request.request_id,
	"date_of_service": input.date_of_service,
	"policy": versions.summary(input.document, request.version),
	"errors": [],
}

# METADATA
# title: Decisions
# description: |
#   One decision for each of `input.requests`, in their order. With `input.version`, all of them under that version,
#   whatever their date of service: to replay a decision, or to compare versions. With `input.detail` brief, all of them
#   without the tree of criteria.
# entrypoint: true
decisions := [object.union(_refused, {"errors": [_envelope_fault]})] if {
	_envelope_fault
} else := [item_decision |
	some item in input.requests
	item_decision := _detailed with input as {"request": item, "version": _envelope.version, "detail": _envelope.detail}
] if {
	_envelope != {"version": null, "detail": "full"}
} else := [item_decision |
	some item in input.requests
	item_decision := decision with input as item
]

# As for the fields of a request, null equals absent.
_envelope := {
	"version": object.get(input, "version", null),
	"detail": object.get({null: "full"}, [detail], detail),
} if {
	detail := object.get(input, "detail", null)
}

_envelope_fault := {"path": "", "message": "must be an object"} if {
	not request.input_is_object
} else := {"path": "requests", "message": "must be an array of requests"} if {
	not _requests_are_an_array
} else := {"path": "requests", "message": _too_many} if {
	count(input.requests) > _most_requests
} else := {"path": "detail", "message": "must be full or brief"} if {
	not _envelope.detail in {"full", "brief"}
}

# A rule of its own: `not is_array(input.requests)` is undefined, not true, when there are none.
_requests_are_an_array if is_array(input.requests)

# At about a millisecond each, no batch keeps a server from others for much longer than a second.
_most_requests := 1000

_too_many := concat("", ["must hold at most ", format_int(_most_requests, 10), " requests"])

_detailed := object.union(_under_version, {"criteria": null}) if {
	input.detail == "brief"
} else := _under_version

_under_version := item_decision if {
	input.version == null
	item_decision := decision with input as input.request
} else := version_decision if {
	input.version in versions.of(input.request.document)
	version_decision := decision with input as input.request with data.payer.request.version as input.version
} else := object.union(_refused, {"errors": [{"path": "version", "message": "is not a version of this document held here"}]})

_invalid := object.union(_refused, {
	"errors": request.errors,
	"request_id": request.request_id,
	"date_of_service": request.date_of_service,
})

_refused := {
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

_no_policy_in_force := object.union(_refused, {
	"outcome": "no_policy_in_force",
	"next_step": "clinical_review",
	"summary": concat("", [
		"No version of ", input.document, " is held for this date of service, so a person must review the request.",
	]),
	"request_id": request.request_id,
	"date_of_service": input.date_of_service,
})

# A fault of the policy, not of the request.
_undecided := object.union(
	object.union(_refused, {
		"outcome": "undecided",
		"next_step": "clinical_review",
		"summary": concat("", [
			input.document, " version ", request.version,
			" gives no decision on this request, which is a fault of the policy, so a person must review the request.",
		]),
	}),
	_of_request,
)

# METADATA
# title: Catalogue
# description: |
#   Every document and version held, with its dates, codes, facts and criteria in words, and what of a FHIR record
#   establishes a fact; with `input.document` that document alone.
# entrypoint: true
catalogue := {"documents": data.payer.holdings.documents, "fhir": data.payer.fhir}
