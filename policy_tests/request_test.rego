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

# Given as text: OPA's own reader of YAML and the vectors round numbers as any double does.
test_numbers_as_they_are_written[text] if {
	some text, message in {
		"0.099999999999999999": "must have at most 15 significant digits",
		"1234567890.1234567": "must have at most 15 significant digits",
		"-12345678901.23456E-9": "must have at most 15 significant digits",
		"12345678901.2345E-9": null,
		"-12345678901.2345": "must be a number from 0 to 100",
		"0.000123456789012345000": null,
		"100.0000000000000000000": null,
		"0.00e0": null,
		"0.00e9999": null,
		"-0.0": null,
		"1e-300": null,
		"1e-301": "must be 0 or at least 1e-300",
		"-1e-301": "must be 0 or at least 1e-300",
		"-1e-300": "must be a number from 0 to 100",
		"1e400": "must be a number from 0 to 100",
		"2e-0300": null,
		"1e-30000": "must have an exponent of at most three digits",
		"1e30000": "must have an exponent of at most three digits",
		concat("", ["1.", _zeros(98)]): null,
		concat("", ["2.", _zeros(99)]): "must be written in at most 100 characters",
		concat("", ["1", _zeros(100)]): "must be written in at most 100 characters",
	}
	errors := _errors({"facts": {"mrd_percent": json.unmarshal(text)}})
	errors == [{"path": "facts.mrd_percent", "message": message} | message != null]
}

test_whole_numbers_as_they_are_written[text] if {
	some text, whole in {"2": "2", "2.0": "2", "20e-1": "2", "0.2e1": "2", "2E0": "2", "0.0": "0"}
	case := request.case with input as object.union(_minimal, {"facts": {"complete_response": json.unmarshal(text)}})
	json.marshal(case.facts.complete_response) == whole
}

test_no_whole_numbers[text] if {
	some text, message in {
		"21e-1": "must be a whole number from 0 to 20",
		"1.00000000000001": "must be a whole number from 0 to 20",
		"1.000000000000001": "must have at most 15 significant digits",
		"1e-400": "must be 0 or at least 1e-300",
	}
	_errors({"facts": {"complete_response": json.unmarshal(text)}}) == [{"path": "facts.complete_response", "message": message}]
}

_zeros(n) := concat("", ["0" | some _ in numbers.range(1, n)])

# More than a request can need is refused as a whole, by its count, whatever is in it.
test_more_than_a_request_can_need[path] if {
	some path, case in {
		"": {"request": {format_int(i, 10): 1 | some i in numbers.range(1, 98)}, "message": "must have at most 100 fields"},
		"codes": {"request": {"codes": {format_int(i, 10): 1 | some i in numbers.range(1, 101)}}, "message": "must have at most 100 fields"},
		"codes.icd10": {"request": {"codes": {"icd10": numbers.range(1, 101)}}, "message": "must hold at most 100 items"},
		"facts": {"request": {"facts": {format_int(i, 10): 1 | some i in numbers.range(1, 112)}}, "message": "must have at most 111 fields"},
		"facts.combined_with": {"request": {"facts": {"combined_with": numbers.range(1, 8)}}, "message": "must hold at most 7 items"},
	}
	request.errors == [{"path": path, "message": case.message}] with input as object.union(_minimal, case.request)
}

# Up to there, everything that is wrong is named.
test_as_much_as_a_request_can_need if {
	count(_errors({format_int(i, 10): 1 | some i in numbers.range(1, 97)})) == 97
	count(_errors({"codes": {format_int(i, 10): 1 | some i in numbers.range(1, 100)}})) == 100
	count(_errors({"codes": {"icd10": numbers.range(1, 100)}})) == 100
	count(_errors({"facts": {format_int(i, 10): 1 | some i in numbers.range(1, 111)}})) == 111
	count(_errors({"facts": {"combined_with": numbers.range(1, 7)}})) == 7
}

# Texts and objects have a count too.
test_no_array[kind] if {
	some kind, value in {"text": "imatinib", "object": {format_int(i, 10): 1 | some i in numbers.range(1, 8)}}
	_errors({"facts": {"combined_with": value}}) == [{"path": "facts.combined_with", "message": "must be an array"}]
}

# Repeats are looked for among strings: OPA would put all fractions below 1 into one place of a set.
test_repeats_are_those_of_strings if {
	[error.path | some error in _errors({"facts": {"combined_with": [0.5, 0.5]}})] == ["facts.combined_with[0]", "facts.combined_with[1]"]
	[error.path | some error in _errors({"facts": {"combined_with": ["x", "x"]}})] == [
		"facts.combined_with", "facts.combined_with[0]", "facts.combined_with[1]",
	]
}

_errors(more) := errors if {
	errors := request.errors with input as object.union(_minimal, more)
}

_minimal := {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}}
