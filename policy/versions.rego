# METADATA
# title: The version in force
# description: |
#   A document's versions are the packages below `payer.criteria[document]`. A version is named by its first day in
#   force and is in force until the next one begins, so adding a version is adding a file.
package payer.versions

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
} else := day_before(min({later | some later in of(document); later > version}))

# METADATA
# title: The day before a date
# description: For ISO dates of the proleptic Gregorian calendar. No clock and no time built-in; wasm has none.
day_before(date) := concat("-", [year, month, day]) if {
	[year, month, of_month] := split(date, "-")
	to_number(of_month) > 1
	day := _two_digits(to_number(of_month) - 1)
} else := concat("-", [year, month, day]) if {
	[year, of_year, _] := split(date, "-")
	to_number(of_year) > 1
	month := _two_digits(to_number(of_year) - 1)
	day := _last_day(to_number(year), month)
} else := concat("-", [format_int(to_number(year) - 1, 10), "12", "31"]) if {
	[year, _, _] := split(date, "-")
}

_two_digits(number) := substring(format_int(100 + number, 10), 1, 2)

_last_day(year, "02") := "29" if {
	_leap(year)
} else := "28"

_last_day(_, month) := "30" if month in {"04", "06", "09", "11"}

_last_day(_, month) := "31" if month in {"01", "03", "05", "07", "08", "10", "12"}

_leap(year) if {
	year % 4 == 0
	year % 100 != 0
}

_leap(year) if year % 400 == 0
