"""A document in every form that no document of this checkout has, for what reads documents; by its `version`."""

CRITERIA = """\
# METADATA
# scope: package
# title: Test
# description: Every form that no document of this checkout has.
# custom:
#   document: TEST-2.0
#   version: "{version}"
#   last_reviewed: "2020-01-01"
#   codes: {{hcpcs: {{}}, icd10: {{}}}}
#   history: []
package payer.criteria["TEST-2.0"]["{version}"]

import data.payer.criterion

# METADATA
# title: About
# description: The METADATA of this package.
about := rego.metadata.chain()[1].annotations

# METADATA
# title: Pathways
# description: The one pathway.
pathways := [pathway_p]

# METADATA
# title: Exclusions
# description: None.
exclusions := []

# METADATA
# title: Pathway
# description: Two of three.
# custom:
#   id: P
pathway_p := criterion.all_of(rego.metadata.rule(), [clause_two])

# METADATA
# title: Two
# description: Two or more of the three hold.
# custom:
#   id: two
clause_two := criterion.at_least_n_of(rego.metadata.rule(), 2, [_heavy, _free, clause_not])

# METADATA
# title: Heavy
# description: The weight is above 90 kg.
_heavy := criterion.more_than(rego.metadata.rule(), "weight", 90)

# METADATA
# title: Free
# description: The list names no drug of the two.
_free := criterion.holds_none(rego.metadata.rule(), "drugs", _two)

_two := {{"a", "b"}}

# METADATA
# title: Not
# description: The weight is not from 50 to 95 kg.
# custom:
#   id: not
clause_not := criterion.none_of(rego.metadata.rule(), [_middle])

# METADATA
# title: Middle
# description: The weight is from 50 to 95 kg.
_middle := criterion.from_to(rego.metadata.rule(), "weight", 50, 95)
"""

FACTS = """\
package payer.criteria["TEST-2.0"]["{version}"]

# METADATA
# title: Facts
# description: Of the test.
facts := [
	{{"name": "weight", "type": "number", "question": "Weight?", "minimum": 0, "maximum": 500, "unit": "kg"}},
	{{"name": "drugs", "type": "array", "question": "Which drugs?", "values": {{"a": "A", "b": "B", "c": "C"}}}},
]
"""

VECTORS = """\
test:
  - name: "test heavy"
    input: {document: TEST-2.0, date_of_service: "2021-06-01", facts: {weight: {more_than: 90}, drugs: [c]}}
    expect: {outcome: approved, pathways: [P], states: {two: met, not: unknown, two.weight: met, two.drugs: met}}
  - name: "test open"
    input: {document: TEST-2.0, date_of_service: "2020-06-01", facts: {weight: {at_most: 95}, drugs: [a]}}
    expect: {outcome: needs_information, states: {two: unknown, not.weight: unknown, two.drugs: not_met}}
"""
