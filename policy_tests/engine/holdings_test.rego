package payer.holdings_test

import data.payer

test_documents_and_versions if {
	versions := {entry.document: [held.version | some held in entry.versions] | some entry in payer.catalogue.documents}
	object.keys(versions) == {document | data.payer.criteria[document][_].about}
	versions["TEST-0001"] == ["2025-01-01", "2026-03-01"]
	documents := [entry.document | some entry in payer.catalogue.documents]
	documents == sort(documents)
}

test_one_document if {
	one := payer.catalogue with input as {"document": "TEST-0001"}
	one.documents == [entry | some entry in payer.catalogue.documents; entry.document == "TEST-0001"]
	count(one.documents) == 1
	none := payer.catalogue with input as {"document": "TEST-0002"}
	none.documents == []
}

# Of a fact that a request gives, the clauses that read it are told all the same.
test_the_catalogue_is_of_no_request if {
	asked := {"document": "CC-0126"}
	of_a_request := object.union(asked, {"date_of_service": "2025-06-01", "facts": {"disease": "dlbcl", "infant": true}})
	told := payer.catalogue with input as asked
	told == payer.catalogue with input as of_a_request
}

test_facts_with_the_clauses_that_read_them if {
	{fact.name: fact.criteria | some fact in _cc0126.facts} == {
		"disease": ["I", "III", "V", "exclusion.I"],
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
	"codes", "history", "facts", "criteria", "record",
}

test_dates_and_codes if {
	object.filter(_cc0126, ["title", "effective_from", "last_reviewed"]) == {
		"title": "Blincyto (blinatumomab)",
		"effective_from": "2025-04-01",
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

# What of a FHIR record establishes a fact: of every fact, where a version says so, and else of none.
test_the_record if {
	object.keys(payer.catalogue) == {"documents", "fhir"}
	object.keys(payer.catalogue.fhir) == {"resources", "systems", "units"}
	every entry in payer.catalogue.documents {
		every held in entry.versions {
			object.keys(held.record) in [{fact.name | some fact in held.facts}, set()]
		}
	}
	_cc0126.record.cd19_positive == []
	_cc0126.record.combined_with[0].means[3] == {"value": "nilotinib", "codes": {"rxnorm": ["662281"]}}
	some entry in payer.catalogue.documents
	entry.document == "TEST-0001"
	every held in entry.versions { held.record == {} }
}

test_exclusions if [exclusion.id | some exclusion in _cc0126.criteria.exclusions] == ["exclusion.I", "exclusion.II"]

# A clause of two pathways asks once.
test_a_clause_stands_once if {
	some entry in payer.catalogue.documents
	entry.document == "NCD-240.4"
	some fact in entry.versions[1].facts
	fact.name == "diagnosis"
	fact.criteria == ["B.1"]
}

# Of every document: each clause that reads a fact stands with it, at whatever depth.
test_every_fact_is_read if {
	every entry in payer.catalogue.documents {
		every held in entry.versions {
			every fact in held.facts { count(fact.criteria) > 0 }
		}
	}
}

_cc0126 := entry.versions[0] if {
	some entry in payer.catalogue.documents
	entry.document == "CC-0126"
}
