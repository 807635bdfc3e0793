# METADATA
# title: Codes
# description: |
#   The codes of a request as they are compared, and what a document's lists say of them. Codes never decide. Case, dots and
#   white space are nothing, nor are modifiers behind the five characters of a procedure code (J9039-JZ).
package payer.codes

import data.payer.criterion
import data.payer.request

# METADATA
# title: Procedure code
# description: The HCPCS code without modifiers; undefined when the request has none.
hcpcs := _before_modifiers if {
	count(_before_modifiers) == 5
} else := split(_plain(input.codes.hcpcs), "-")[0]

_before_modifiers := split(strings.replace_n({".": "", " ": "-", "\u00a0": "-", ":": "-"}, trim_space(upper(input.codes.hcpcs))), "-")[0]

# METADATA
# title: Diagnosis codes
# description: The ICD-10 codes, each with its one dot where ICD-10 has it.
icd10 := [dotted |
	some code in input.codes.icd10
	plain := _plain(code)
	dotted := trim_suffix(concat(".", [substring(plain, 0, 3), substring(plain, 3, -1)]), ".")
]

_plain(code) := upper(strings.replace_n({".": "", " ": "", "\t": "", "\n": "", "\r": "", "\u00a0": ""}, code))

# METADATA
# title: Procedure code outside the document's list
# description: The HCPCS code on the request is not among those that the document lists; the list is informational.
# custom:
#   advisory: hcpcs_not_listed
advisories contains criterion.note(rego.metadata.rule()) if {
	not _listed.hcpcs[hcpcs]
}

# METADATA
# title: Diagnosis code outside the document's list
# description: An ICD-10 code on the request is not among those that the document lists; the list is informational.
# custom:
#   advisory: icd10_not_listed
advisories contains criterion.note(rego.metadata.rule()) if {
	some code in icd10
	not _listed.icd10[code]
}

_listed := data.payer.criteria[input.document][request.version].about.custom.codes
