# METADATA
# title: Strong Kleene logic
# description: |
#   Three-valued logic over the states met, not_met and unknown. The state of a compound criterion depends only on
#   which states its parts have, so each function takes the set of the parts' states and looks it up in a truth table:
#   `kleene.all_of({a, b, c})`. Every set of states that leaves the answer open is listed, and only those of the
#   dominant answer are left to the default.
package payer.kleene

# METADATA
# title: All of
# description: not_met if any part is, else unknown if any part is, else met.
all_of(states) := object.get(
	{
		{"met"}: "met",
		{"met", "unknown"}: "unknown",
		{"unknown"}: "unknown",
	},
	states, "not_met",
)

# METADATA
# title: Any of
# description: met if any part is, else unknown if any part is, else not_met.
any_of(states) := object.get(
	{
		set(): "not_met",
		{"not_met"}: "not_met",
		{"not_met", "unknown"}: "unknown",
		{"unknown"}: "unknown",
		{"met"}: "met",
		{"met", "not_met"}: "met",
		{"met", "unknown"}: "met",
		{"met", "not_met", "unknown"}: "met",
	},
	states, "unknown",
)

# METADATA
# title: None of
# description: The negation of any-of. met if every part is not_met, not_met if any part is met, else unknown.
none_of(states) := object.get(
	{
		{"not_met"}: "met",
		{"not_met", "unknown"}: "unknown",
		{"unknown"}: "unknown",
	},
	states, "not_met",
)
