# What a policy here may use: everything OPA has, but nothing that answers differently another time (the clock, the
# network, randomness, the environment). `opa check`, `test` and `build` with this refuse an impure policy, which is the
# proof that a decision can be replayed.
package tools.capabilities

pure := json.marshal(object.union(input, {
	"allow_net": [],
	"builtins": [builtin | some builtin in input.builtins; not builtin.nondeterministic],
}))
