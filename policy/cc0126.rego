# METADATA
# scope: package
# title: Blincyto (blinatumomab)
# description: When blinatumomab, which binds CD19 on B-cells and CD3 on T-cells, is medically necessary.
# schemas:
#   - input: schema.cc0126_2025_04_01
# custom:
#   document: CC-0126
#   version: "2025-04-01"
#   last_reviewed: "2025-02-21"
#   codes:
#     hcpcs:
#       J9039: Injection of blinatumomab, 1 microgram
#     icd10:
#       "C91.00": Acute lymphoblastic leukemia, remission not achieved
#       "C91.01": Acute lymphoblastic leukemia, in remission
#       "C91.02": Acute lymphoblastic leukemia, in relapse
#   history:
#     - date: "2025-02-21"
#       change: Combination with a TKI follows the updated NCCN 2A recommendation; HCPCS description and ICD-10-PCS codes revised.
#     - date: "2024-02-23"
#       change: Consolidation and relapsed or refractory disease simplified; KMT2A (11q23) rearrangement added for Interfant regimens.
#     - date: "2023-02-24"
#       change: Consolidation, maintenance, Interfant regimens and mini-hyper-CVD allowed; exclusions for CNS involvement and first line dropped.
#     - date: "2022-02-25"
#       change: Combination with TKIs allowed.
#     - date: "2021-02-19"
#       change: No change.
#     - date: "2020-02-21"
#       change: No change.
#     - date: "2019-05-17"
#       change: First review of the Blincyto criteria, with minor edits.
package payer.criteria["CC-0126"]["2025-04-01"]

import data.payer.kleene

# Every rule below reads `input.facts`, in which the caller has put every fact of cc0126_facts.rego: null when unknown,
# else a value of the right type. A leaf is a truth table from the value of its fact to a state: the values that meet
# it, null, and "not_met" for every other value; `object.get` takes an array for a path, so an array stands in one.
#
# A criterion with clauses below it works out its state in the body and names them again in the head: at the second
# naming OPA takes the finished clause, where at the first it would build it anew, and once more at each level above.

tyrosine_kinase_inhibitors := {"bosutinib", "dasatinib", "imatinib", "nilotinib", "ponatinib"}

pomp := {"prednisone", "vincristine", "methotrexate", "mercaptopurine"}

# METADATA
# title: What the document says of itself
# description: The METADATA of this package; the decision's policy and the catalogue come from it.
about := rego.metadata.chain()[1].annotations

# METADATA
# title: Criteria
# description: Any one pathway suffices, unless an exclusion is met.
criteria := {
	"pathways": [pathway_i_ii, pathway_iii_iv, pathway_v],
	"exclusions": [exclusion_i, exclusion_ii],
}

# METADATA
# title: Established use
# description: CD19-positive B-cell precursor ALL in one of the four accepted uses.
# custom:
#   id: I+II
pathway_i_ii := {
	"id": "I+II",
	"text": rego.metadata.rule().description,
	"state": state,
	"all_of": [clause_i, clause_ii],
} if {
	state := kleene.all_of({clause.state | some clause in [clause_i, clause_ii]})
}

# METADATA
# title: Diagnosis
# description: The patient has acute lymphoblastic leukemia (ALL) of B-cell precursors that carry CD19.
# custom:
#   id: I
#   parts:
#     disease: The disease is acute lymphoblastic (lymphocytic) leukemia.
#     lineage: It arises from B-cell precursors.
#     cd19_positive: Its cells are CD19-positive.
clause_i := {
	"id": "I",
	"text": clause.description,
	"state": kleene.all_of({disease, lineage, cd19_positive}),
	"all_of": [
		{"id": "I.disease", "text": part.disease, "state": disease, "fact": "disease", "value": fact.disease},
		{"id": "I.lineage", "text": part.lineage, "state": lineage, "fact": "lineage", "value": fact.lineage},
		{"id": "I.cd19_positive", "text": part.cd19_positive, "state": cd19_positive, "fact": "cd19_positive", "value": fact.cd19_positive},
	],
} if {
	clause := rego.metadata.rule()
	part := clause.custom.parts
	fact := input.facts
	disease := object.get({"all": "met", null: "unknown"}, fact.disease, "not_met")
	lineage := object.get({"b_cell_precursor": "met", null: "unknown"}, fact.lineage, "not_met")
	cd19_positive := object.get({true: "met", null: "unknown"}, fact.cd19_positive, "not_met")
}

