"""The command as a user types it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from payer_policy.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
OUTCOMES = {
    "01-relapsed.yaml": "approved",
    "02-with-tki.yaml": "approved",
    "03-residual-disease.yaml": "approved",
    "04-consolidation.yaml": "approved",
    "05-maintenance-pomp.yaml": "approved",
    "06-infant-interfant.yaml": "approved",
    "07-infant-cd19-negative.yaml": "approved",
    "08-mrd-just-below.yaml": "not_approved",
    "09-pomp-without-vincristine.yaml": "not_approved",
    "10-third-response.yaml": "not_approved",
    "11-dlbcl.yaml": "not_approved",
    "12-residual-disease-not-sent.yaml": "needs_information",
    "13-nothing-known.yaml": "needs_information",
    "14-wrong-type.yaml": "invalid_request",
    "15-before-the-first-version.yaml": "no_policy_in_force",
}


def test_outcome_of_every_example(capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(EXAMPLES.glob("*"))
    assert main(["decide", "--json", *map(str, files)]) == 2  # one of them is invalid
    decisions = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {file.name: decision["outcome"] for file, decision in zip(files, decisions, strict=True)} == OUTCOMES


def test_a_person_reads_outcome_tree_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decide", str(EXAMPLES / "01-relapsed.yaml")]) == 0
    out = capsys.readouterr().out
    for text in [
        "APPROVED",
        "✔ met  II.A",
        "✘ not met  exclusion.I",
        "settled by I, II",
        "version 2025-04-01",
        "NCCN 2A",
    ]:
        assert text in out
    assert "\x1b[" not in out  # no colour in a pipe


def test_a_person_reads_what_is_still_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decide", str(EXAMPLES / "12-residual-disease-not-sent.yaml")]) == 0
    out = capsys.readouterr().out
    assert "NEEDS INFORMATION" in out
    assert "1. How high is the minimal residual disease, in percent? mrd_percent, for II.C" in out


def test_a_person_reads_the_note_and_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    main(["decide", str(EXAMPLES / "07-infant-cd19-negative.yaml")])
    out = capsys.readouterr().out
    assert "next step: clinical review" in out
    assert "cd19_negative" in out


def test_standard_input_lists_and_several_documents(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = "{document: CC-0126, date_of_service: 2025-06-01, facts: {}}"  # YAML makes this a date
    monkeypatch.setattr("sys.stdin", io.StringIO(f"[{one}, {one}]\n---\n{one}\n"))
    assert main(["decide", "--json", "-"]) == 0
    decisions = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [decision["date_of_service"] for decision in decisions] == ["2025-06-01"] * 3


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("bad.json", '{\n"document": }', "line 2"),
        ("bad.yaml", "a: [\n", "line 2"),
        ("empty.yaml", "# nothing\n", "no request"),
        ("nan.json", '{"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"mrd_percent": NaN}}', "mrd"),
    ],
)
def test_an_unreadable_file_is_named_and_the_others_are_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["decide", "--json", str(tmp_path / name), str(EXAMPLES / "01-relapsed.yaml")]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["outcome"] == "approved"
    assert name in err
    assert says in err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decide", "nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_unreachable_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decide", "--server", "http://127.0.0.1:9", str(EXAMPLES / "01-relapsed.yaml")]) == 3
    assert "does not answer" in capsys.readouterr().err


def test_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "CC-0126"]) == 0
    out = capsys.readouterr().out
    for text in ["CC-0126", "version 2025-04-01", "II.C.mrd_percent", "number, 0 to 100 percent", "J9039"]:
        assert text in out
    assert main(["catalogue", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["documents"][0]["document"] == "CC-0126"
    assert main(["catalogue", "CC-9999"]) == 2
