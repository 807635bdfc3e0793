# What OPA cannot parse: a file is held as its text, beside what OPA says of it, which of METADATA is little.
package tools.documents

import data.modules

_unread contains _at(file, object.get(fault, ["location", "row"], 1), [fault.message]) if {
	some [file, fault] in _refused
	not _is_of_yaml(fault)
}

_unread contains slip if some slip in _slips_of_yaml

_unread contains _at(file, object.get(fault, ["location", "row"], 1), ["in METADATA, which is YAML and wants what holds a colon or begins with a sign quoted:", fault.message]) if {
	some [file, fault] in _refused
	_is_of_yaml(fault)
	not file in {other | some [other, _, _] in _slips_of_yaml}
}

_slips_of_yaml contains _at(file, row, ["a tab where METADATA is indented: it is YAML, which takes blanks there"]) if {
	some [file, row, line] in _of_yaml
	regex.match(`^# *\t`, line)
}

_slips_of_yaml contains _at(file, row, [key, "is no text to YAML: write it quoted, as", json.marshal(key)]) if {
	some [file, row, line] in _of_yaml
	some [_, key] in regex.find_all_string_submatch_n(`^# +(?:- +)?([^"': ]+):(?: |$)`, line, 1)
	not is_string(yaml.unmarshal(key))
}

# By file and row: the comments of a file whose METADATA is no YAML, or none that OPA takes.
_of_yaml contains [file, i + 1, line] if {
	some [file, fault] in _refused
	_is_of_yaml(fault)
	some i, line in split(modules[file].text, "\n")
	startswith(line, "#")
}

_refused contains [file, fault] if {
	some file, module in modules
	some fault in module.refused.errors
}

_is_of_yaml(fault) if startswith(fault.message, "yaml:")

# OPA parses a key that is no text, and then cannot show it: that has no place.
_is_of_yaml(fault) if not fault.location
