"""Writes a page of docs/ for each version of a document held; with `--check` says whether they are stale.

Every sentence of a document is one rule, METADATA and one call of the vocabulary (policy/engine/criterion.rego), so
OPA's parser gives the tree, the words and the rule behind each; facts, codes, history and dates come from the
catalogue, vectors from policy_tests/, readings from docs/readings.md. When a criterion is met, not met or unknown is
read from its function and arguments, in another way than in the engine: what the policy decided on every vector must be
what this reading says, to the last node.
"""
