# What the policy says to every vector, and its catalogue, a line each: compared byte by byte between ways to evaluate
# them. A decision that is undefined is an empty list here, not a line that is missing.
package tools.replay

lines := concat("\n", array.concat(
	[concat("\t", ["catalogue", json.marshal([data.payer.catalogue])])],
	[concat("\t", [vector.name, json.marshal(decisions)]) |
		vector := data.vectors[_][_][_]
		decisions := [decision | decision := data.payer.decision with input as vector.input]
	],
))
