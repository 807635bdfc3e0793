"""Mutation testing of Rego: change one thing in the policy, run its tests, and see whether they notice.

    python -m tools.mutate [POLICY [TESTS]] [--only GLOB…] [--list]

A mutant is *killed* when a test
fails or time runs out, *refused* when the gate on documents (tools/check) says what is wrong with it, it *does not
compile* when OPA's compiler does so, and otherwise it has *survived*: then a test is missing, or the change means
nothing and stands, with the reason, in the list of equivalents. Exit code 1: a survivor that is not on the list, or an
entry of the list that names no surviving mutant.

A document's files are changed beside the engine alone and tested with the tests and vectors of that document, so that
the cost grows with the documents and not with their square. The engine is tested with everything.
"""
