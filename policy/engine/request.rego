# METADATA
# title: The request
# description: |
#   What is wrong with a request, all of it at once, and the parts of a valid one that the rest reads. No value of the
#   wrong type passes here: between kinds Rego compares by kind, and a string is greater than every number.
#   A message never holds a value of the request; a path holds only names.
#
#   What holds more than a request can need is refused by its count, before anything is made of it. Of what a request gives
#   only strings ever go into a set: OPA hashes a number by its whole part, so that all fractions below 1
#   meet in one place, and a few hundred of them would keep it busy for minutes.
package payer.request

import data.payer.bounds as intervals
import data.payer.calendar
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
version := versions.in_force(_versions, date_of_service)

# METADATA
# title: Inexact
# description: |
#   The facts given that criteria do not read as they are given: what is null or within a bound; and a whole number written
#   with an exponent (20e-1), which WebAssembly would not find in a set.
inexact := {name | some name in _doubtful; type_name(input.facts[name]) in {"null", "object"}} | {name |
	some name in _doubtful
	_known[name].type == "integer"
	is_number(input.facts[name])
	contains(lower(json.marshal(input.facts[name])), "e")
}

# METADATA
# title: Exact
# description: The facts of a valid request that are known exactly, as criteria read them.
exact := object.union(object.remove(input.facts, inexact), {name: floor(input.facts[name]) |
	some name in inexact
	is_number(input.facts[name])
})

# METADATA
# title: Bounds
# description: Of the facts given within a bound, each as an interval.
bounds[name] := intervals.interval(known[name], value) if {
	known := _known
	some name, value in input.facts
	is_object(value)
	count(value) == 1
	every number in value { not _as_written(number) }
}

# METADATA
# title: Identifier
# description: The request's own identifier, null when it has none or an invalid one.
request_id := input.request_id if {
	_is_text(input.request_id, 128)
} else := null

# METADATA
# title: Date of service
# description: The date of service, null when it is not valid.
date_of_service := input.date_of_service if {
	calendar.is_date(input.date_of_service)
} else := null

_versions := versions.of(input.document)

_known := {fact.name: fact | some fact in facts} if {
	facts := data.payer.criteria[input.document][version].facts
}

_faults contains ["", "must be an object"] if not input_is_object

# METADATA
# title: Input is an object
# description: A rule of its own, since `not is_object(input)` is undefined, not true, when there is no input at all.
input_is_object if is_object(input)

# The fields of a request and below those of its codes, each with the types that it may have; null stands for absent. One
# look at all of them finds what is wrong, most often nothing.
_faults contains [name, _field_fault(name, type)] if {
	count(input) <= _most
	request := object.union({"document": null, "date_of_service": null, "facts": null}, input)
	some [name, type] in ({[name, type_name(value)] | some name, value in request} - {
		["document", "string"],
		["date_of_service", "string"],
		["request_id", "string"], ["request_id", "null"],
		["codes", "object"], ["codes", "null"],
		["facts", "object"],
		["unavailable", "array"],
	})
}

# Of what is no object at all, nor an array where one is asked for, that is said, since "must be" comes first.
_faults contains ["", _more_fields(_most)] if count(input) > _most

# Up to so many fields, codes and unknown facts each is looked at and named.
_most := 100

_more_fields(most) := concat(" ", ["must have at most", format_int(most, 10), "fields"])

_more_items(most) := concat(" ", ["must hold at most", format_int(most, 10), "items"])

_field_fault(name, type) := "is required" if {
	name in {"document", "date_of_service", "facts"}
	type == "null"
} else := object.get(
	{
		"document": "must be a string",
		"date_of_service": _not_a_date,
		"request_id": _not_a_text(128),
		"codes": "must be an object",
		"facts": "must be an object",
		"unavailable": "must be an array",
	},
	name, "is not a field of a request",
)

_faults contains ["codes", _more_fields(_most)] if count(input.codes) > _most

_faults contains [concat(".", ["codes", name]), _code_field_fault(name)] if {
	count(input.codes) <= _most
	some [name, _] in ({[name, type_name(value)] | some name, value in input.codes} - {
		["hcpcs", "string"], ["hcpcs", "null"],
		["icd10", "array"], ["icd10", "null"],
	})
}

_code_field_fault(name) := object.get(
	{"hcpcs": _not_a_text(20), "icd10": "must be an array"},
	name, "is not a field of codes",
)

_faults contains ["document", "is not a document held here"] if {
	is_string(input.document)
	count(_versions) == 0
}

_faults contains ["date_of_service", _not_a_date] if {
	is_string(input.date_of_service)
	date_of_service == null
}

_not_a_date := "must be a real calendar date, YYYY-MM-DD, in the years 1900 to 2199"

_faults contains ["request_id", _not_a_text(128)] if {
	is_string(input.request_id)
	request_id == null
}

_faults contains ["codes.hcpcs", _not_a_text(20)] if {
	input.codes.hcpcs != null
	not _is_text(input.codes.hcpcs, 20)
}

_faults contains [_item("codes.icd10", i), _not_a_text(20)] if {
	is_array(input.codes.icd10)
	count(input.codes.icd10) <= _most
	some i, code in input.codes.icd10
	not _is_text(code, 20)
}

_faults contains ["codes.icd10", _more_items(_most)] if count(input.codes.icd10) > _most

_is_text(value, longest) if {
	value != ""
	value == substring(value, 0, longest) # undefined for what is no string
}