# METADATA
# title: Use
# description: Blinatumomab is used in at least one of four ways.
# custom:
#   id: II
#   evidence: [Label, NCCN 1, NCCN 2A]
clause_ii := {
	"id": "II",
	"text": clause.description,
	"evidence": clause.custom.evidence,
	"state": state,
	"any_of": [clause_ii_a, clause_ii_b, clause_ii_c, clause_ii_d],
} if {
	clause := rego.metadata.rule()
	state := kleene.any_of({use.state | some use in [clause_ii_a, clause_ii_b, clause_ii_c, clause_ii_d]})
}

# METADATA
# title: Relapsed or refractory disease
# description: The disease has relapsed or is refractory.
# custom:
#   id: II.A
clause_ii_a := {
	"id": "II.A",
	"text": rego.metadata.rule().description,
	"state": object.get({"relapsed": "met", "refractory": "met", null: "unknown"}, status, "not_met"),
	"fact": "disease_status",
	"value": status,
} if {
	status := input.facts.disease_status
}

# METADATA
# title: Combination with a TKI
# description: It is combined with a tyrosine kinase inhibitor, namely bosutinib, dasatinib, imatinib, nilotinib or ponatinib.
# custom:
#   id: II.B
clause_ii_b := {
	"id": "II.B",
	"text": rego.metadata.rule().description,
	"state": _combined_with_tki,
	"fact": "combined_with",
	"value": input.facts.combined_with,
}

_combined_with_tki := "unknown" if {
	input.facts.combined_with == null
} else := "met" if {
	some drug in input.facts.combined_with
	drug in tyrosine_kinase_inhibitors
} else := "not_met"

# METADATA
# title: Minimal residual disease
# description: Minimal residual disease (MRD) of 0.1 % or more is left by a first or second complete response to induction.
# custom:
#   id: II.C
#   parts:
#     mrd_percent: MRD is 0.1 % or more.
#     complete_response: It follows the first or the second complete response to induction.
clause_ii_c := {
	"id": "II.C",
	"text": clause.description,
	"state": kleene.all_of({mrd_percent, complete_response}),
	"all_of": [
		{"id": "II.C.mrd_percent", "text": part.mrd_percent, "state": mrd_percent, "fact": "mrd_percent", "value": fact.mrd_percent},
		{"id": "II.C.complete_response", "text": part.complete_response, "state": complete_response, "fact": "complete_response", "value": fact.complete_response},
	],
} if {
	clause := rego.metadata.rule()
	part := clause.custom.parts
	fact := input.facts
	mrd_percent := _mrd_percent
	complete_response := object.get({1: "met", 2: "met", null: "unknown"}, fact.complete_response, "not_met")
}

_mrd_percent := "unknown" if {
	input.facts.mrd_percent == null
} else := "met" if {
	input.facts.mrd_percent >= 0.1
} else := "not_met"

# METADATA
# title: Consolidation
# description: It is given as consolidation.
# custom:
#   id: II.D
clause_ii_d := {
	"id": "II.D",
	"text": rego.metadata.rule().description,
	"state": object.get({"consolidation": "met", null: "unknown"}, phase, "not_met"),
	"fact": "treatment_phase",
	"value": phase,
} if {
	phase := input.facts.treatment_phase
}

