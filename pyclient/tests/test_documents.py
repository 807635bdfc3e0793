"""Documents of other shapes: what a decision says of them, batches that mix them, versions whose facts differ."""

from __future__ import annotations

import copy
import json
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from payer_policy import (
    AskFirst,
    Criterion,
    Decision,
    EmbeddedPolicy,
    InvalidValue,
    NextStep,
    Outcome,
    ProtocolError,
    Request,
    ReviewAction,
    State,
    Terms,
    ncd110_21,
    ncd240_4,
)
from payer_policy.command import main
from payer_policy.letter import letter
from payer_policy.runtime.answers import decision_of
from payer_policy.runtime.documents import Documents
from payer_policy.workshop.batch import Batch
from payer_policy.workshop.diff import diff
from payer_policy.workshop.impact import NONE_HELD, Side, impact
from payer_policy.workshop.lines import BatchError, lines_of
from payer_policy.workshop.page import page

NCD = "NCD-240.4"
OLD, NEW = "2005-04-04", "2008-03-13"
INITIAL = ncd240_4.Facts(
    diagnosis="osa",
    age=54,
    period="initial",
    educated=True,
    clinical_evaluation=True,
    sleep_test="psg",
    ordered_by_treating_physician=True,
    supervised=True,
    events_per_hour=22,
    recorded_sleep_hours=6.5,
)


