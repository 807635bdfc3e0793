package payer.codes_test

import data.payer.codes

test_as_they_are_compared if {
	every spelled in [" j9039 -JZ", "J9039 JZ", "J9039:JZ:59", "J 9039 -JZ", "J\t90\n3\r9", "J9039\u00a0-JZ", "J9039-"] {
		codes.hcpcs == "J9039" with input as {"codes": {"hcpcs": spelled}}
	}
	every spelled in ["J90391", "J9039JZ", "J9040-JZ"] {
		codes.hcpcs != "J9039" with input as {"codes": {"hcpcs": spelled}}
	}
	codes.icd10 == ["C91.00", "C91.01", "C83", "Z"] with input as {"codes": {"icd10": ["c9100", " C.91. 01\t", "c83", "\u00a0Z"]}}
	not codes.hcpcs with input as {"codes": {"hcpcs": null}}
	codes.icd10 == [] with input as {"codes": {"icd10": null}}
	codes.icd10 == [] with input as {}
}

test_advisories[given] if {
	some given in [
		[{"hcpcs": "J9039", "icd10": ["C91.00"]}, []],
		[{"hcpcs": "J9039-JZ"}, []],
		[{"hcpcs": "J9040"}, ["hcpcs_not_listed"]],
		[{"icd10": ["C91.00", "C83.30"]}, ["icd10_not_listed"]],
		[{"hcpcs": "X", "icd10": ["X"]}, ["hcpcs_not_listed", "icd10_not_listed"]],
		[{}, []],
	]
	request := {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}, "codes": given[0]}
	[advisory.code | some advisory in codes.advisories] == given[1] with input as request
}
