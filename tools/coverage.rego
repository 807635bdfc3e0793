# The gate on `opa test --coverage`: every file of policy/ or deploy/opa/ by itself, since test files inflate the total.
# Input: the coverage report. Output: a line per file, and whether all of them are covered whole.
package tools.coverage

report := concat("\n", [line |
	some name, file in _files
	line := sprintf("%v %%  %s%s", [file.coverage, name, _missed(file)])
])

# Undefined, which `opa eval --fail` turns into an exit status, unless there are files and nothing is missed.
complete if {
	count(_files) > 0
	every file in _files { not file.not_covered }
}

_files := {name: file | some name, file in input.files; regex.match("^(policy|deploy/opa)/", name)}

_missed(file) := concat("", ["  not covered: ", concat(", ", [lines |
	some span in file.not_covered
	lines := sprintf("%d-%d", [span.start.row, span.end.row])
])]) if {
	file.not_covered
} else := ""