def known(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    plain: dict[str, Any] = Request(NCD, "2010-06-01", INITIAL).to_dict()["facts"]
    return {name: value for name, value in {**plain, **more}.items() if value is not None}


def shown(decision: Decision, tmp_path: Path, request: Request, capsys: pytest.CaptureFixture[str]) -> str:
    """What a person sees of it in a letter and on a terminal."""
    (tmp_path / "request.json").write_text(json.dumps(request.to_dict()), encoding="utf-8")
    assert main(["decide", str(tmp_path / "request.json")]) == 0
    return f"{letter(decision)}\n{capsys.readouterr().out}"


def test_an_approval_says_what_it_is_good_for(
    policy: EmbeddedPolicy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = Request(NCD, "2010-06-01", INITIAL)
    decision = policy.decide(request)
    [terms] = decision.terms
    assert (terms.pathway, terms.duration) == ("INITIAL", "P12W")
    assert decision.ask_first is None
    assert decision.review_action is ReviewAction.CERTIFIED_IN_TOTAL
    text = shown(decision, tmp_path, request, capsys)
    assert f"Terms of the approval:\n  - INITIAL: {terms.text[:20]}" in text
    assert f"terms INITIAL: {terms.text} (P12W)" in " ".join(text.split())
    assert repr(terms) == "Terms()"


def test_the_fewest_questions_come_first_and_the_rest_behind_them(
    policy: EmbeddedPolicy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = Request(NCD, "2010-06-01", known(educated=None, recorded_sleep_hours=None))
    decision = policy.decide(request)
    assert decision.ask_first == AskFirst("INITIAL", ("educated", "recorded_sleep_hours"))
    assert [item.fact for item in decision.missing] == ["educated", "recorded_sleep_hours", "recorded_events"]
    text = " ".join(shown(decision, tmp_path, request, capsys).split())
    for first, rest in (
        (
            "To send in first, since it can approve by pathway INITIAL: 1. Has",
            "To send in if that does not settle it: 3.",
        ),
        ("ask first, since it can approve by pathway INITIAL 1. Has", "still needed, if that does not settle it 3."),
    ):
        assert 0 < text.index(first) < text.index(rest)
    assert "not to be had" not in text
    for item in decision.missing:
        assert text.count(item.question) == 2  # once in the letter, once on the terminal


def test_what_cannot_be_had_is_named_and_not_asked_for(
    policy: EmbeddedPolicy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = known(educated=None, recorded_sleep_hours=None)
    request = Request(NCD, "2010-06-01", facts, unavailable=["recorded_sleep_hours"])
    decision = policy.decide(request)
    assert decision.ask_first == AskFirst("INITIAL", ("educated", "recorded_events"))
    assert decision.unavailable == ("recorded_sleep_hours",)
    text = shown(decision, tmp_path, request, capsys)
    assert "Open, but not to be had, so not asked for: recorded_sleep_hours.\n" in text
    assert "not to be had, so not asked for: recorded_sleep_hours\n" in text

    request = Request(NCD, "2010-06-01", known(educated=None), unavailable={"educated"})  # type: ignore[arg-type]
    decision = policy.decide(request)
    assert (decision.outcome, decision.next_step) == (Outcome.NEEDS_INFORMATION, NextStep.CLINICAL_REVIEW)
    assert (decision.missing, decision.ask_first, decision.unavailable) == ((), None, ("educated",))
    assert decision.review_action is ReviewAction.PENDED
    text = shown(decision, tmp_path, request, capsys)
    assert "A person reviews the request before anything is decided" in text
    assert "next step: clinical review" in text


def test_brief_decisions_have_no_criteria_and_all_else(policy: EmbeddedPolicy) -> None:
    requests = [Request(NCD, "2010-06-01", facts) for facts in (INITIAL, {}, {"age": 1}, {"agee": 1})]
    full, brief = ([*policy.decide_many(requests, detail=detail)] for detail in ("full", "brief"))
    for one, other in zip(full, brief, strict=True):
        assert isinstance(one, Decision)
        assert isinstance(other, Decision)
        assert other.to_dict() == {**one.to_dict(), "criteria": None}
        assert other.criteria is None
        assert other.unavailable == ()
        assert letter(other)
    with pytest.raises(InvalidValue, match="detail"):
        policy.decide_many([], detail="long")  # type: ignore[arg-type]
    dated = [*policy.decide_many([Request(NCD, "2010-06-01", {})], version=OLD, detail="brief")]
    assert [isinstance(each, Decision) and each.policy and each.policy.version for each in dated] == [OLD]


def test_criteria_are_null_only_where_they_may_be(policy: EmbeddedPolicy) -> None:
    received = policy.decide(Request(NCD, "2010-06-01", INITIAL)).to_dict()
    for criteria, brief in ((None, False), (received["criteria"], True)):
        with pytest.raises(ProtocolError, match="do not fit the outcome"):
            decision_of({**received, "criteria": criteria}, brief=brief)


def test_undecided_is_for_a_person(policy: EmbeddedPolicy) -> None:
    received = policy.decide(Request(NCD, "2010-06-01", {})).to_dict()
    empty: dict[str, Any] = {name: [] for name in ("pathways_met", "reasons", "missing", "advisories", "terms")}
    received = {**received, **empty, "outcome": "undecided", "next_step": "clinical_review", "criteria": None}
    received["ask_first"] = None
    decision = decision_of(received)
    assert decision.outcome is Outcome.UNDECIDED
    assert decision.policy
    assert decision.review_action is ReviewAction.PENDED
    assert "Outcome: Undecided\n" in letter(decision)
    with pytest.raises(ProtocolError):
        decision_of({**received, "policy": None})


def test_nodes_of_every_kind_at_any_depth(policy: EmbeddedPolicy) -> None:
    facts = ncd110_21.Facts(cause="chemotherapy", malignancy="lymphoma", rapid_rise=True, hemoglobin=9)
    decision = policy.decide(Request("NCD-110.21", "2010-06-01", facts))
    assert decision.criteria
    [node] = [node for node in decision.criteria.exclusions if node.id == "N.6"]
    limit = node.parts[1]
    assert (limit.joined, limit.state, limit.parts[0].state) == ("none of", "not_met", "met")
    assert f"{limit.id} [not met] {limit.text} (none of)" in " ".join(letter(decision).split())

    parts = limit.parts
    assert Criterion("1", "text", State.MET, of=(*parts, *parts), at_least=2).joined == "at least 2 of"
    assert Criterion("1", "text", State.MET, of=parts, at_least=1).parts == parts


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("ask_first", {"pathway": "A"}, r"decision\.ask_first\.facts is absent"),
        ("ask_first", {"pathway": 1, "facts": []}, r"decision\.ask_first\.pathway is not a string"),
        ("ask_first", [], r"decision\.ask_first is not an object"),
        ("terms", [{"pathway": "A", "text": "x"}], r"decision\.terms\[0\]\.duration is absent"),
        ("terms", None, r"decision\.terms is not an array"),
    ],
)
def test_what_breaks_the_contract_is_named(policy: EmbeddedPolicy, field: str, value: object, says: str) -> None:
    received = policy.decide(Request(NCD, "2010-06-01", INITIAL)).to_dict()
    with pytest.raises(ProtocolError, match=says):
        decision_of({**received, field: value})
    with pytest.raises(ProtocolError, match=f"{field} is absent"):
        decision_of({name: each for name, each in received.items() if name != field})


def test_a_document_without_exclusions_is_readable(policy: EmbeddedPolicy) -> None:
    received = copy.deepcopy(policy.decide(Request(NCD, "2010-06-01", INITIAL)).to_dict())
    received["criteria"]["exclusions"] = []
    decision = decision_of(received)
    assert decision.outcome is Outcome.APPROVED
    assert letter(decision)
    assert decision.terms == (Terms("INITIAL", received["terms"][0]["text"], "P12W"),)


MIXED = """\
document,date_of_service,disease,mrd_percent,age,ahi,events_per_hour,sleep_test,final_chemotherapy_date,unavailable
CC-0126,2025-06-01,all,<0.01,,,,,,lineage
NCD-240.4,2006-01-01,,,54,14.5,,psg,,
NCD-240.4,2010-01-01,,,54,,≥ 15,hst_type_iv,,educated;supervised
NCD-240.4,2010-01-01,,,54,14.5,,psg,,
NCD-110.21,2010-01-01,,,,,,,2009-12-30,
CC-9999,2010-01-01,,,54,<<1,,,,
"""


def test_a_csv_mixes_documents_and_versions(policy: EmbeddedPolicy, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(MIXED, encoding="utf-8")
    tally = Batch(policy, source, tmp_path / "out", tmp_path / "rejects").run()
    assert tally.rejected == 0
    records = [json.loads(line) for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines()]
    assert [record["request"]["facts"] for record in records] == [
        {"disease": "all", "mrd_percent": {"less_than": 0.01}},
        {"age": 54, "ahi": 14.5, "sleep_test": "psg"},
        {"age": 54, "events_per_hour": {"at_least": 15}, "sleep_test": "hst_type_iv"},
        {"age": 54, "ahi": 14.5, "sleep_test": "psg"},
        {"final_chemotherapy_date": "2009-12-30"},
        {"age": "54", "ahi": "<<1"},
    ]
    assert records[0]["request"]["unavailable"] == ["lineage"]
    assert records[2]["request"]["unavailable"] == ["educated", "supervised"]
    assert [[error["path"] for error in record["decision"]["errors"]] for record in records] == [
        [],
        [],
        [],
        ["facts.ahi"],  # a fact of the other version
        [],
        ["document"],
    ]
    versions = [record["decision"]["policy"] and record["decision"]["policy"]["version"] for record in records]
    assert versions == ["2025-04-01", OLD, NEW, None, "2007-07-30", None]
    assert tally.open_facts["CC-0126 cd19_positive"] == tally.open_facts["NCD-110.21 cause"] == 1


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("<0.01", {"less_than": 0.01}),
        ("<= 1e-2", {"at_most": 0.01}),
        ("≤0.01", {"at_most": 0.01}),
        (">=0.1", {"at_least": 0.1}),
        ("≥0.1", {"at_least": 0.1}),
        ("> 0.1", {"more_than": 0.1}),
        ("<", "<"),
        ("<>1", "<>1"),
        ("=1", "=1"),
        ("<low", "<low"),
    ],
)
def test_a_cell_may_hold_a_bound(policy: EmbeddedPolicy, tmp_path: Path, cell: str, value: object) -> None:
    source = tmp_path / "in.csv"
    text = f"document,date_of_service,mrd_percent,lineage\nCC-0126,2025-06-01,{cell},<t_cell\n"
    source.write_text(text, encoding="utf-8")
    Batch(policy, source, tmp_path / "out", tmp_path / "rejects").run()
    facts = json.loads((tmp_path / "out").read_text(encoding="utf-8"))["request"]["facts"]
    assert facts == {"mrd_percent": value, "lineage": "<t_cell"}


def test_of_facts_that_differ_that_of_the_version_in_force_counts() -> None:
    def version(day: str, kind: str) -> dict[str, Any]:
        return {"version": day, "facts": [{"name": "one", "type": kind}, {"name": kind, "type": kind}]}

    class Held(EmbeddedPolicy):
        def catalogue(self, document: str | None = None) -> dict[str, Any]:
            versions = [version("2001-01-01", "date"), version("2002-01-01", "boolean"), version("2003-01-01", "array")]
            return {"documents": [{"document": "A", "versions": versions}]}

    with Held() as held:
        documents = Documents(held)
    for day, kind in [("2001-05-01", "date"), ("2002-01-01", "boolean"), ("2002-12-31", "boolean"), ("2009", "array")]:
        facts = documents.facts_for("A", day)
        assert facts["one"]["type"] == kind
        assert set(facts) == {"one", "date", "boolean", "array"}
    assert documents.facts_for("A", "2000-01-01")["one"]["type"] == "array"  # none is in force: the latest
    assert documents.facts_for("B", "2001-05-01") == documents.facts_for(None, "2001-05-01") == {}
    assert set(documents.facts_for("A", {})) == {"one", "date", "boolean", "array"}


def test_diff_between_versions_of_other_shapes(policy: EmbeddedPolicy, capsys: pytest.CaptureFixture[str]) -> None:
    documents = Documents(policy)
    old, new = documents.version(NCD, OLD), documents.version(NCD, NEW)
    changes = {(change.kind, change.subject): change for change in diff(old, new)}
    assert changes["regrouped", "B.1"].new == "all of B.1.diagnosis, B.1.age, in INITIAL and in CONTINUED"
    assert ("added", "fact benefited") in changes
    assert ("removed", "fact ahi") in changes
    assert "psg|hst" not in (sorted_values := changes["changed", "fact sleep_test"].new or "")
    assert "values hst_type_ii|hst_type_iii|hst_type_iv|other|psg" in sorted_values
    bent = json.loads(json.dumps(new))
    bent["criteria"]["pathways"][0]["terms"]["duration"] = "P8W"
    [change] = diff(new, bent)
    assert (change.kind, change.subject) == ("terms", "pathway INITIAL")
    assert change.new
    assert change.new.endswith("P8W")
    limit = policy.catalogue()["documents"]
    [esa] = [entry["versions"][0] for entry in limit if entry["document"] == "NCD-110.21"]
    bent = json.loads(json.dumps(esa))
    node = bent["criteria"]["exclusions"][5]["all_of"][1]
    node["of"], node["at_least"] = node.pop("none_of"), 1
    [change] = diff(esa, bent)
    assert (change.old, change.new) == ("none of 1, in N.6", "at least 1 of 1, in N.6")
    assert main(["diff", NCD, OLD, NEW]) == 1
    assert "removed pathway B\n" in capsys.readouterr().out
    assert main(["diff", NCD, OLD, "2009-01-01"]) == 2
    assert f"{NCD} has no version 2009-01-01; held are {OLD}, {NEW}" in capsys.readouterr().err


def requests() -> list[Any]:
    """Of both versions, of another document, and of none."""
    old = {"diagnosis": "osa", "age": 54, "surgery_alternative": True, "ordered_by_treating_physician": True}
    old |= {"sleep_test": "psg", "recorded_sleep_hours": 3, "ahi": 20, "symptoms": [], "comorbidities": []}
    return [
        {"document": NCD, "date_of_service": "2006-01-01", "facts": old},
        {"document": NCD, "date_of_service": "2006-01-01", "facts": old | {"sleep_test": "portable"}},
        {"document": NCD, "date_of_service": "2010-01-01", "facts": known(), "unavailable": ["benefited", "ahi"]},
        {"document": NCD, "date_of_service": "2010-01-01", "facts": known(sleep_test="hst_type_ii")},
        {"document": NCD, "date_of_service": "2010-01-01", "facts": known(sleep_test="hst_type_9")},
        {"document": NCD, "date_of_service": "2010-01-01", "facts": known(agee=1)},
        {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": "all"}},
        {"document": "canary-7c1", "date_of_service": "2025-06-01", "facts": {}},
        ["no request"],
    ]


def test_impact_leaves_out_what_a_version_does_not_have_and_counts_it(policy: EmbeddedPolicy) -> None:
    result = impact(NCD, Side(policy, OLD), Side(policy, NEW), enumerate(requests(), 1))
    assert result.apart == {"CC-0126": 1, NONE_HELD: 2}
    assert result.total == 6
    # What no version has is an error under both.
    assert result.flows["invalid_request", "invalid_request"] == 2
    assert not [flow for flow in result.flows if "invalid_request" in flow and flow[0] != flow[1]]
    assert result.flows["approved", "needs_information"] == 1
    counts = result.left_out
    assert counts["new", "ahi", "fact"] == 3  # two facts, and one that is unavailable
    assert counts["old", "benefited", "fact"] == 1
    assert counts["new", "surgery_alternative", "fact"] == 2
    assert counts["old", "events_per_hour", "fact"] == 4
    assert counts["new", "sleep_test", "value"] == 1
    assert counts["old", "sleep_test", "value"] == 1
    assert {kind for _, _, kind in counts} == {"fact", "value"}
    report = result.to_dict()
    assert report["document"] == NCD
    assert report["apart"] == {"CC-0126": 1, NONE_HELD: 2}
    assert {"side": "new", "fact": "ahi", "kind": "fact", "requests": 3} in report["left_out"]
    drawn = page(result, OLD, NEW)
    assert "<h2>Counted apart, not decided</h2>" in drawn
    assert f'<tr><td>ahi<td>fact<td>{NEW}<td class="n">3</tr>' in drawn
    assert "canary" not in drawn + json.dumps(report)


def test_impact_without_a_version_goes_by_the_date_of_service(policy: EmbeddedPolicy) -> None:
    result = impact(NCD, Side(policy, OLD), Side(policy), enumerate(requests(), 1))
    assert ("new", "ahi", "fact") in result.left_out  # unavailable in a request of the other version
    assert ("new", "surgery_alternative", "fact") not in result.left_out
    # A value that neither side takes, since both decide under another version, is an error under both.
    result = impact(NCD, Side(policy), Side(policy), [(1, requests()[1] | {"date_of_service": "2010-01-01"})])
    assert list(result.flows) == [("invalid_request", "invalid_request")]
    assert {kind for _, _, kind in result.left_out} == {"fact"}
    early = {"document": NCD, "date_of_service": "2001-01-01", "facts": {"ahi": 3}}
    result = impact(NCD, Side(policy), Side(policy, NEW), [(1, early)])
    assert list(result.flows) == [("no_policy_in_force", "needs_information")]


def test_the_command_reports_what_it_left_out(
    policy: EmbeddedPolicy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(each) + "\n" for each in requests()), encoding="utf-8")
    assert main(["impact", NCD, OLD, NEW, str(source)]) == 1
    out = capsys.readouterr().out
    assert f"of 6 requests of {NCD} change outcome" in out
    assert "counted apart, not decided: no document held 2, CC-0126 1" in out
    assert [line.split()[1::2] for line in out.splitlines() if "surgery_alternative" in line and NEW in line] != []
    assert "canary" not in out
    assert main(["impact", "CC-9999", OLD, NEW, str(source)]) == 2
    held = ", ".join(entry["document"] for entry in policy.catalogue()["documents"])
    assert f"CC-9999 is no document held here; held are {held}" in capsys.readouterr().err


def test_a_catalogue_of_another_shape_is_named() -> None:
    class Odd(EmbeddedPolicy):
        def catalogue(self, document: str | None = None) -> dict[str, Any]:
            return {"documents": [{"document": "A"}]}

    with Odd() as odd, pytest.raises(ProtocolError, match="catalogue"):
        Documents(odd).version("A")


def test_only_what_is_needed_is_asked_for(
    policy: EmbeddedPolicy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str | None] = []
    catalogue = policy.catalogue

    def noted(document: str | None = None) -> dict[str, Any]:
        asked.append(document)
        return catalogue(document)

    monkeypatch.setattr(policy, "catalogue", noted)
    documents = Documents(policy)
    assert [documents.in_force("CC-0126", day) for day in ("2025-06-01", "2025-06-02")] == ["2025-04-01"] * 2
    assert documents.version(NCD, OLD)["version"] == OLD
    assert asked == ["CC-0126", NCD]
    assert not any(name in documents for name in ("CC-0127", "CC-0128"))
    assert asked[2:] == ["CC-0127", None]
    assert list(documents) == [entry["document"] for entry in catalogue()["documents"]]

    source, row, other = tmp_path / "in.csv", "CC-0126;2025-06-01;all\n", f"{NCD};2010-01-01;;54\n"
    tables: list[tuple[str, list[str | None]]] = [
        (f"document;date_of_service;disease\n{row}{row}", ["CC-0126"]),
        (f"sep=;\ndocument;date_of_service;disease;age\n{row}{other}", ["CC-0126", NCD]),
        (f"document;date_of_service;disease;age\n{row * 1000}{other}", ["CC-0126", None]),
        (f"document;date_of_service;agee\n{NCD};2010-01-01;54\n", [NCD, None]),
    ]
    for table, wanted in tables:
        for encoding in ("utf-8", "utf-16"):
            source.write_text(table, encoding=encoding)
            asked.clear()
            with ExitStack() as files, suppress(BatchError):
                assert len(list(lines_of(policy, source, files))) == table.count("\n") - 1 - table.count("sep=")
            assert sorted(map(str, asked)) == sorted(map(str, wanted))


@pytest.mark.parametrize("document", ["CC-0126", "NCD-240.4", "CC-0127", '"', "\U00020000"])
def test_one_document_is_listed_alone(document: str, policy: EmbeddedPolicy) -> None:
    whole = policy.catalogue()["documents"]
    assert policy.catalogue(document)["documents"] == [entry for entry in whole if entry["document"] == document]
    with pytest.raises(InvalidValue, match="document is not valid Unicode text"):
        policy.catalogue("\udc80")
    assert "\udc80" not in Documents(policy)
