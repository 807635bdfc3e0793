package payer.fhir_test

import data.payer.fhir

# Else a code would be of two systems, by the order in which they are looked at.
test_a_url_is_of_one_system if {
	urls := [url | some of_one in fhir.systems; some url in of_one]
	count(urls) == count({url | some url in urls})
}

test_resources_with_where_their_code_stands if {
	{name: object.get(resource, "code", null) | some name, resource in fhir.resources} == {
		"Claim": null,
		"Condition": "code",
		"MedicationRequest": "medication.ofType(CodeableConcept)",
		"Observation": "code",
		"Patient": null,
		"Procedure": "code",
	}
}

# What is not looked at is no reason to leave a resource out.
test_what_must_hold_is_of_the_element_that_is_named if {
	tests := [stands | some resource in fhir.resources; some stands in resource.stands]
	count(tests) > 0
	every stands in tests {
		object.keys(stands) == {"element", "where", "otherwise"}
		contains(stands.where, stands.element)
	}
}

test_a_unit_is_one_of_itself if {
	count(fhir.units) > 0
	every unit in fhir.units { unit.of[unit.ucum] == 1 }
}

# So many of another unit are so many of the fact's.
_are := {
	"events per hour": {"1/h": [1, 1]},
	"g/dL": {"g/L": [10, 1], "g/mL": [1, 100], "mg/dL": [1000, 1]},
	"hours": {"d": [1, 24]},
	"percent": {
		"1": [1, 100], "L/L": [1, 100],
		"10*-2": [100, 100], "10*-3": [1000, 100], "10*-4": [10000, 100], "10*-5": [100000, 100], "10*-6": [1000000, 100],
	},
	"weeks": {},
	"years": {},
}

test_other_units if {
	{name: object.keys(object.remove(unit.of, [unit.ucum])) | some name, unit in fhir.units} == {name: object.keys(others) | some name, others in _are}
	every name, others in _are {
		every other, many in others { abs((many[0] * fhir.units[name].of[other]) - many[1]) < 1e-9 } # OPA: 1000 * 0.001 is not 1
	}
}