# METADATA
# title: Maintenance
# description: CD19-positive B-cell precursor ALL in maintenance therapy that alternates with POMP.
# custom:
#   id: III+IV
pathway_iii_iv := {
	"id": "III+IV",
	"text": rego.metadata.rule().description,
	"state": state,
	"all_of": [clause_iii, clause_iv],
} if {
	state := kleene.all_of({clause.state | some clause in [clause_iii, clause_iv]})
}

# METADATA
# title: Diagnosis
# description: The patient has acute lymphoblastic leukemia (ALL) of B-cell precursors that carry CD19.
# custom:
#   id: III
#   evidence: [NCCN 2A]
#   parts:
#     disease: The disease is acute lymphoblastic (lymphocytic) leukemia.
#     lineage: It arises from B-cell precursors.
#     cd19_positive: Its cells are CD19-positive.
clause_iii := {
	"id": "III",
	"text": clause.description,
	"evidence": clause.custom.evidence,
	"state": kleene.all_of({disease, lineage, cd19_positive}),
	"all_of": [
		{"id": "III.disease", "text": part.disease, "state": disease, "fact": "disease", "value": fact.disease},
		{"id": "III.lineage", "text": part.lineage, "state": lineage, "fact": "lineage", "value": fact.lineage},
		{"id": "III.cd19_positive", "text": part.cd19_positive, "state": cd19_positive, "fact": "cd19_positive", "value": fact.cd19_positive},
	],
} if {
	clause := rego.metadata.rule()
	part := clause.custom.parts
	fact := input.facts
	disease := object.get({"all": "met", null: "unknown"}, fact.disease, "not_met")
	lineage := object.get({"b_cell_precursor": "met", null: "unknown"}, fact.lineage, "not_met")
	cd19_positive := object.get({true: "met", null: "unknown"}, fact.cd19_positive, "not_met")
}

# METADATA
# title: Maintenance alternating with POMP
# description: It is given alone as maintenance therapy, alternating with POMP (prednisone, vincristine, methotrexate, mercaptopurine).
# custom:
#   id: IV
#   parts:
#     treatment_phase: The treatment phase is maintenance.
#     combined_with: It is a single agent, combined with no other antileukemic drug.
#     alternating_with: It alternates with prednisone, vincristine, methotrexate and mercaptopurine, and nothing else.
clause_iv := {
	"id": "IV",
	"text": clause.description,
	"state": kleene.all_of({treatment_phase, combined_with, alternating_with}),
	"all_of": [
		{"id": "IV.treatment_phase", "text": part.treatment_phase, "state": treatment_phase, "fact": "treatment_phase", "value": fact.treatment_phase},
		{"id": "IV.combined_with", "text": part.combined_with, "state": combined_with, "fact": "combined_with", "value": fact.combined_with},
		{"id": "IV.alternating_with", "text": part.alternating_with, "state": alternating_with, "fact": "alternating_with", "value": fact.alternating_with},
	],
} if {
	clause := rego.metadata.rule()
	part := clause.custom.parts
	fact := input.facts
	treatment_phase := object.get({"maintenance": "met", null: "unknown"}, fact.treatment_phase, "not_met")
	combined_with := object.get({[]: "met", null: "unknown"}, [fact.combined_with], "not_met")
	alternating_with := _alternating_with_pomp
}

_alternating_with_pomp := "unknown" if {
	input.facts.alternating_with == null
} else := "met" if {
	{drug | some drug in input.facts.alternating_with} == pomp
} else := "not_met"

# METADATA
# title: Infant ALL
# description: Infant ALL with rearranged KMT2A, treated together with an Interfant regimen.
# custom:
#   id: V
pathway_v := {
	"id": "V",
	"text": rego.metadata.rule().description,
	"state": state,
	"all_of": [clause_v],
} if {
	state := clause_v.state
}

