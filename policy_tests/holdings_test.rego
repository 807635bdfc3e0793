package payer.holdings_test

import data.payer

test_documents_and_versions if {
	[[entry.document, [held.version | some held in entry.versions]] | some entry in payer.catalogue.documents] == [
		["CC-0126", ["2025-04-01"]],
		["TEST-0001", ["2025-01-01", "2026-03-01"]],
	]
}

test_facts_with_the_clauses_that_read_them if {
	{fact.name: fact.criteria | some fact in _cc0126.facts} == {
		"disease": ["I", "III", "V"],
		"lineage": ["I", "III"],
		"cd19_positive": ["I", "III"],
		"infant": ["V"],
		"kmt2a_rearranged": ["V"],
		"disease_status": ["II.A"],
		"complete_response": ["II.C"],
		"mrd_percent": ["II.C"],
		"treatment_phase": ["II.D", "IV"],
		"combined_with": ["II.B", "IV", "V"],
		"alternating_with": ["IV"],
	}
}

test_facts_in_the_order_in_which_they_are_asked_for if {
	[fact.name | some fact in _cc0126.facts] == [
		"disease", "lineage", "cd19_positive", "infant", "kmt2a_rearranged", "disease_status",
		"complete_response", "mrd_percent", "treatment_phase", "combined_with", "alternating_with",
	]
}

test_a_fact_in_full if {
	_cc0126.facts[7] == {
		"name": "mrd_percent",
		"type": "number",
		"question": "How high is the minimal residual disease, in percent?",
		"minimum": 0,
		"maximum": 100,
		"unit": "percent",
		"criteria": ["II.C"],
	}
}

test_what_is_said_of_a_version if object.keys(_cc0126) == {
	"title", "version", "effective_from", "effective_to", "last_reviewed",
	"codes", "history", "facts", "criteria",
}

test_dates_and_codes if {
	object.filter(_cc0126, ["title", "effective_from", "effective_to", "last_reviewed"]) == {
		"title": "Blincyto (blinatumomab)",
		"effective_from": "2025-04-01",
		"effective_to": null,
		"last_reviewed": "2025-02-21",
	}
	object.keys(_cc0126.codes.hcpcs) == {"J9039"}
	object.keys(_cc0126.codes.icd10) == {"C91.00", "C91.01", "C91.02"}
	count(_cc0126.history) == 7
}

test_criteria_speak_of_no_request if {
	walk(_cc0126.criteria, [_, node])
	node.id == "II.C.mrd_percent"
	object.keys(node) == {"id", "text", "fact"}
}

# The traversal for `missing` goes pathway, clause, use, part: no leaf may hang deeper.
test_no_leaf_hangs_deeper_than_the_traversal_goes if {
	leaves := [path |
		some entry in payer.catalogue.documents
		some held in entry.versions
		walk(held.criteria, [path, node])
		node.fact
	]
	count(leaves) == (19 + 2) + 1
	every path in leaves { count(path) <= 8 }
}

_cc0126 := payer.catalogue.documents[0].versions[0]
