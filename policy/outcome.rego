# METADATA
# title: From criteria to a decision
# description: |
#   What the criteria of `input.version` say of a case (`payer.request.case`): the outcome, the nodes that settle it,
#   what is still needed, and the advisories.
package payer.outcome

import data.payer.kleene

# METADATA
# title: Decided
# description: The part of a decision that comes from the criteria.
decided := {
	"outcome": _outcome,
	"next_step": verdict.next_step,
	"summary": concat("", [input.document, " version ", input.version, verdict.sentence]),
	"pathways_met": _pathways_met,
	"criteria": _criteria,
	"reasons": [{"criterion": node.id, "state": node.state, "text": node.text} | some node in verdict.settled_by],
	"missing": verdict.missing,
	"advisories": sort(((_code_advisories | data.payer.criteria[input.document][input.version].advisories) | verdict.contradictions)),
} if {
	verdict := _verdict[_outcome]
}

_criteria := data.payer.criteria[input.document][input.version].criteria

_contradictions := data.payer.criteria[input.document][input.version].contradictions

_pathways_met := [pathway.id | some pathway in _criteria.pathways; pathway.state == "met"]

# Down the state of the pathways, any one of which suffices; across the state of the exclusions.
_outcome := {
	"met": {"met": "not_approved", "unknown": "needs_information", "not_met": "approved"},
	"unknown": {"met": "not_approved", "unknown": "needs_information", "not_met": "needs_information"},
	"not_met": {"met": "not_approved", "unknown": "not_approved", "not_met": "not_approved"},
}[pathways][exclusions] if {
	pathways := kleene.any_of({pathway.state | some pathway in _criteria.pathways})
	exclusions := kleene.any_of({exclusion.state | some exclusion in _criteria.exclusions})
}

# What follows from each outcome. It is settled by clauses, in the order of the document.
_verdict["approved"] := {
	"next_step": "issue_approval",
	"sentence": concat("", [" approves the request by pathway ", concat(" and ", _pathways_met), "."]),
	"settled_by": _clauses_met,
	"missing": [],
	"contradictions": set(),
} if {
	count(_contradictions) == 0
}

_verdict["approved"] := {
	"next_step": "clinical_review",
	"sentence": concat("", [
		" is met by pathway ", concat(" and ", _pathways_met), ", but a person must review what contradicts it first.",
	]),
	"settled_by": _clauses_met,
	"missing": [],
	"contradictions": _contradictions,
} if {
	count(_contradictions) > 0
}

# A person denies, software never does. The fallback exclusion, which has no fact of its own, only says once more that
# every pathway fails.
_verdict["not_approved"] := {
	"next_step": "clinical_review",
	"sentence": " does not approve the request, so a person must review it.",
	"settled_by": array.concat(
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
	),
	"missing": [],
	"contradictions": set(),
}

_verdict["needs_information"] := {
	"next_step": "request_information",
	"sentence": " cannot decide the request until the missing facts are known.",
	"settled_by": [clause |
		some pathway in _criteria.pathways
		pathway.state == "unknown"
		some clause in pathway.all_of
		clause.state == "unknown"
	],
	"missing": _missing,
	"contradictions": set(),
}

_clauses_met := [clause |
	some pathway in _criteria.pathways
	pathway.state == "met"
	some clause in pathway.all_of
]

# Each fact of an open leaf, in the order in which facts are asked for, with the clauses of the pathways that are open
# for it.
_missing := [{"fact": name, "question": facts[name].question, "criteria": clauses} |
	facts := data.payer.criteria[input.document][input.version].facts
	names := {name | some [name, _] in _open} | {name | some [name, _] in _open_leaves(_criteria.exclusions)}
	some [_, name] in sort({[facts[name].position, name] | some name in names})
	clauses := [clause | [name, clause] = _open[_]] # so written, OPA groups them once for all facts
]

_open := _open_leaves(_criteria.pathways)

# Every open leaf below some criteria, as its fact and its clause, in the order of the document. A leaf is open when it
# and all above it are unknown: what hangs below a settled criterion can no longer matter. Rego has no recursion, so this
# goes down step by step, a leaf standing still; the tests hold documents to this depth. A part has its clause's id before
# its fact.
_open_leaves(roots) := [[fact, trim_suffix(leaf.id, concat("", [".", fact]))] |
	some root in roots
	root.state == "unknown"
	some node in object.get(root, "all_of", object.get(root, "any_of", [root]))
	node.state == "unknown"
	some part in object.get(node, "all_of", object.get(node, "any_of", [node]))
	part.state == "unknown"
	some leaf in object.get(part, "all_of", object.get(part, "any_of", [part]))
	leaf.state == "unknown"
	fact := leaf.fact
]

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
