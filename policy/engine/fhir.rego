# METADATA
# title: Reading FHIR R4
# description: |
#   What the records of all documents share, for programs that make requests of FHIR: it comes out in the catalogue, and no
#   decision reads it. The names that a record uses for code systems; the resources of which something is read, where
#   their code stands, and what must hold for one to say anything; and how many of the unit of a fact one UCUM unit is.
package payer.fhir

# METADATA
# title: Code systems
# description: By the name that a record gives it, the URLs under which a system is in use.
systems := {
	"clinical": ["http://terminology.hl7.org/CodeSystem/condition-clinical"],
	"cpt": ["http://www.ama-assn.org/go/cpt"],
	"hcpcs": [
		"https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
		"http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
		"urn:oid:2.16.840.1.113883.6.285",
	],
	"hgnc": ["http://www.genenames.org", "http://www.genenames.org/geneId"],
	"icd10cm": ["http://hl7.org/fhir/sid/icd-10-cm"],
	"loinc": ["http://loinc.org"],
	"rxnorm": ["http://www.nlm.nih.gov/research/umls/rxnorm"],
	"sct": ["http://snomed.info/sct"],
	"so": ["http://www.sequenceontology.org/", "http://www.sequenceontology.org", "http://sequenceontology.org"],
}

# METADATA
# title: Resources
# description: |
#   Of a type that is not here nothing is read: the history of a family, say. `stands` are tests, FHIRPath of the resource
#   and each of one element, that all must be true; `otherwise` says what it is when one is not.
resources := {
	"Claim": {"stands": [{
		"element": "status",
		"where": "status = 'active' or status = 'draft'",
		"otherwise": "is not active",
	}]},
	"Condition": {"code": "code", "stands": [
		{
			"element": "verificationStatus",
			"where": concat(" ", [
				"verificationStatus.empty() or (verificationStatus.coding.where(code = 'confirmed').exists() and",
				"verificationStatus.coding.where(code = 'refuted' or code = 'entered-in-error').empty())",
			]),
			"otherwise": "is not confirmed",
		},
		{
			"element": "clinicalStatus",
			"where": "clinicalStatus.coding.where(code = 'inactive' or code = 'resolved').empty()",
			"otherwise": "is no longer active",
		},
		{
			"element": "abatement",
			"where": "abatement.empty() or clinicalStatus.coding.where(code = 'remission').exists()",
			"otherwise": "is no longer active",
		},
	]},
	"MedicationRequest": {"code": "medication.ofType(CodeableConcept)", "stands": [
		{
			"element": "doNotPerform",
			"where": "doNotPerform.empty() or doNotPerform = false",
			"otherwise": "is not to be done",
		},
		{
			"element": "status",
			"where": "status = 'active' or status = 'completed'",
			"otherwise": "is not active",
		},
		{
			"element": "intent",
			"where": "intent = 'order' or intent = 'original-order' or intent = 'instance-order'",
			"otherwise": "is no order",
		},
	]},
	"Observation": {"code": "code", "stands": [
		{
			"element": "status",
			"where": "status = 'final' or status = 'amended' or status = 'corrected'",
			"otherwise": "is not final",
		},
		{
			"element": "focus",
			"where": "focus.empty()",
			"otherwise": "is about someone or something else",
		},
		{
			"element": "dataAbsentReason",
			"where": "dataAbsentReason.empty()",
			"otherwise": "says that it has no value",
		},
	]},
	"Patient": {"stands": []},
	"Procedure": {"code": "code", "stands": [{
		"element": "status",
		"where": "status = 'completed'",
		"otherwise": "is not done",
	}]},
}

# METADATA
# title: Units
# description: |
#   By the unit of a fact, its UCUM code, and how many of it one of another UCUM unit is, exact in decimals. An annotation
#   in braces changes no unit; a unit that is not here is none that is understood.
units := {
	"events per hour": {"ucum": "/h", "of": {"/h": 1, "1/h": 1}},
	"g/dL": {"ucum": "g/dL", "of": {"g/dL": 1, "g/L": 0.1, "g/mL": 100, "mg/dL": 0.001}},
	"hours": {"ucum": "h", "of": {"h": 1, "d": 24}},
	"percent": {"ucum": "%", "of": {
		"%": 1, "1": 100, "L/L": 100,
		"10*-2": 1, "10*-3": 0.1, "10*-4": 0.01, "10*-5": 0.001, "10*-6": 0.0001,
	}},
	"weeks": {"ucum": "wk", "of": {"wk": 1}},
	"years": {"ucum": "a", "of": {"a": 1}},
}
