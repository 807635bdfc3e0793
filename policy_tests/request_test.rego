package payer.request_test

import data.payer.request

# Every message in full; the vectors hold the paths of many more.
test_errors_of_a_request if {
	request.errors == [
		{"path": "codes.hcpcs", "message": "must be a string of 1 to 20 characters"},
		{"path": "codes.icd10[1]", "message": "must be a string of 1 to 20 characters"},
		{"path": "codes.more", "message": "is not a field of codes"},
		{"path": "facts.alternating_with", "message": "must not repeat an item"},
		{"path": "facts.cd19_positive", "message": "must be true or false"},
		{"path": "facts.combined_with[0]", "message": "must be one of bosutinib, dasatinib, imatinib, interfant, nilotinib, other, ponatinib"},
		{"path": "facts.complete_response", "message": "must be a whole number from 0 to 20"},
		{"path": "facts.disease", "message": "must be one of all, dlbcl, other"},
		{"path": "facts.more", "message": "is not a fact of this version of the document"},
		{"path": "facts.mrd_percent", "message": "must be a number from 0 to 100"},
		{"path": "more", "message": "is not a field of a request"},
		{"path": "request_id", "message": "must be a string of 1 to 128 characters"},
	] with input as {
		"document": "CC-0126",
		"date_of_service": "2025-06-01",
		"request_id": "",
		"more": null,
		"codes": {"hcpcs": "", "icd10": ["C91.00", 1], "more": null},
		"facts": {
			"disease": "ALL",
			"cd19_positive": "true",
			"complete_response": 1.5,
			"mrd_percent": "0.1",
			"combined_with": ["aspirin"],
			"alternating_with": ["other", "other"],
			"more": null,
		},
	}
}

# A field may bear the name of a path: of two messages the first in the alphabet stays.
test_one_error_per_path if {
	request.errors == [{"path": "codes.hcpcs", "message": "is not a field of a request"}] with input as {
		"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {},
		"codes": {"hcpcs": ""}, "codes.hcpcs": "",
	}
}

test_errors_of_wrong_types if {
	request.errors == [
		{"path": "codes", "message": "must be an object"},
		{"path": "date_of_service", "message": "must be a real calendar date, YYYY-MM-DD, in the years 1900 to 2199"},
		{"path": "document", "message": "must be a string"},
		{"path": "facts", "message": "must be an object"},
		{"path": "request_id", "message": "must be a string of 1 to 128 characters"},
	] with input as {"document": 126, "date_of_service": 20250601, "request_id": 1, "codes": [], "facts": []}
}

test_errors_of_an_empty_request if {
	request.errors == [
		{"path": "date_of_service", "message": "is required"},
		{"path": "document", "message": "is required"},
		{"path": "facts", "message": "is required"},
	] with input as {}
}

test_document_that_is_not_held if {
	request.errors == [{"path": "document", "message": "is not a document held here"}] with input as {
		"document": "CC-9999", "date_of_service": "2025-06-01", "facts": {},
	}
}

test_codes_and_arrays_of_the_wrong_type if {
	request.errors == [
		{"path": "codes.hcpcs", "message": "must be a string of 1 to 20 characters"},
		{"path": "codes.icd10", "message": "must be an array"},
		{"path": "facts.combined_with", "message": "must be an array"},
	] with input as {
		"document": "CC-0126", "date_of_service": "2025-06-01", "codes": {"hcpcs": 9039, "icd10": "C91.00"},
		"facts": {"combined_with": "other"},
	}
}

test_no_input_at_all if request.errors == [{"path": "", "message": "must be an object"}] with input as null

test_case_has_every_fact_and_comparable_codes if {
	case := request.case with input as {
		"document": "CC-0126", "date_of_service": "2025-06-01",
		"codes": {"hcpcs": "j9039", "icd10": ["c9100", "C.91.01", "c83", "Z"]},
		"facts": {"disease": "all", "infant": null},
	}
	case == {
		"document": "CC-0126",
		"date_of_service": "2025-06-01",
		"version": "2025-04-01",
		"codes": {"hcpcs": "J9039", "icd10": ["C91.00", "C91.01", "C83", "Z"]},
		"facts": {
			"disease": "all", "lineage": null, "cd19_positive": null, "infant": null, "kmt2a_rearranged": null,
			"disease_status": null, "complete_response": null, "mrd_percent": null, "treatment_phase": null,
			"combined_with": null, "alternating_with": null,
		},
	}
}

# Many wrong names must not take long: one pass, not one for each pair.
test_thousands_of_unknown_names if {
	facts := {format_int(i, 10): 1 | some i in numbers.range(1, 3000)}
	count(request.errors) == 3000 with input as {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": facts}
}
