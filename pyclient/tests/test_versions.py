"""Versions compared, decisions replayed. The policies that differ are made here by bending the one
shipped; tests/test_revision.py takes a real revision through all of it."""

from __future__ import annotations

import copy
import json
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from payer_policy import (
    CallRecord,
    Decision,
    EmbeddedPolicy,
    PolicyError,
    PolicyNotLoaded,
    PolicyUnreachable,
    ProtocolError,
)
from payer_policy.command import main
from payer_policy.runtime.answers import decision_of
from payer_policy.workshop.diff import Change, diff
from payer_policy.workshop.impact import Impact, Side, impact
from payer_policy.workshop.page import page
from payer_policy.workshop.replay import Replayed, replay

POLICY = Path(__file__).parents[2] / "policy"
VERSION = "2025-04-01"
RELAPSED = {"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": True}


def request(mrd: float, **facts: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "document": "CC-0126",
        "date_of_service": "2025-06-01",
        "facts": {**RELAPSED, "complete_response": 1, "mrd_percent": mrd, **facts},
    }


class Bent(EmbeddedPolicy):
    """As if the MRD limit were 0.01, and as if there were no decision on some requests."""

    def decide_many(self, requests: Iterable[Any], **options: Any) -> Iterator[Decision | PolicyError]:  # noqa: ANN401
        for item in requests:
            if item.get("request_id") == "down":
                yield PolicyUnreachable("down")
            elif item.get("request_id") == "broken":
                yield ProtocolError("broken")
            else:
                facts = {**item["facts"], "mrd_percent": min(10 * item["facts"]["mrd_percent"], 100)}
                yield from super().decide_many([{**item, "facts": facts}], **options)


@pytest.fixture(scope="module")
def bent() -> Iterator[Bent]:
    with Bent() as policy:
        yield policy


@pytest.fixture
def held(policy: EmbeddedPolicy) -> dict[str, Any]:
    version: dict[str, Any] = policy.catalogue()["documents"][0]["versions"][-1]
    return version


def test_a_version_does_not_differ_from_itself(held: dict[str, Any]) -> None:
    assert diff(held, copy.deepcopy(held)) == []


def test_what_changed_is_said_clause_by_clause(held: dict[str, Any]) -> None:
    new = copy.deepcopy(held)
    pathway, _, infant = new["criteria"]["pathways"]
    _, use = pathway["all_of"]
    a, _, c, d = use["any_of"]
    a["text"] = "The disease has relapsed."
    use["evidence"] = ["Label"]
    c["all_of"][0]["text"] = c["all_of"][0]["text"].replace("0.1", "0.01")
    use["any_of"] = [a, c, d, {"id": "II.E", "text": "Another use.", "fact": "use"}]
    fact = new["facts"][0]
    fact["values"].pop("dlbcl")
    new["facts"][1]["question"] = "Which lineage?"
    new["facts"].append({"name": "use", "type": "boolean", "question": "Is it used so?", "criteria": ["II.E"]})
    new["codes"]["hcpcs"] = {"J9999": "Another code"}
    changes = {(change.kind, change.subject): change for change in diff(held, new)}
    assert set(changes) == {
        ("evidence", "II"),
        ("regrouped", "II"),
        ("reworded", "II.A"),
        ("removed", "II.B"),
        ("threshold", "II.C.mrd_percent"),
        ("added", "II.E"),
        ("changed", "fact disease"),
        ("reworded", "fact lineage"),
        ("added", "fact use"),
        ("removed", "hcpcs J9039"),
        ("added", "hcpcs J9999"),
    }
    assert changes["threshold", "II.C.mrd_percent"] == Change(
        "threshold", "II.C.mrd_percent", "MRD is 0.1 % or more.", "MRD is 0.01 % or more."
    )
    assert changes["regrouped", "II"].new == "any of II.A, II.C, II.D, II.E, in I+II"
    assert changes["added", "II.E"].old is None
    assert infant["id"] == "V"


