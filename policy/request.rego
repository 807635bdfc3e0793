# METADATA
# title: The request
# description: |
#   What is wrong with a request, all of it at once, and the parts of a valid one that the rest reads. No value of the
#   wrong type passes here: between kinds Rego compares by kind, and a string is greater than every number.
#   A message never holds a value of the request; a path holds only names.
package payer.request

import data.payer.versions

# METADATA
# title: Errors
# description: One per path, sorted by path, each with `path` and `message`; empty for a valid request.
errors := [{"path": path, "message": message} |
	faults := sort(_faults)
	some i, [path, message] in faults
	not faults[i - 1][0] == path
]

# METADATA
# title: Version
# description: The version of the document in force on the date of service; undefined when there is none.
version := versions.in_force(input.document, input.date_of_service) if {
	not _document_fault
	not _date_fault
}

# METADATA
# title: Case
# description: |
#   A valid request made ready for the criteria: with the `version` in force, with every fact that the version knows,
#   null when unknown, and with its codes as they are compared.
case := object.union(input, {
	"version": version,
	"facts": object.union({name: null | some name, _ in _known}, input.facts),
	"codes": {"hcpcs": _hcpcs, "icd10": _icd10},
})

# METADATA
# title: Identifier
# description: The request's own identifier, null when it has none or an invalid one.
request_id := input.request_id if {
	is_string(input.request_id)
	not _request_id_fault
} else := null

# METADATA
# title: Date of service
# description: The date of service, null when it is not valid.
date_of_service := input.date_of_service if {
	not _date_fault
} else := null

# Codes are compared without case and dots: in capitals, and a diagnosis code with its one dot where ICD-10 has it.
_hcpcs := upper(replace(input.codes.hcpcs, ".", "")) if {
	input.codes.hcpcs != null
} else := null

_icd10 := [dotted |
	some code in input.codes.icd10
	plain := upper(replace(code, ".", ""))
	dotted := trim_suffix(concat(".", [substring(plain, 0, 3), substring(plain, 3, -1)]), ".")
]

_names := {"document", "date_of_service", "request_id", "codes", "facts"}

_code_names := {"hcpcs", "icd10"}

_known := data.payer.criteria[input.document][version].facts

_faults contains ["", "must be an object"] if not _input_is_object

# A rule of its own: `not is_object(input)` is undefined, not true, when there is no input at all.
_input_is_object if is_object(input)

_faults contains [name, "is not a field of a request"] if some name in (object.keys(input) - _names)

_faults contains ["document", _document_fault]

_document_fault := "is required" if {
	object.get(input, "document", null) == null
} else := "must be a string" if {
	not is_string(input.document)
} else := "is not a document held here" if {
	count(versions.of(input.document)) == 0
}

_faults contains ["date_of_service", _date_fault]

_date_fault := "is required" if {
	object.get(input, "date_of_service", null) == null
} else := "must be a real calendar date, YYYY-MM-DD, in the years 1900 to 2199" if {
	not _is_date(input.date_of_service)
}

_is_date(date) if regex.match(`^(19|20|21)[0-9]{2}-(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])$`, date)

_is_date(date) if regex.match(`^(19|20|21)[0-9]{2}-(0[469]|11)-(0[1-9]|[12][0-9]|30)$`, date)

_is_date(date) if regex.match(`^(19|20|21)[0-9]{2}-02-(0[1-9]|1[0-9]|2[0-8])$`, date)

# The leap days: years divisible by four, but 1900 and 2100.
_is_date(date) if regex.match(`^((19|20|21)(0[48]|[2468][048]|[13579][26])|2000)-02-29$`, date)

_faults contains ["request_id", _request_id_fault]

_request_id_fault := "must be a string of 1 to 128 characters" if {
	input.request_id != null
	not _is_text(input.request_id, 128)
}

_faults contains ["codes", "must be an object"] if {
	input.codes != null
	not is_object(input.codes)
}

_faults contains [concat(".", ["codes", name]), "is not a field of codes"] if {
	some name in (object.keys(input.codes) - _code_names)
}

_faults contains ["codes.hcpcs", "must be a string of 1 to 20 characters"] if {
	input.codes.hcpcs != null
	not _is_text(input.codes.hcpcs, 20)
}

_faults contains ["codes.icd10", "must be an array"] if {
	input.codes.icd10 != null
	not is_array(input.codes.icd10)
}

_faults contains [concat("", ["codes.icd10[", format_int(i, 10), "]"]), "must be a string of 1 to 20 characters"] if {
	is_array(input.codes.icd10)
	some i, code in input.codes.icd10
	not _is_text(code, 20)
}

_faults contains ["facts", "is required"] if object.get(input, "facts", null) == null

_faults contains ["facts", "must be an object"] if {
	input.facts != null
	not is_object(input.facts)
}

_faults contains [concat(".", ["facts", name]), "is not a fact of this version of the document"] if {
	version
	some name in (object.keys(input.facts) - object.keys(_known))
}

# Most facts hold one of the values listed for them. Those are set aside in one step, since most requests are valid;
# what is left is numbers, arrays, nulls and everything wrong, by the type it should have. Functions below take a name,
# not a description: OPA hashes the arguments of every call, and a description is large.
_listed contains name if {
	some name, value in input.facts
	fact := _known[name]
	fact.values[value]
	fact.type != "array"
}

_doubtful contains name if {
	some name in (object.keys(input.facts) - _listed)
	input.facts[name] != null
}

_faults contains [concat(".", ["facts", name]), message] if {
	some name in _doubtful
	message := _value_fault(_known[name].type, name)
}

_value_fault("string", name) := _one_of(name)

_value_fault("boolean", _) := "must be true or false"

_value_fault("integer", name) := _from_to("must be a whole number", name) if not _is_whole(name)

_value_fault("number", name) := _from_to("must be a number", name) if not _is_in_range(name)

_value_fault("array", name) := "must be an array" if not is_array(input.facts[name])

_value_fault("array", name) := "must not repeat an item" if {
	is_array(input.facts[name])
	count(input.facts[name]) != count({item | some item in input.facts[name]})
}

_faults contains [concat("", ["facts.", name, "[", format_int(i, 10), "]"]), _one_of(name)] if {
	some name in _doubtful
	_known[name].type == "array"
	is_array(input.facts[name])
	some i, item in input.facts[name]
	not _known[name].values[item]
}

_is_whole(name) if {
	_is_in_range(name)
	floor(input.facts[name]) == input.facts[name]
}

_is_in_range(name) if {
	is_number(input.facts[name])
	input.facts[name] >= _known[name].minimum
	input.facts[name] <= _known[name].maximum
}

_one_of(name) := concat(" ", ["must be one of", concat(", ", sort(object.keys(_known[name].values)))])

_from_to(kind, name) := concat(" ", [
	kind,
	"from", format_int(_known[name].minimum, 10),
	"to", format_int(_known[name].maximum, 10),
])

_is_text(value, longest) if {
	is_string(value)
	count(value) >= 1
	count(value) <= longest
}
