"""The command as a user types it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from payer_policy.command import main

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
    files = sorted(EXAMPLES.glob("*.yaml"))
    assert main(["decide", "--json", *map(str, files)]) == 2  # one of them is invalid
    decisions = [json.loads(line)["decision"] for line in capsys.readouterr().out.splitlines()]
    assert {file.name: decision["outcome"] for file, decision in zip(files, decisions, strict=True)} == OUTCOMES


def test_what_decide_prints_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(EXAMPLES.rglob("*.yaml"))  # those of every document
    main(["decide", "--json", *map(str, files)])
    stored = tmp_path / "stored.jsonl"
    stored.write_text(capsys.readouterr().out, encoding="utf-8")
    records = [json.loads(line) for line in stored.read_text(encoding="utf-8").splitlines()]
    assert [record["line"] for record in records] == list(range(1, len(files) + 1))
    assert all(set(record) == {"decision", "line", "provenance", "request"} for record in records)
    assert main(["replay", str(stored)]) == 0
    assert f"{len(files)} decisions replayed, 0 differ" in capsys.readouterr().out


def test_a_stored_decision_is_shown_as_it_was_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(EXAMPLES.rglob("*.yaml"))
    main(["decide", *map(str, files)])
    shown = capsys.readouterr().out.replace("\n\n", "\n")
    main(["decide", "--json", *map(str, files)])
    stored = tmp_path / "stored.jsonl"
    stored.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["show", str(stored)]) == 0
    printed = capsys.readouterr().out
    revisions = json.loads(stored.read_text(encoding="utf-8").splitlines()[0])["provenance"]["revisions"]
    [(bundle, revision)] = revisions.items()
    decided_by = f"decided by {bundle} {revision}, client {version('payer-policy-client')}\n"
    assert printed.count(decided_by) == len(files)

    def body(text: str) -> list[str]:  # without the line that names the file
        return [line for line in text.replace(decided_by, "").splitlines() if line and line[0] != "╭"]

    assert body(printed) == body(shown)

    first, second, *_ = stored.read_text(encoding="utf-8").splitlines()
    changed = json.loads(second) | {"request": json.loads(first)["request"]}
    source = json.dumps({**json.loads(first), "provenance": {"opa_version": "1.2", "decision_id": "d-1"}})
    raw = f"{source}\n{json.dumps(changed)}\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw.encode())))
    assert main(["show", "-"]) == 2
    printed, said = capsys.readouterr()
    assert "-, input line 1" in printed
    assert "decided by OPA 1.2, decision id d-1\n" in printed
    assert said == "payer-policy: -, input line 2: decision.request_id is that of another request\n"


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
    one = "{document: CC-0126, date_of_service: 2025-06-01, facts: {infant: False}}"  # the day is text, no date
    json_ = '{"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}}'
    for text, count in ((f"[{one}, {one}]\n---\n{one}\n", 3), (f"{json_}\n---\n{json_}\n", 2)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main(["decide", "--json", "-"]) == 0
        decisions = [json.loads(line)["decision"] for line in capsys.readouterr().out.splitlines()]
        assert [decision["date_of_service"] for decision in decisions] == ["2025-06-01"] * count


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("bad.json", '{\n"document": }', "line 2"),
        ("bad.yaml", "a: [\n", "line 2"),
        ("empty.yaml", "# nothing\n", "no request"),
        ("empty.json", "[]", "no request"),
        ("long.json", '{"document": ' + "1" * 5000 + "}", "too long"),
        ("deep.json", "[" * 100_000, "too deep"),
        ("deep.yaml", "[" * 100_000 + "]", "too deep"),
        ("circle.yaml", "&a [*a]", "line 1: an alias"),
        ("merge.yaml", "- &a {x: 1}\n- <<: *a\n", "line 2: an alias"),
        ("tag.yaml", "a: !!timestamp 2025-02-30", "line 1: a tag"),
        ("bool.yaml", "a: 1\nb: !!bool maybe", "line 2: a tag"),
        ("python.yaml", "a: !!python/object:os.system {}", "line 1: a tag"),
        ("many.jsonl", "{}\n{}\n", "is JSON lines, which payer-policy batch decides"),
        ("many.json", '{"document": "CC-0126"}\r\n\r\n{\n', "is JSON lines, which payer-policy batch decides"),
        ("many.txt", "\ufeff\n{}\n{}", "is JSON lines, which payer-policy batch decides"),
        ("half.jsonl", '{"document": \n{}\n', "holds no JSON; payer-policy batch decides JSON lines and CSV"),
        ("text.json", "{}\nand", "line 2: not JSON"),
        (
            "sequence.json",
            "\x1e{}\n\x1e{}\n",
            "record separators (RFC 7464): tr -d '\\036' makes JSON lines, which",
        ),
        ("sequence.txt", "\x1e{}\n", "record separators (RFC 7464)"),
        ("many.CSV", "document,date_of_service\nCC-0126,2025-06-01\n", "payer-policy batch decides JSON lines and CSV"),
        ("comma.yaml", "document: CC-0126\nfacts: {mrd_percent: 0,5}", "line 2: a name is not text; in braces a comma"),
        ("half.json", '{"document": "\\ud800"}', "not valid Unicode"),
        ("nan.json", '{"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"mrd_percent": NaN}}', "mrd"),
    ],
)
def test_an_unreadable_file_is_named_and_the_others_are_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, says: str
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["decide", "--json", str(tmp_path / name), str(EXAMPLES / "01-relapsed.yaml")]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["decision"]["outcome"] == "approved"
    assert name in err
    assert says in err


def test_a_request_that_is_no_json_spoils_only_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = '{"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}}'
    (tmp_path / "three.json").write_text(f'[{good}, {{"facts": {{"mrd_percent": NaN}}}}, {good}]')
    assert main(["decide", "--json", str(tmp_path / "three.json")]) == 2
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert "request 2: facts.mrd_percent" in err


def test_an_impossible_date_in_yaml_is_for_the_policy_to_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.yaml").write_text("document: CC-0126\ndate_of_service: 2025-02-30\nfacts: {}\n")
    assert main(["decide", str(tmp_path / "r.yaml")]) == 2
    out = capsys.readouterr().out
    assert "date_of_service" in out
    assert "must be a real calendar date" in out


def test_a_byte_order_mark_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '{"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}}'
    (tmp_path / "r.json").write_text(text, encoding="utf-8-sig")
    assert main(["decide", str(tmp_path / "r.json")]) == 0
    assert "NEEDS INFORMATION" in capsys.readouterr().out


def test_text_of_a_caller_is_neither_markup_nor_control(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '{"document": "CC-0126", "date_of_service": "2025-06-01", "request_id": "\\u001b[2J[red]x", "facts": {}}'
    (tmp_path / "r.json").write_text(text)
    main(["decide", str(tmp_path / "r.json")])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[2J[red]x" in out


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_has_seen_enough_gets_no_traceback(options: list[str]) -> None:
    many = [str(EXAMPLES / "01-relapsed.yaml")] * 50
    command = [sys.executable, "-m", "payer_policy", "decide", *options, *many]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


PIPED = [sys.executable, "-m", "payer_policy"]


@pytest.mark.parametrize("command", [["decide", str(EXAMPLES / "01-relapsed.yaml")], ["catalogue"]])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_and_a_gone_reader_are_failures_and_no_difference(command: list[str], options: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*PIPED, *command, *options], stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (3, b"payer-policy: No space left on device\n")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*PIPED, *command, *options], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (3, b"")


def test_streams_that_the_caller_closed_are_no_traceback(tmp_path: Path) -> None:
    shell = " ".join(PIPED)
    decide = f"decide {EXAMPLES / '01-relapsed.yaml'}"
    for command, status in ((f"{decide} >&-", 0), ("decide - <&-", 2), ("decide none 2>/dev/full", 2)):
        done = subprocess.run(["sh", "-c", f"{shell} {command}"], capture_output=True, text=True, cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (status, False)


def test_an_output_that_cannot_be_written_to_the_end_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}}\n' * 20, encoding="utf-8")
    versions = ["2025-04-01", "2025-04-01"]
    assert main(["impact", "CC-0126", *versions, str(source), "--html", "/dev/full"]) == 3
    assert "No space left on device" in capsys.readouterr().err
    limited = ["bash", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$@"', "bash", *PIPED]
    batch = ["batch", str(source), str(tmp_path / "out")]
    done = subprocess.run([*limited, *batch], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "payer-policy: File too large\n")
    assert main([*batch, "--resume"]) == 0
    assert len((tmp_path / "out").read_text(encoding="utf-8").splitlines()) == 20


ESCAPE = "\x1b]0;x\x07\x9b31m\u202e"


def test_names_of_files_and_fields_reach_no_terminal_raw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = tmp_path / f"{ESCAPE}.jsonl"
    request = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {ESCAPE: ESCAPE}, "codes": {ESCAPE: 1}}
    named.write_text(json.dumps(request) + "\n" + json.dumps({"facts": {ESCAPE: "\ud800"}}) + "\n", encoding="utf-8")
    page = tmp_path / ESCAPE / "page"
    for command in (
        ["decide", str(named)],
        ["decide", str(named.with_name(f"{ESCAPE}.json"))],
        ["batch", str(named), str(tmp_path / f"{ESCAPE}.out")],
        ["batch", str(named), str(tmp_path / f"{ESCAPE}.out")],
        ["replay", str(named)],
        ["show", str(named)],
        ["catalogue", ESCAPE],
        ["diff", ESCAPE, ESCAPE, ESCAPE],
        ["impact", ESCAPE, ESCAPE, ESCAPE, str(named)],
        ["impact", "CC-0126", "2025-04-01", "2025-04-01", str(named), "--html", str(page)],
    ):
        assert main(command) != 0
    for command in (["decide", f"--{ESCAPE}", "x"], ["catalogue", "a", ESCAPE], ["catalogue", "--server", ESCAPE]):
        with pytest.raises(SystemExit):
            main(command)
    for text in capsys.readouterr():
        assert "\ufffd]0;x\ufffd" in text
        assert not [character for character in text if not character.isprintable() and character != "\n"]


def test_what_edits_a_checkout_wants_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["revise", "CC-0126", "--effective", "2026-04-01"]) == 2
    assert "no tools/revise.py here: payer-policy revise edits a checkout of the policy" in capsys.readouterr().err


def test_a_terminal_without_the_marks_shows_the_words() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "payer_policy", "decide", str(EXAMPLES / "01-relapsed.yaml")],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "? met  II.A" in done.stdout


@pytest.mark.parametrize(
    ("absent", "arguments", "says"),
    [
        ("rich", ["catalogue"], "payer-policy-client[embedded,cli]"),
        ("yaml", ["catalogue"], "payer-policy-client[embedded,cli]"),
        ("wasmtime", ["catalogue"], "payer-policy-client[embedded]"),
    ],
)
def test_a_missing_extra_is_named(absent: str, arguments: list[str], says: str) -> None:
    # In a process of its own, in which the module cannot be imported.
    code = f"import sys; sys.modules[{absent!r}] = None; from payer_policy.command import main"
    code += f"; sys.exit(main({arguments}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 3
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "text"), [("a.json", '{"facts": {"x": 1, "x": 2}}'), ("a.yaml", "facts:\n  x: 1\n  x: 2\n")]
)
def test_a_name_that_stands_twice_is_refused(
    name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["decide", str(tmp_path / name)]) == 2
    assert "a name stands twice" in capsys.readouterr().err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decide", "nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_an_empty_token_is_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PAYER_POLICY_TOKEN", "")
    assert main(["catalogue", "--server", "http://127.0.0.1:9"]) == 3
    assert "does not answer" in capsys.readouterr().err


def test_unreachable_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decide", "--server", "http://127.0.0.1:9", str(EXAMPLES / "01-relapsed.yaml")]) == 3
    assert "does not answer" in capsys.readouterr().err


def test_a_server_is_a_url(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["catalogue", "--server", "127.0.0.1:8181"])
    assert capsys.readouterr().err.endswith("argument --server: begin it with http:// or https://\n")


def test_the_highest_status_wins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.json").write_text("{")
    files = [str(tmp_path / "bad.json"), str(EXAMPLES / "01-relapsed.yaml"), str(tmp_path / "bad.json")]
    assert main(["decide", "--server", "http://127.0.0.1:9", *files]) == 3
    assert capsys.readouterr().err.count("bad.json: not JSON") == 2


def test_every_error_of_a_request_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decide", str(EXAMPLES / "14-wrong-type.yaml")]) == 2
    out = capsys.readouterr().out
    for text in ["INVALID REQUEST", "facts.cd19_postive", "facts.mrd_percent", "must be a number from 0 to 100"]:
        assert text in out


@pytest.mark.parametrize(("environment", "coloured"), [({"FORCE_COLOR": "1"}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_follows_the_environment(
    environment: dict[str, str], coloured: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main(["decide", str(EXAMPLES / "01-relapsed.yaml")])
    assert ("\x1b[" in capsys.readouterr().out) is coloured


@pytest.mark.parametrize(("option", "says"), [("--help", "examples:"), ("--version", "payer-policy 0.1.0")])
def test_help_and_version(option: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([option])
    assert ended.value.code == 0
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("day", "old", "new"),
    [
        (None, "from 2005-04-04 to 2008-03-12", "from 2008-03-13 on"),
        ("2005-04-03", "to come on 2005-04-03 (from", "to come on 2005-04-03 (from"),
        ("2008-03-12", "in force on 2008-03-12 (from 2005-04-04 to 2008-03-12)", "to come on 2008-03-12 (from"),
        ("2008-03-13", "superseded on 2008-03-13 (from", "in force on 2008-03-13 (from 2008-03-13 on)"),
    ],
)
def test_the_catalogue_says_what_a_version_is_on_a_day(
    day: str | None, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["catalogue", "NCD-240.4", *(["--on", day] if day else [])]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"version 2005-04-04, {old}" in out
    assert f"version 2008-03-13, {new}" in out
    assert main(["catalogue", "NCD-240.4", "--json", *(["--on", day] if day else [])]) == 0
    [document] = json.loads(capsys.readouterr().out)["documents"]
    for held in document["versions"]:
        says = old if held["version"] == "2005-04-04" else new
        state = says.partition(" on ")[0].replace(" ", "_")
        assert held.get("on") == (day and {"date": day, "standing": state})


@pytest.mark.parametrize("text", ["2026-13-01", "20260401", "2026-W14-3", "today", ""])
def test_a_day_is_written_one_way(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["catalogue", "--on", text])
    assert capsys.readouterr().err.endswith("argument --on: write a day of the calendar as 2026-04-01\n")


def test_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "CC-0126"]) == 0
    out = capsys.readouterr().out
    for text in ["CC-0126", "version 2025-04-01", "II.C.mrd_percent", "number, 0 to 100 percent", "J9039"]:
        assert text in out
    assert main(["catalogue", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["documents"][0]["document"] == "CC-0126"
    assert main(["catalogue", "CC-9999"]) == 2
