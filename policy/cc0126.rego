# METADATA
# scope: package
# title: Blincyto (blinatumomab)
# description: When blinatumomab, which binds CD19 on B-cells and CD3 on T-cells, is medically necessary.
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

import data.payer.codes
import data.payer.criterion

# METADATA
# title: What the document says of itself
# description: The METADATA of this package; the decision's policy and the catalogue come from it.
about := rego.metadata.chain()[1].annotations

# METADATA
# title: Pathways
# description: Any one of them suffices, unless an exclusion is met.
pathways := [pathway_i_ii, pathway_iii_iv, pathway_v]

# METADATA
# title: Exclusions
# description: None of them may be met.
exclusions := [exclusion_i, exclusion_ii]

# METADATA
# title: Established use
# description: CD19-positive B-cell precursor ALL in one of the four accepted uses.
# custom:
#   id: I+II
pathway_i_ii := criterion.all_of(rego.metadata.rule(), [clause_i, clause_ii])

# METADATA
# title: Diagnosis
# description: The patient has acute lymphoblastic leukemia (ALL) of B-cell precursors that carry CD19.
# custom:
#   id: I
clause_i := criterion.all_of(rego.metadata.rule(), [_all, _b_cell_precursor, _cd19_positive])

# METADATA
# title: Acute lymphoblastic leukemia
# description: The disease is acute lymphoblastic (lymphocytic) leukemia.
_all := criterion.one_of(rego.metadata.rule(), "disease", {"all"})

# METADATA
# title: B-cell precursors
# description: It arises from B-cell precursors.
_b_cell_precursor := criterion.one_of(rego.metadata.rule(), "lineage", {"b_cell_precursor"})

# METADATA
# title: CD19-positive
# description: Its cells are CD19-positive.
_cd19_positive := criterion.is_true(rego.metadata.rule(), "cd19_positive")

# METADATA
# title: Use
# description: Blinatumomab is used in at least one of four ways.
# custom:
#   id: II
#   evidence: [Label, NCCN 1, NCCN 2A]
clause_ii := criterion.any_of(rego.metadata.rule(), [clause_ii_a, clause_ii_b, clause_ii_c, clause_ii_d])

# METADATA
# title: Relapsed or refractory disease
# description: The disease has relapsed or is refractory.
# custom:
#   id: II.A
clause_ii_a := criterion.one_of(rego.metadata.rule(), "disease_status", {"relapsed", "refractory"})

# METADATA
# title: Combination with a TKI
# description: It is combined with a tyrosine kinase inhibitor, namely bosutinib, dasatinib, imatinib, nilotinib or ponatinib.
# custom:
#   id: II.B
clause_ii_b := criterion.holds_any(rego.metadata.rule(), "combined_with", {"bosutinib", "dasatinib", "imatinib", "nilotinib", "ponatinib"})

# METADATA
# title: Minimal residual disease
# description: Minimal residual disease (MRD) of 0.1 % or more is left by a first or second complete response to induction.
# custom:
#   id: II.C
clause_ii_c := criterion.all_of(rego.metadata.rule(), [_residual_disease, _response])

# METADATA
# title: Residual disease
# description: MRD is 0.1 % or more.
_residual_disease := criterion.at_least(rego.metadata.rule(), "mrd_percent", 0.1)

# METADATA
# title: Response
# description: It follows the first or the second complete response to induction.
_response := criterion.one_of(rego.metadata.rule(), "complete_response", {1, 2})

# METADATA
# title: Consolidation
# description: It is given as consolidation.
# custom:
#   id: II.D
clause_ii_d := criterion.one_of(rego.metadata.rule(), "treatment_phase", {"consolidation"})

# METADATA
# title: Maintenance
# description: CD19-positive B-cell precursor ALL in maintenance therapy that alternates with POMP.
# custom:
#   id: III+IV
pathway_iii_iv := criterion.all_of(rego.metadata.rule(), [clause_iii, clause_iv])

# METADATA
# title: Diagnosis
# description: The patient has acute lymphoblastic leukemia (ALL) of B-cell precursors that carry CD19.
# custom:
#   id: III
#   evidence: [NCCN 2A]
clause_iii := criterion.all_of(rego.metadata.rule(), [_all, _b_cell_precursor, _cd19_positive])

# METADATA
# title: Maintenance alternating with POMP
# description: It is given alone as maintenance therapy, alternating with POMP (prednisone, vincristine, methotrexate, mercaptopurine).
# custom:
#   id: IV
clause_iv := criterion.all_of(rego.metadata.rule(), [_maintenance, _single_agent, _with_pomp])

# METADATA
# title: Maintenance phase
# description: The treatment phase is maintenance.
_maintenance := criterion.one_of(rego.metadata.rule(), "treatment_phase", {"maintenance"})

# METADATA
# title: Single agent
# description: It is a single agent, combined with no other antileukemic drug.
_single_agent := criterion.holds_exactly(rego.metadata.rule(), "combined_with", set())

# METADATA
# title: With POMP
# description: It alternates with prednisone, vincristine, methotrexate and mercaptopurine, and nothing else.
_with_pomp := criterion.holds_exactly(rego.metadata.rule(), "alternating_with", {"prednisone", "vincristine", "methotrexate", "mercaptopurine"})

# METADATA
# title: Infant ALL
# description: Infant ALL with rearranged KMT2A, treated together with an Interfant regimen.
# custom:
#   id: V
pathway_v := criterion.all_of(rego.metadata.rule(), [clause_v])

# METADATA
# title: Interfant regimen
# description: It is combined with an Interfant regimen for infant ALL whose KMT2A (11q23) is rearranged.
# custom:
#   id: V
#   evidence: [NCCN 2A]
clause_v := criterion.all_of(rego.metadata.rule(), [_all, _infant, _kmt2a_rearranged, _with_interfant])

# METADATA
# title: Infant
# description: It is infant ALL.
_infant := criterion.is_true(rego.metadata.rule(), "infant")

# METADATA
# title: KMT2A rearranged
# description: KMT2A (11q23) is rearranged.
_kmt2a_rearranged := criterion.is_true(rego.metadata.rule(), "kmt2a_rearranged")

# METADATA
# title: With Interfant
# description: It is combined with an Interfant regimen.
_with_interfant := criterion.holds_any(rego.metadata.rule(), "combined_with", {"interfant"})

# METADATA
# title: Diffuse large B-cell lymphoma
# description: The drug is requested for diffuse large B-cell lymphoma (DLBCL).
# custom:
#   id: exclusion.I
exclusion_i := criterion.one_of(rego.metadata.rule(), "disease", {"dlbcl"})

# METADATA
# title: Every other indication
# description: The request meets none of the pathways.
# custom:
#   id: exclusion.II
exclusion_ii := criterion.fallback(rego.metadata.rule(), pathways)

# METADATA
# title: Diagnosis code at odds with the disease
# description: An ICD-10 code on the request names another disease than the facts do.
# custom:
#   advisory: icd10_conflicts
advisories contains criterion.note(rego.metadata.rule()) if {
	some code in codes.icd10
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
contradictions contains criterion.note(rego.metadata.rule()) if input.facts.cd19_positive == false

# METADATA
# title: Not a B-cell disease
# description: A pathway is met although the disease is known not to arise from B-cells; the overview keeps the drug to CD19-positive B-cell ALL.
# custom:
#   advisory: not_b_cell
contradictions contains criterion.note(rego.metadata.rule()) if input.facts.lineage in {"t_cell", "other"}
