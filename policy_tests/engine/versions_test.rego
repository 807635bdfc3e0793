package payer.versions_test

import data.payer
import data.payer.versions

test_versions_of_a_document if versions.of("TEST-0001") == {"2025-01-01", "2026-03-01"}

test_versions_of_nothing if {
	every document in ["", "CC-9999", 126, null, [], {}] { versions.of(document) == set() }
}

test_in_force_from_its_first_day_until_the_next_begins if {
	[versions.in_force(versions.of("TEST-0001"), date) | some date in ["2025-01-01", "2026-02-28", "2026-03-01", "2199-12-31"]] == [
		"2025-01-01", "2025-01-01", "2026-03-01", "2026-03-01",
	]
}

test_nothing_in_force_before_the_first if not versions.in_force(versions.of("TEST-0001"), "2024-12-31")

test_summary_of_a_superseded_version if versions.summary("TEST-0001", "2025-01-01") == {
	"document": "TEST-0001",
	"title": "Fixture, no clinical document",
	"version": "2025-01-01",
	"effective_from": "2025-01-01",
	"effective_to": "2026-02-28",
	"last_reviewed": "2024-12-01",
}

test_the_latest_version_has_no_last_day if versions.effective_to("TEST-0001", "2026-03-01") == null

# Three in a row, which no document here has yet: the last day is that before the next version, not before the latest.
test_the_next_version_ends_one if {
	held := {version: {"about": {}} | some version in ["2025-01-01", "2025-07-01", "2026-03-01"]}
	versions.effective_to("D", "2025-01-01") == "2025-06-30" with data.payer.criteria as {"D": held}
	versions.effective_to("D", "2025-07-01") == "2026-02-28" with data.payer.criteria as {"D": held}
	versions.effective_to("D", "2026-03-01") == null with data.payer.criteria as {"D": held}
}

test_the_date_of_service_decides if {
	_decision("2026-02-28", {"fact_of_2025": true}).policy.version == "2025-01-01"
	_decision("2026-02-28", {"fact_of_2025": true}).outcome == "approved"
	_decision("2026-03-01", {"fact_of_2026": false}).policy.version == "2026-03-01"
	_decision("2026-03-01", {"fact_of_2026": false}).outcome == "not_approved"
	[error.path | some error in _decision("2026-02-28", {"fact_of_2026": true}).errors] == ["facts.fact_of_2026"]
	[error.path | some error in _decision("2026-03-01", {"fact_of_2025": true}).errors] == ["facts.fact_of_2025"]
}

# A pathway alone does not approve while an exclusion is open.
test_an_open_exclusion_holds_back_an_approval if {
	decision := _decision("2026-03-01", {"fact_of_2026": true})
	decision.outcome == "needs_information"
	decision.pathways_met == ["T"]
}

_decision(date, facts) := result if {
	result := payer.decision with input as {"document": "TEST-0001", "date_of_service": date, "facts": facts}
}