def test_impact_counts_flows_and_names_the_clauses(policy: EmbeddedPolicy, bent: Bent) -> None:
    requests = [request(0.05), request(0.5), request(0.001), request(0.02, disease="dlbcl")]
    requests.append({**request(0.05), "request_id": "broken"})
    result = impact("CC-0126", Side(policy), Side(bent), enumerate(requests, 1))
    assert result.flows == {
        ("needs_information", "approved"): 1,
        ("approved", "approved"): 1,
        ("needs_information", "needs_information"): 1,
        ("not_approved", "not_approved"): 1,
        ("needs_information", "ProtocolError"): 1,
    }
    assert [(turned.line, turned.old, turned.new) for turned in result.turned] == [
        (1, "needs_information", "approved"),
        (5, "needs_information", "ProtocolError"),
    ]
    assert result.turned[0].clauses == (("II.C.mrd_percent", "not_met", "met"),)
    assert result.clauses == {("II.C.mrd_percent", "not_met", "met"): 1}
    assert result.to_dict()["changed"] == 2
    drawn = page(result, "<old>", "new")
    assert "<strong>2 of 5 requests</strong> of CC-0126 change outcome, compared with &lt;old&gt;." in drawn
    assert drawn.count("<path ") == 5
    assert "<title>needs information to approved: 1</title>" in drawn
    assert not re.search(r"(src|href)=|<script", drawn)
    assert page(Impact("CC-0126"), "a", "b").count("<path ") == 0


def test_an_outage_is_no_impact(policy: EmbeddedPolicy, bent: Bent) -> None:
    down = {**request(0.05), "request_id": "down"}
    with pytest.raises(PolicyUnreachable):
        impact("CC-0126", Side(policy), Side(bent), [(1, down)])
    with pytest.raises(PolicyUnreachable):
        list(replay(bent, [record(policy, down)]))


def test_what_one_side_refuses_is_decided_without_it_in_batches() -> None:
    """Among what both take, in their order: over HTTP a call for each would take as long as all the rest."""
    calls: list[CallRecord] = []
    facts: list[dict[str, Any]] = [{"sleep_test": "portable"}, {"sleep_test": "hst_type_iv"}, {"age": 12}, {"age": "x"}]
    requests = [
        {"document": "NCD-240.4", "date_of_service": "2008-03-13", "facts": {"diagnosis": "osa", **facts[number % 4]}}
        for number in range(500)
    ]
    with EmbeddedPolicy(on_call=calls.append) as policy:
        old, new = Side(policy, "2005-04-04"), Side(policy, "2008-03-13")
        result = impact("NCD-240.4", old, new, enumerate(requests))
        asked = [call for call in calls if call.entry_point == "payer/decisions"]
        alone = [impact("NCD-240.4", old, new, [(0, request)]) for request in requests[:4]]
    assert result.left_out == {("new", "sleep_test", "value"): 125, ("old", "sleep_test", "value"): 125}
    flows = [flow for each in alone for flow in each.flows]
    assert result.flows == {flow: 125 * flows.count(flow) for flow in flows}
    assert flows[3] == ("invalid_request", "invalid_request")
    assert "invalid_request" not in {outcome for flow in flows[:3] for outcome in flow}
    assert len(asked) <= 2 * (500 / 50) + 2 * (500 / 200 + 1)


def record(policy: EmbeddedPolicy, item: dict[str, Any], line: int = 1) -> dict[str, Any]:
    [answer] = policy.decide_many([item])
    assert isinstance(answer, Decision)
    return {"line": line, "request": item, "decision": answer.to_dict()}


