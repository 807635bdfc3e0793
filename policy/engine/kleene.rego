# METADATA
# title: Strong Kleene logic
# description: |
#   Three-valued logic over the states met, not_met and unknown. The state of a compound criterion depends only on which
#   states its parts have, so each table goes from the set of the parts' states to a state. It lists every set of states
#   but those of the dominant answer: `object.get(kleene.all_of, {a, b, c}, "not_met")`.
package payer.kleene

# METADATA
# title: All of
# description: not_met if any part is, else unknown if any part is, else met.
all_of := {
	{"met"}: "met",
	{"met", "unknown"}: "unknown",
	{"unknown"}: "unknown",
}

# METADATA
# title: Any of
# description: met if any part is, else unknown if any part is, else not_met.
any_of := {
	{"met"}: "met",
	{"met", "not_met"}: "met",
	{"met", "unknown"}: "met",
	{"met", "not_met", "unknown"}: "met",
	{"not_met", "unknown"}: "unknown",
	{"unknown"}: "unknown",
}

# METADATA
# title: None of
# description: The negation of any-of. met if every part is not_met, not_met if any part is met, else unknown.
none_of := {
	{"not_met"}: "met",
	{"not_met", "unknown"}: "unknown",
	{"unknown"}: "unknown",
	set(): "met",
}

# METADATA
# title: At least so many of
# description: met when so many of the parts' states are, not_met when fewer are met or unknown, else unknown.
at_least(least, states) := {
	[true, true]: "met",
	[false, true]: "unknown",
	[false, false]: "not_met",
}[[met >= least, (count(states) - not_met) >= least]] if {
	met := count([state | some state in states; state == "met"])
	not_met := count([state | some state in states; state == "not_met"])
}
