# METADATA
# title: From criteria to a decision
# description: |
#   What the criteria of `input.version` say of a case (`payer.request.case`): the outcome, the nodes that settle it,
#   what is still needed, and the advisories.
package payer.outcome

# METADATA
# title: Decided
# description: The part of a decision that comes from the criteria.
decided := {
	"outcome": _outcome,
	"next_step": _next_step[_outcome],
	"summary": concat("", [_name, _sentence[_outcome]]),
	"pathways_met": _pathways_met,
	"criteria": _criteria,
	"reasons": [{"criterion": node.id, "state": node.state, "text": node.text} | some node in _settling[_outcome]],
	"missing": _missing[_outcome],
	"advisories": sort(_advisories),
}

_criteria := data.payer.criteria[input.document][input.version].criteria

_pathways_met := [pathway.id | some pathway in _criteria.pathways; pathway.state == "met"]

_exclusions_met := [exclusion.id | some exclusion in _criteria.exclusions; exclusion.state == "met"]

_outcome := "not_approved" if {
	count(_exclusions_met) > 0
} else := "not_approved" if {
	every pathway in _criteria.pathways { pathway.state == "not_met" }
} else := "approved" if {
	count(_pathways_met) > 0
	every exclusion in _criteria.exclusions { exclusion.state == "not_met" }
} else := "needs_information"

_next_step["approved"] := "issue_approval" if count(_contradictions) == 0

_next_step["approved"] := "clinical_review" if count(_contradictions) > 0

# A person denies, software never does.
_next_step["not_approved"] := "clinical_review"

_next_step["needs_information"] := "request_information"

_name := concat(" ", [input.document, "version", input.version])

_sentence["approved"] := concat("", [" approves the request by pathway ", concat(" and ", _pathways_met), "."]) if {
	count(_contradictions) == 0
}

_sentence["approved"] := concat("", [
	" is met by pathway ", concat(" and ", _pathways_met), ", but a person must review what contradicts it first.",
]) if {
	count(_contradictions) > 0
}

_sentence["not_approved"] := " does not approve the request, so a person must review it."

_sentence["needs_information"] := " cannot decide the request until the missing facts are known."

# The clauses that settle the outcome, in the order of the document. The fallback exclusion, which has no fact of its
# own, only says once more that every pathway fails.
_settling["approved"] := [clause |
	some pathway in _criteria.pathways
	pathway.state == "met"
	some clause in pathway.all_of
]

_settling["not_approved"] := array.concat(
	[clause |
		some pathway in _criteria.pathways
		pathway.state == "not_met"
		some clause in pathway.all_of
		clause.state == "not_met"
	],
	[exclusion |
		some exclusion in _criteria.exclusions
		exclusion.state == "met"
		exclusion.fact
	],
)

_settling["needs_information"] := [clause |
	some pathway in _criteria.pathways
	pathway.state == "unknown"
	some clause in pathway.all_of
	clause.state == "unknown"
]

_missing["approved"] := []

_missing["not_approved"] := []

_missing["needs_information"] := [entry |
	open := _open
	facts := data.payer.criteria[input.document][input.version].facts
	some [_, name] in sort({[facts[name].position, name] | some [name, _] in open})
	clauses := [clause |
		some [fact, clause] in open
		fact == name
		not startswith(clause, "exclusion.")
	]
	entry := {"fact": name, "question": facts[name].question, "criteria": clauses}
]

# Every open leaf, as its fact and its clause, in the order of the document. A leaf is open when it and all above it are
# unknown: what hangs below a settled criterion can no longer matter. Rego has no recursion, so this goes down step by
# step, a leaf standing still; the tests hold documents to this depth. A part has its clause's id before its fact.
_open := [[leaf.fact, clause] |
	some root in array.concat(_criteria.pathways, _criteria.exclusions)
	root.state == "unknown"
	some node in object.get(root, "all_of", object.get(root, "any_of", [root]))
	node.state == "unknown"
	some part in object.get(node, "all_of", object.get(node, "any_of", [node]))
	part.state == "unknown"
	some leaf in object.get(part, "all_of", object.get(part, "any_of", [part]))
	leaf.state == "unknown"
	clause := trim_suffix(leaf.id, concat("", [".", leaf.fact]))
]

_advisories := (_code_advisories | _raised_contradictions) | data.payer.criteria[input.document][input.version].advisories

_contradictions := data.payer.criteria[input.document][input.version].contradictions

_raised_contradictions := _contradictions if {
	_outcome == "approved"
} else := set()

# METADATA
# title: Procedure code outside the document's list
# description: The HCPCS code on the request is not among those that the document lists; the list is informational.
# custom:
#   advisory: hcpcs_not_listed
_code_advisories contains {"code": note.custom.advisory, "text": note.description} if {
	note := rego.metadata.rule()
	input.codes.hcpcs != null
	not _codes.hcpcs[input.codes.hcpcs]
}

# METADATA
# title: Diagnosis code outside the document's list
# description: An ICD-10 code on the request is not among those that the document lists; the list is informational.
# custom:
#   advisory: icd10_not_listed
_code_advisories contains {"code": note.custom.advisory, "text": note.description} if {
	note := rego.metadata.rule()
	some code in input.codes.icd10
	not _codes.icd10[code]
}

_codes := data.payer.criteria[input.document][input.version].about.custom.codes