def test_replayed_under_the_version_named_and_compared_path_by_path(policy: EmbeddedPolicy, bent: Bent) -> None:
    same = record(policy, request(0.5), 1)
    changed = record(policy, request(0.05), 2)
    undecided = record(policy, {**request(0.5), "date_of_service": "2024-01-01"}, 3)
    broken = record(policy, {**request(0.5), "request_id": "broken"}, 4)
    assert [result.same for result in replay(policy, [same, changed, undecided, broken])] == [True] * 4
    first, second, third, fourth = replay(bent, [same, changed, undecided, broken])
    assert first.differences == ("criteria.pathways[0].all_of[1].any_of[2].all_of[0].value",)
    assert (second.line, second.outcome, second.outcome_now) == (2, "needs_information", "approved")
    assert "outcome" in second.differences
    assert "missing" in second.differences
    assert third.same
    assert fourth == Replayed(4, VERSION, "approved", None, error="ProtocolError: broken")
    earlier = copy.deepcopy(same)
    earlier["decision"]["criteria"]["pathways"][0]["all_of"][0]["all_of"][2]["value"] = 1
    [one] = replay(policy, [earlier])
    assert one.differences == ("criteria.pathways[0].all_of[0].all_of[2].value",)  # 1 is not true


def test_a_version_superseded_since_is_no_difference(policy: EmbeddedPolicy) -> None:
    class Superseded(EmbeddedPolicy):
        def decide_many(self, requests: Iterable[Any], **options: Any) -> Iterator[Decision | PolicyError]:  # noqa: ANN401
            for answer in super().decide_many(requests, **options):
                assert isinstance(answer, Decision)
                later = copy.deepcopy(answer.to_dict())
                later["policy"]["effective_to"] = "2026-03-31"
                yield decision_of(later)

    with Superseded() as superseded:
        [result] = replay(superseded, [record(policy, request(0.5))])
    assert result.same
    assert result.superseded


def record_lines() -> list[str]:
    good = {"line": 1, "request": {}, "decision": {"outcome": "approved", "policy": None, "missing": []}}
    spoilt: list[Any] = [7, None, {}, {**good["decision"], "outcome": 1}, {**good["decision"], "policy": 3}]  # type: ignore[dict-item]
    spoilt += [{**good["decision"], "policy": {"version": 1}}, {**good["decision"], "missing": [{}]}]  # type: ignore[dict-item]
    found = [json.dumps({**good, "decision": decision}) for decision in spoilt]
    return [*found, json.dumps({**good, "line": "1"}), "[]", "\xff", "", "[" * 100_000, json.dumps(good)[:-3]]


@pytest.mark.parametrize("text", record_lines())
def test_a_record_that_is_none_is_named_by_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: EmbeddedPolicy, text: str
) -> None:
    good = json.dumps(record(policy, request(0.5)))
    (tmp_path / "stored.jsonl").write_text(f"{good}\n{text}\n", encoding="latin-1")
    assert main(["replay", str(tmp_path / "stored.jsonl")]) == 2
    assert "stored.jsonl: line 2 is not as this version of payer-policy writes it" in capsys.readouterr().err


def test_a_stored_decision_that_lacks_a_field_differs(policy: EmbeddedPolicy) -> None:
    stored = record(policy, request(0.5))
    stored["decision"]["policy"] = {"version": VERSION}
    [result] = replay(policy, [stored])
    assert "policy.effective_to" in result.differences
    assert not result.superseded


def test_only_a_page_of_impact_is_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, html = tmp_path / "in.jsonl", tmp_path / "page.html"
    source.write_text(json.dumps(request(0.5)) + "\n", encoding="utf-8")
    command = ["impact", "CC-0126", VERSION, VERSION, str(source), "--html"]
    assert main([*command, str(html)]) == 0
    first = html.read_text(encoding="utf-8")
    assert "holds counts of decisions" in first
    assert html.stat().st_mode & 0o777 == 0o600
    for mode, then in ((0o640, 0o640), (0o644, 0o600)):  # a group that was let in stays
        html.chmod(mode)
        html.write_text(first + " " * 1000, encoding="utf-8")
        assert main([*command, str(html)]) == 0
        assert html.read_text(encoding="utf-8") == first
        assert html.stat().st_mode & 0o777 == then
    capsys.readouterr()
    own = tmp_path / "own.html"
    own.write_text("<!doctype html>\n<title>My own</title>\n", encoding="utf-8")
    os.link(source, tmp_path / "link")
    for file in (source, tmp_path / "link", own):
        before = file.read_bytes()
        assert main([*command, str(file)]) == 2
        assert f"{file.name} is no page of impact" in capsys.readouterr().err
        assert file.read_bytes() == before
    (tmp_path / "nowhere.html").symlink_to("new.html")
    for file in (tmp_path, tmp_path / "nowhere.html"):
        assert main([*command, str(file)]) == 2
    assert not (tmp_path / "new.html").exists()