_not_a_text(longest) := concat(" ", ["must be a string of 1 to", format_int(longest, 10), "characters"])

# Most facts hold what is listed for them. Those are set aside in steps, since most requests are valid; what is left
# is numbers, nulls and everything wrong, by the type it should have. Functions below take a name, not a description: OPA
# hashes the arguments of every call, and a description is large.
_doubtful := rest - {name |
	some name in rest
	fact := known[name]
	fact.type == "array"
	items := input.facts[name]
	is_array(items)
	count(items) <= count(fact.values)

	# OPA takes a millisecond to compare 1e-30000 with another.
	count({item | some item in items; is_string(item); fact.values[item]}) == count(items)
} if {
	known := _known
	count(input.facts) <= count(known) + _most
	rest := object.keys(input.facts) - {name |
		some name, value in input.facts
		known[name].values[value]
		known[name].type != "array"
	}
}

_faults contains [concat(".", ["facts", name]), message] if {
	some name in _doubtful
	message := _fact_fault(name)
}

_faults contains ["facts", _more_fields(most)] if {
	most := count(_known) + _most
	count(input.facts) > most
}

_fact_fault(name) := "is not a fact of this version of the document" if {
	not _known[name]
} else := _value_fault(_known[name].type, name) if {
	input.facts[name] != null
}

_value_fault("string", name) := _one_of(name)

_value_fault("boolean", name) := "must be true or false" if not is_boolean(input.facts[name])

_value_fault("integer", name) := _number_fault("must be a whole number", name) if not _is_whole(name)

_value_fault("number", name) := _number_fault("must be a number", name) if not _is_in_range(name)

_value_fault("date", name) := _not_a_date if not calendar.is_date(input.facts[name])

_value_fault("array", name) := "must be an array" if {
	not is_array(input.facts[name])
} else := _more_items(count(_known[name].values)) if {
	count(input.facts[name]) > count(_known[name].values)
} else := "must not repeat an item" if {
	_repeats(input.facts[name])
}

_repeats(items) if {
	texts := [item | some item in items; is_string(item)]
	count(texts) != count({text | some text in texts})
}

_faults contains [_item(concat(".", ["facts", name]), i), _one_of(name)] if {
	some name in _doubtful
	_known[name].type == "array"
	is_array(input.facts[name])
	count(input.facts[name]) <= count(_known[name].values)
	some i, item in input.facts[name]
	not _known[name].values[item]
}

_item(path, i) := concat("", [path, "[", format_int(i, 10), "]"])

_is_whole(name) if {
	_is_in_range(name)
	floor(input.facts[name]) == input.facts[name]
}

_is_whole(name) if _is_bound(name)

_is_in_range(name) if {
	is_number(input.facts[name])
	not _as_written(input.facts[name])
	input.facts[name] >= _known[name].minimum
	input.facts[name] <= _known[name].maximum
}

_is_in_range(name) if _is_bound(name)

_is_bound(name) if bounds[name]

# What is wrong with a number as it is written, undefined when nothing is. OPA compares numbers as they are written, most
# senders hold doubles, and the two agree on fifteen digits: of 0.099999999999999999 one sees less than 0.1 and the other
# 0.1. What is smaller than 1e-308 no double can hold. And a million zeros would keep OPA busy for minutes, as would 1e-30000
# in each request of a batch: the exponent is read before anything is compared.
_as_written(number) := "must be written in at most 100 characters" if {
	count(json.marshal(number)) > 100
} else := "must have an exponent of at most three digits" if {
	[_, exponent] := split(lower(json.marshal(number)), "e")
	count(trim_left(exponent, "+-0")) > 3
	trim(_digits(number), "0") != "" # 0e9999 is 0
} else := "must have at most 15 significant digits" if {
	count(trim(_digits(number), "0")) > 15
} else := "must be 0 or at least 1e-300" if {
	trim(_digits(number), "0") != ""
	abs(number) < 1e-300
}

_digits(number) := replace(trim_left(split(lower(json.marshal(number)), "e")[0], "-"), ".", "")

_number_fault(kind, name) := fault if {
	some number in _numbers(input.facts[name])
	fault := _as_written(number)
} else := concat(" ", [kind, _range(name), "or a bound that leaves one: less_than, at_most, at_least or more_than"]) if {
	is_object(input.facts[name])
} else := concat(" ", [kind, _range(name)])

_numbers(value) := [value] if is_number(value)

_numbers(value) := [number | some number in value; is_number(number)] if {
	is_object(value)
	count(value) == 1
}

_one_of(name) := concat(" ", ["must be one of", concat(", ", sort(object.keys(_known[name].values)))])

_range(name) := concat(" ", ["from", json.marshal(_known[name].minimum), "to", json.marshal(_known[name].maximum)])

_faults contains ["unavailable", _unavailable_fault] if is_array(input.unavailable)

_unavailable_fault := _more_items(count(_known)) if {
	count(input.unavailable) > count(_known)
} else := "must not repeat an item" if {
	_known # without a version nothing is looked at
	_repeats(input.unavailable)
}

_faults contains [_item("unavailable", i), message] if {
	is_array(input.unavailable)
	count(input.unavailable) <= count(_known)
	some i, name in input.unavailable
	message := _unavailable_item_fault(name)
}

_unavailable_item_fault(name) := "is not a fact of this version of the document" if {
	not _known[name]
} else := "is known from facts" if {
	input.facts[name] != null
}
