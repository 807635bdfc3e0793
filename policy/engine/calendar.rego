# METADATA
# title: Dates
# description: |
#   ISO dates of the proleptic Gregorian calendar, as text. No clock and no time built-in, since wasm has none; and no
#   regular expression, since wasm compiles one anew for every request.
package payer.calendar

# METADATA
# title: A date that exists
# description: YYYY-MM-DD, in the years 1900 to 2199.
is_date(text) if {
	[year, month, day] := split(text, "-")
	count(year) == 4
	count(day) == 2
	trim(concat("", [year, day]), "0123456789") == "" # only digits ever reach to_number, which takes 2e3 and fails on 2e
	year >= "1900"
	year <= "2199"
	day >= "01"
	day <= _last_day(to_number(year), month)
}

# METADATA
# title: The day before a date
# description: Of a date that exists.
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

_last_day(year, month) := "29" if {
	month == "02"
	_leap(year)
} else := {
	"01": "31", "02": "28", "03": "31", "04": "30", "05": "31", "06": "30",
	"07": "31", "08": "31", "09": "30", "10": "31", "11": "30", "12": "31",
}[month]

_leap(year) if {
	year % 4 == 0
	year % 100 != 0
}

_leap(year) if year % 400 == 0

# METADATA
# title: The number of a day
# description: Days since the first of March of the year 0, of a date that exists; the difference of two counts the days between.
day_number(date) := ((((365 * years) + floor(years / 4)) - floor(years / 100)) + floor(years / 400)) + (floor(((153 * months) + 2) / 5) + to_number(day)) if {
	[year, month, day] := split(date, "-")
	months := (to_number(month) + 9) % 12 # a year from March on ends with the leap day
	years := to_number(year) - floor(months / 10)
}