def test_the_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: EmbeddedPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payer_policy.runtime.transport._back_off", lambda state: 0.0)
    source, stored = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(request(mrd)) + "\n" for mrd in (0.05, 0.5)), encoding="utf-8")
    assert main(["batch", str(source), str(stored)]) == 0
    capsys.readouterr()
    assert main(["replay", str(stored)]) == 0
    assert "2 decisions replayed, 0 differ" in capsys.readouterr().out
    lines = stored.read_text(encoding="utf-8").replace('"outcome":"approved"', '"outcome":"not_approved"', 1)
    stored.write_text(lines, encoding="utf-8")
    assert main(["replay", str(stored)]) == 1
    assert "not_approved" in capsys.readouterr().out
    assert main(["replay", str(stored), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["differences"] == ["outcome"]
    assert main(["replay", str(source)]) == 2
    assert main(["replay", str(tmp_path / "none")]) == 2
    capsys.readouterr()

    assert main(["diff", "CC-0126", VERSION, VERSION]) == 0
    assert main(["diff", "CC-0126", VERSION, VERSION, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["diff", "CC-0126", VERSION, "2030-01-01"]) == 2
    assert "held are 2025-04-01" in capsys.readouterr().err
    assert main(["diff", "CC-9", VERSION, VERSION]) == 2
    assert "no document held" in capsys.readouterr().err

    wasm = str(Path(__file__).parents[1] / "src" / "payer_policy" / "policy.wasm")
    assert main(["impact", "CC-0126", wasm, wasm, str(source), "--html", str(tmp_path / "page.html")]) == 0
    assert "0 of 2 requests of CC-0126 change outcome" in capsys.readouterr().out
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["impact", "CC-0126", wasm, "http://127.0.0.1:9", str(source)]) == 3
    for name in ("2030-01-01", str(tmp_path / "none.tar.gz")):
        assert main(["impact", "CC-0126", VERSION, name, str(source)]) == 2
        assert "is no file, and CC-0126 has no version" in capsys.readouterr().err
    assert main(["impact", "CC-0126", wasm, wasm, str(source), "--html", str(tmp_path / "none" / "page.html")]) == 2
    source.write_text("{\n", encoding="utf-8")
    assert main(["impact", "CC-0126", wasm, wasm, str(source), "--json"]) == 2
    assert "line 1: not JSON" in capsys.readouterr().err


@pytest.mark.parametrize("size", [0, 5, 100, 50_000])
def test_a_truncated_bundle_says_so(tmp_path: Path, size: int) -> None:
    wasm = Path(__file__).parents[1] / "src" / "payer_policy" / "policy.wasm"
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as archive:
        archive.add(wasm, "/policy.wasm")
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes((tmp_path / "whole.tar.gz").read_bytes()[:size])
    with pytest.raises(PolicyNotLoaded):
        EmbeddedPolicy(cut)
    cut.write_bytes(wasm.read_bytes()[: size * 4])
    with pytest.raises(PolicyNotLoaded):
        EmbeddedPolicy(cut)


def test_a_bundle_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.wasm").write_bytes(b"no")
    for file in ("x.wasm", "none"):
        with pytest.raises(PolicyNotLoaded):
            EmbeddedPolicy(tmp_path / file)
