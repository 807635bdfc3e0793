# A version as people read it, line by line: for the tests that lock its words and their order.
package payer.as_read

# Each pathway with its clauses, then the exclusions.
order(document, version) := array.concat(
	[concat(": ", [pathway.id, concat(", ", [clause.id | some clause in pathway.all_of])]) |
		some pathway in _roots(document, version).pathways
	],
	[exclusion.id | some exclusion in _roots(document, version).exclusions],
)

# The whole tree; what stands in two pathways stands once.
criteria(document, version) := _once([concat(" ", [node.id, node.text]) |
	roots := _roots(document, version)
	walk([roots.pathways, roots.exclusions], [_, node])
	node.id
])

# In the order in which missing facts are asked for, with what people are asked and may answer.
facts(document, version) := [concat(" ", array.concat([concat("", [fact.name, ", ", fact.type, ":"]), fact.question], array.concat(_note(fact), _answers(fact)))) |
	some fact in data.payer.criteria[document][version].facts
	object.keys(fact) - {"values", "minimum", "maximum", "unit", "synonyms", "note"} == {"name", "type", "question"}
]

# What a decision shows of criteria.
nodes(criteria_) := [object.get(criterion, "node", criterion) | some criterion in criteria_]

_roots(document, version) := {
	"pathways": nodes(pathways),
	"exclusions": nodes(exclusions),
} if {
	pathways := data.payer.criteria[document][version].pathways with input as {"facts": {}}
	exclusions := data.payer.criteria[document][version].exclusions with input as {"facts": {}}
}

_once(lines) := [line | some i, line in lines; not line in array.slice(lines, 0, i)]

_note(fact) := [note | note := fact.note]

_answers(fact) := [concat("; ", [concat(": ", [value, label]) | some value, label in fact.values])] if {
	fact.values
} else := [sprintf("%v to %v %s", [fact.minimum, fact.maximum, fact.unit])] if {
	fact.unit
} else := [sprintf("%v to %v", [fact.minimum, fact.maximum])] if {
	is_number(fact.minimum)
} else := []