# METADATA
# title: Interfant regimen
# description: It is combined with an Interfant regimen for infant ALL whose KMT2A (11q23) is rearranged.
# custom:
#   id: V
#   evidence: [NCCN 2A]
#   parts:
#     disease: The disease is acute lymphoblastic (lymphocytic) leukemia.
#     infant: It is infant ALL.
#     kmt2a_rearranged: KMT2A (11q23) is rearranged.
#     combined_with: It is combined with an Interfant regimen.
clause_v := {
	"id": "V",
	"text": clause.description,
	"evidence": clause.custom.evidence,
	"state": kleene.all_of({disease, infant, kmt2a_rearranged, combined_with}),
	"all_of": [
		{"id": "V.disease", "text": part.disease, "state": disease, "fact": "disease", "value": fact.disease},
		{"id": "V.infant", "text": part.infant, "state": infant, "fact": "infant", "value": fact.infant},
		{"id": "V.kmt2a_rearranged", "text": part.kmt2a_rearranged, "state": kmt2a_rearranged, "fact": "kmt2a_rearranged", "value": fact.kmt2a_rearranged},
		{"id": "V.combined_with", "text": part.combined_with, "state": combined_with, "fact": "combined_with", "value": fact.combined_with},
	],
} if {
	clause := rego.metadata.rule()
	part := clause.custom.parts
	fact := input.facts
	disease := object.get({"all": "met", null: "unknown"}, fact.disease, "not_met")
	infant := object.get({true: "met", null: "unknown"}, fact.infant, "not_met")
	kmt2a_rearranged := object.get({true: "met", null: "unknown"}, fact.kmt2a_rearranged, "not_met")
	combined_with := _combined_with_interfant
}

_combined_with_interfant := "unknown" if {
	input.facts.combined_with == null
} else := "met" if {
	"interfant" in input.facts.combined_with
} else := "not_met"

# METADATA
# title: Diffuse large B-cell lymphoma
# description: The drug is requested for diffuse large B-cell lymphoma (DLBCL).
# custom:
#   id: exclusion.I
exclusion_i := {
	"id": "exclusion.I",
	"text": rego.metadata.rule().description,
	"state": object.get({"dlbcl": "met", null: "unknown"}, disease, "not_met"),
	"fact": "disease",
	"value": disease,
} if {
	disease := input.facts.disease
}

# METADATA
# title: Every other indication
# description: The request meets none of the pathways.
# custom:
#   id: exclusion.II
exclusion_ii := {
	"id": "exclusion.II",
	"text": rego.metadata.rule().description,
	"state": kleene.none_of({pathway_i_ii.state, pathway_iii_iv.state, pathway_v.state}),
}

# METADATA
# title: Diagnosis code at odds with the disease
# description: An ICD-10 code on the request names another disease than the facts do.
# custom:
#   advisory: icd10_conflicts
advisories contains {"code": note.custom.advisory, "text": note.description} if {
	note := rego.metadata.rule()
	some code in input.codes.icd10
	_conflicts(code, input.facts.disease)
}

_conflicts(code, "all") if startswith(code, "C83.3")

_conflicts(code, disease) if {
	startswith(code, "C91.0")
	disease in {"dlbcl", "other"}
}

# METADATA
# title: CD19-negative disease
# description: A pathway is met although the cells are known to be CD19-negative; the overview keeps the drug to CD19-positive B-cell ALL.
# custom:
#   advisory: cd19_negative
contradictions contains {"code": note.custom.advisory, "text": note.description} if {
	note := rego.metadata.rule()
	input.facts.cd19_positive == false
}

# METADATA
# title: Not a B-cell disease
# description: A pathway is met although the disease is known not to arise from B-cells; the overview keeps the drug to CD19-positive B-cell ALL.
# custom:
#   advisory: not_b_cell
contradictions contains {"code": note.custom.advisory, "text": note.description} if {
	note := rego.metadata.rule()
	input.facts.lineage in {"t_cell", "other"}
}
