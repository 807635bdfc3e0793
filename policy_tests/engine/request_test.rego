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

test_dates_and_identifiers if {
	_errors({"date_of_service": "2025-02-29"}) == [{"path": "date_of_service", "message": "must be a real calendar date, YYYY-MM-DD, in the years 1900 to 2199"}]
	_errors({"codes": {"icd10": {"a": 1}}}) == [{"path": "codes.icd10", "message": "must be an array"}]
	_errors({"request_id": ""}) == [{"path": "request_id", "message": "must be a string of 1 to 128 characters"}]
}

test_no_input_at_all if request.errors == [{"path": "", "message": "must be an object"}] with input as null

# What is null or a bound is not known exactly.
test_what_is_not_known_exactly if {
	given := object.union(_minimal, {"facts": {"disease": "all", "infant": null, "mrd_percent": {"less_than": 0.01}}})
	request.inexact == {"infant", "mrd_percent"} with input as given
	request.exact == {"disease": "all"} with input as given
	request.bounds == {"mrd_percent": {
		"given": {"less_than": 0.01}, "whole": false,
		"from": 0, "open_below": false, "to": 0.01, "open_above": true,
	}} with input as given
}

test_whole_numbers_as_such if {
	[[json.marshal(exact.complete_response), count(inexact)] |
		some text in ["2", "3.0", "40e-1", "0.5E1"]
		given := object.union(_minimal, {"facts": {"complete_response": json.unmarshal(text), "mrd_percent": 20e-1}})
		exact := request.exact with input as given
		inexact := request.inexact with input as given
	] == [["2", 0], ["3.0", 0], ["4", 1], ["5", 1]]
}

# Values as JSON texts: a number keeps its digits. No value stands here twice, since OPA remembers what a function gave.
test_numbers[text] if {
	some text, message in {
		"0.1": "",
		"1e-1": "",
		"100": "",
		"100.000000000000000000000": "",
		"0.30000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000": "",
		"0.200000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000": "must be written in at most 100 characters",
		"0.000000000000000000000000000000123456789012345": "",
		"-0": "",
		"0.0999999999999999": "",
		"0.09999999999999999": "must have at most 15 significant digits",
		"0.099999999999999999": "must have at most 15 significant digits",
		"1e-400": "must be 0 or at least 1e-300",
		"1e-300": "",
		"3e-0301": "must be 0 or at least 1e-300",
		"1e-30000": "must have an exponent of at most three digits",
		"1e+1000": "must have an exponent of at most three digits",
		`{"less_than": 1e-30000}`: "must have an exponent of at most three digits",
		"9.99999999999999e-301": "must be 0 or at least 1e-300",
		"100.1": "must be a number from 0 to 100",
		"-1": "must be a number from 0 to 100",
		"\"0.1\"": "must be a number from 0 to 100",
		"true": "must be a number from 0 to 100",
		"[0.1]": "must be a number from 0 to 100",
		`{"less_than": 0.01}`: "",
		`{"at_least": 100}`: "",
		`{"less_than": 0}`: _no_bound,
		`{"less_than": 101}`: _no_bound,
		`{"less_than": null}`: _no_bound,
		`{"less_than": "0.01"}`: _no_bound,
		`{"less_than": 0.01, "at_least": 0}`: _no_bound,
		`{"less_than": 0.09999999999999998, "at_least": 0}`: _no_bound,
		`{"less_than": "0.1234567890123456789"}`: _no_bound,
		"[0.09999999999999997]": "must be a number from 0 to 100",
		`{"below": 0.01}`: _no_bound,
		`{"less_than": 0.09999999999999999}`: "must have at most 15 significant digits",
		"{}": _no_bound,
	}
	_messages({"mrd_percent": json.unmarshal(text)}) == [message | message != ""]
}

# In company of its own each, since they are one value to OPA.
test_zero_however_it_is_written if {
	_messages({"mrd_percent": json.unmarshal("0e-400"), "infant": true}) == []
	_messages({"mrd_percent": json.unmarshal("0.0e9999"), "infant": false}) == []
}

_no_bound := "must be a number from 0 to 100 or a bound that leaves one: less_than, at_most, at_least or more_than"

test_whole_numbers[text] if {
	some text, message in {
		"1.0": "",
		"20e-1": "",
		`{"more_than": 1}`: "",
		"1.5": "must be a whole number from 0 to 20",
		"21": "must be a whole number from 0 to 20",
		"1.000000000000001": "must have at most 15 significant digits",
		`{"more_than": 20}`: "must be a whole number from 0 to 20 or a bound that leaves one: less_than, at_most, at_least or more_than",
	}
	_messages({"complete_response": json.unmarshal(text)}) == [message | message != ""]
}

# A bound is for numbers alone.
test_no_bound_on_what_is_no_number if {
	_messages({"disease": {"less_than": 1}, "infant": {"less_than": 1}, "combined_with": {"less_than": 1}}) == [
		"must be an array",
		"must be one of all, dlbcl, other",
		"must be true or false",
	]
}

test_limits_that_are_no_whole_numbers_and_dates if {
	facts := [
		{"name": "level", "type": "number", "question": "?", "minimum": 0.5, "maximum": 2.25},
		{"name": "day", "type": "date", "question": "?"},
	]
	given := {"document": "TEST-0001", "date_of_service": "2026-03-01", "facts": {"level": 3, "day": "2023-02-29"}}
	errors := request.errors with input as given with data.payer.criteria["TEST-0001"]["2026-03-01"].facts as facts
	errors == [
		{"path": "facts.day", "message": "must be a real calendar date, YYYY-MM-DD, in the years 1900 to 2199"},
		{"path": "facts.level", "message": "must be a number from 0.5 to 2.25"},
	]
	valid := object.union(given, {"facts": {"level": 2.25, "day": "2024-02-29"}})
	count(request.errors) == 0 with input as valid with data.payer.criteria["TEST-0001"]["2026-03-01"].facts as facts
}

test_unavailable if {
	_errors({"unavailable": []}) == []
	_errors({"unavailable": ["infant", "mrd_percent"], "facts": {"infant": null}}) == []
	_errors({"unavailable": null}) == [{"path": "unavailable", "message": "must be an array"}]
	count(_errors({"unavailable": ["x", "disease", "lineage", "cd19_positive", "infant", "kmt2a_rearranged", "disease_status", "complete_response", "mrd_percent", "treatment_phase", "combined_with"]})) == 1
	_errors({"unavailable": {"infant": "x"}}) == [{"path": "unavailable", "message": "must be an array"}]
	_errors({"unavailable": "infant"}) == [{"path": "unavailable", "message": "must be an array"}]
	_errors({"unavailable": ["infant", "infant"]}) == [{"path": "unavailable", "message": "must not repeat an item"}]
	_errors({"unavailable": numbers.range(1, 12)}) == [{"path": "unavailable", "message": "must hold at most 11 items"}]
	_errors({"unavailable": ["infnat", 5, "infant", "lineage"], "facts": {"infant": false}}) == [
		{"path": "unavailable[0]", "message": "is not a fact of this version of the document"},
		{"path": "unavailable[1]", "message": "is not a fact of this version of the document"},
		{"path": "unavailable[2]", "message": "is known from facts"},
	]
	before := object.union(_minimal, {"date_of_service": "2025-03-31", "unavailable": ["anything", "anything"]})
	count(request.errors) == 0 with input as before
}

_messages(facts) := [error.message | some error in _errors({"facts": facts})]

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
