# METADATA
# title: The version in force
# description: |
#   A document's versions are the packages below `payer.criteria[document]`. A version is named by its first day in
#   force and is in force until the next one begins, so adding a version is adding a file.
package payer.versions

import data.payer.calendar

# The names of a document's versions. Only `about` is read: reading a whole package here would decide every version.
# A document of the wrong type has none.
of(document) := {version | data.payer.criteria[document][version].about}

# METADATA
# title: The version in force on a day
# description: Of those held. Undefined when the first begins later.
in_force(held, date) := max({version |
	some version in held
	version <= date
})

# METADATA
# title: What the decision says of a version
# description: The decision's `policy`.
summary(document, version) := {
	"document": document,
	"title": about.title,
	"version": version,
	"effective_from": version,
	"effective_to": effective_to(document, version),
	"last_reviewed": about.custom.last_reviewed,
} if {
	about := data.payer.criteria[document][version].about
}

# METADATA
# title: The last day in force
# description: The day before the next version begins; null for the latest version.
effective_to(document, version) := null if {
	version == max(of(document))
} else := calendar.day_before(min({later | some later in of(document); later > version}))
