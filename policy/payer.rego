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
} else := _decided

# METADATA
# title: Decisions
# description: |
#   One decision for each of `input.requests`, in their order. With `input.version`, all of them under that version,
#   whatever their date of service: to replay a decision, or to compare versions.
# entrypoint: true
decisions := [object.union(_refused, {"errors": [{"path": "requests", "message": _too_many}]})] if {
	is_array(input.requests)
	count(input.requests) > _most_requests
} else := [item_decision |
	some item in input.requests
	item_decision := decision with input as item
] if {
	is_array(input.requests)
	object.get(input, "version", null) == null
} else := [item_decision |
	some item in input.requests
	item_decision := _under_version with input as {"request": item, "version": input.version}
] if {
	is_array(input.requests)
} else := [object.union(_refused, {"errors": [{"path": "requests", "message": "must be an array of requests"}]})] if {
	is_object(input)
} else := [object.union(_refused, {"errors": [{"path": "", "message": "must be an object"}]})]

# At about a millisecond each, no batch keeps a server from others for much longer than a second.
_most_requests := 1000

_too_many := concat("", ["must hold at most ", format_int(_most_requests, 10), " requests"])

_under_version := version_decision if {
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
	"advisories": [],
	"errors": [],
}

_no_policy_in_force := {
	"outcome": "no_policy_in_force",
	"next_step": "clinical_review",
	"summary": concat("", [
		"No version of ", input.document, " is held for this date of service, so a person must review the request.",
	]),
	"request_id": request.request_id,
	"date_of_service": input.date_of_service,
	"policy": null,
	"pathways_met": [],
	"criteria": null,
	"reasons": [],
	"missing": [],
	"advisories": [],
	"errors": [],
}

_decided := result if {
	case := request.case
	outcome := data.payer.outcome.decided with input as case
	result := object.union(outcome, {
		"request_id": request.request_id,
		"date_of_service": input.date_of_service,
		"policy": versions.summary(input.document, case.version),
		"errors": [],
	})
}

# METADATA
# title: Catalogue
# description: Every document and version held, with its dates, codes, facts and criteria in words.
# entrypoint: true
catalogue := {"documents": data.payer.holdings.documents}
