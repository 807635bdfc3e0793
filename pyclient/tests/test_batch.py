"""Files of requests: order, rejects, resumption after a kill, CSV."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from payer_policy import Decision, EmbeddedPolicy, PolicyError, PolicyUnreachable, Provenance
from payer_policy.command import main
from payer_policy.runtime.answers import decision_of
from payer_policy.workshop.batch import Batch, withdraw
from payer_policy.workshop.lines import BatchError, Line
from payer_policy.workshop.replay import replay


def request(number: int, **facts: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"document": "CC-0126", "date_of_service": "2025-06-01", "request_id": f"r-{number}", "facts": facts}


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def batch(policy: EmbeddedPolicy, tmp_path: Path) -> Batch:
    return Batch(policy, tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "out.jsonl.rejects")


BAD = {
    "{": "not JSON: Expecting property name enclosed in double quotes at column 2",
    '{"facts": {}, "facts": {}}': "a name stands twice in an object",
    '{"facts": {"mrd_percent": NaN}}': "InvalidValue: facts.mrd_percent must be a finite number, or None"
    " when it is not known",
    "[" * 20000: "nested too deeply",
    "9" * 5000: "InvalidValue: the request is a number too long, too large or too small",
}


def test_every_line_is_decided_or_rejected_in_its_place(batch: Batch) -> None:
    rows = [json.dumps(request(number, disease="all" if number % 2 else "dlbcl")) for number in range(200)]
    rows[3:3] = BAD
    rows[100] = ""
    rows += ["{", json.dumps([])]
    batch.source.write_text("\ufeff" + "\n".join(rows), encoding="utf-8")
    tally = batch.run()
    decided = lines(batch.target)
    wanted = [number for number, row in enumerate(rows, 1) if row and row not in BAD]
    assert [line["line"] for line in decided] == wanted
    assert all(line["request"] == json.loads(rows[line["line"] - 1]) for line in decided)
    assert [line["decision"]["request_id"] for line in decided[:4]] == ["r-0", "r-1", "r-2", "r-3"]
    rejected = lines(batch.rejects)
    assert [(line["text"], line["problem"]) for line in rejected] == [*BAD.items(), ("{", BAD["{"])]
    assert [line["line"] for line in rejected] == [4, 5, 6, 7, 8, 206]
    assert tally.rejected == 6
    assert tally.outcomes == {"needs_information": 99, "not_approved": 100, "invalid_request": 1}
    assert tally.open_facts["CC-0126 lineage"] == 99


def test_text_that_is_not_utf_8_is_rejected_whole(batch: Batch) -> None:
    batch.source.write_bytes(b'{"document": "\xff"}\n' + json.dumps(request(1)).encode() + b"\r\n")
    assert batch.run().rejected == 1
    [line] = lines(batch.rejects)
    assert (line["problem"], line["text"]) == ("not UTF-8 text", '{"document": "\\xff"}')
    assert len(lines(batch.target)) == 1


def test_without_rejects_there_is_no_file_of_them(batch: Batch) -> None:
    batch.source.write_text(json.dumps(request(1)) + "\n", encoding="utf-8")
    batch.run()
    assert not batch.rejects.exists()


def test_what_is_there_is_never_overwritten(batch: Batch) -> None:
    batch.source.write_text(json.dumps(request(1)) + "\n", encoding="utf-8")
    batch.target.write_text("precious", encoding="utf-8")
    with pytest.raises(BatchError, match="--resume"):
        batch.run()


RECORD = {"line": 1, "request": {}, "decision": {"outcome": "approved", "policy": None, "missing": []}}


@pytest.mark.parametrize("rejects", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "precious",
        "precious\n",
        '{"precious": 1}\n',
        '{"decision":{"outcome":"approved"}}\n',
        json.dumps(RECORD) + "\n",  # not of a batch: no digest, no provenance
        json.dumps({**RECORD, "input": "sha256:0", "provenance": {}, "decision": 7}) + "\n",
        json.dumps({**RECORD, "input": "sha256:0", "provenance": {}, "line": True}) + "\n",
        "[" * 100_000,
        "\xff\n",
    ],
)
def test_what_no_batch_wrote_is_not_gone_on_with(batch: Batch, text: str, rejects: bool) -> None:
    batch.source.write_text(json.dumps(request(1)) + "\n", encoding="utf-8")
    batch.target.touch()
    file = batch.rejects if rejects else batch.target
    file.write_text(text, encoding="latin-1")
    with pytest.raises(BatchError, match="line 1 is not as this version of payer-policy writes it"):
        batch.run(resume=True)
    assert file.read_text(encoding="latin-1") == text


def test_only_an_unfinished_record_is_cut_off(batch: Batch, policy: EmbeddedPolicy) -> None:
    batch.source.write_text("".join(json.dumps(request(number)) + "\n" for number in range(3)), encoding="utf-8")
    batch.run()
    whole = batch.target.read_bytes()
    for ours in (b'{"decision":{"adv', b'{"deci'):
        batch.target.write_bytes(whole + ours)
        Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
        assert batch.target.read_bytes() == whole
    for foreign in (b"a note", b'{"note"'):
        batch.target.write_bytes(whole + foreign)
        with pytest.raises(BatchError, match="line 4 is not as this version of payer-policy writes it"):
            Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
        assert batch.target.read_bytes() == whole + foreign
    batch.target.write_bytes(whole[:-1])  # it lacks its end alone
    Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
    assert batch.target.read_bytes() == whole


def test_rejects_of_another_run_are_kept(batch: Batch, policy: EmbeddedPolicy) -> None:
    other = batch.source.with_name("other.jsonl")
    other.write_text("{\n{\n" + json.dumps(request(1)) + "\n", encoding="utf-8")
    Batch(policy, other, batch.target.with_name("other.out"), batch.rejects).run()
    kept = batch.rejects.read_bytes()
    batch.source.write_text(json.dumps(request(1)) + "\n" + json.dumps(request(2)) + "\n", encoding="utf-8")
    with pytest.raises(BatchError, match="of another output"):
        batch.run(resume=True)
    assert not batch.target.exists()
    batch.target.touch()
    with pytest.raises(BatchError, match="not both of this input"):
        batch.run(resume=True)
    assert batch.rejects.read_bytes() == kept
    batch.rejects.rename(batch.rejects.with_name("away"))
    batch.run(resume=True)
    batch.rejects.with_name("away").rename(batch.rejects)
    with pytest.raises(BatchError, match="not both of this input"):
        Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
    assert batch.rejects.read_bytes() == kept


@pytest.mark.parametrize("link", [os.link, os.symlink])
@pytest.mark.parametrize("name", ["target", "rejects"])
def test_the_input_by_another_name_is_no_output(batch: Batch, name: str, link: Callable[[Path, Path], None]) -> None:
    text = json.dumps(request(1)) + "\n"
    batch.source.write_text(text, encoding="utf-8")
    batch.target.touch()
    getattr(batch, name).unlink(missing_ok=True)
    link(batch.source, getattr(batch, name))
    with pytest.raises(BatchError, match="three files"):
        batch.run(resume=True)
    assert batch.source.read_text(encoding="utf-8") == text
    batch.rejects = batch.target = batch.source.with_name("new")
    with pytest.raises(BatchError, match="three files"):
        batch.run()


def test_a_link_to_nowhere_is_not_written_through(batch: Batch) -> None:
    batch.source.write_text(json.dumps(request(1)) + "\n", encoding="utf-8")
    batch.target.symlink_to(batch.target.with_name("elsewhere"))
    for resume in (False, True):
        with pytest.raises(BatchError, match="File exists"):
            batch.run(resume=resume)
    assert not batch.target.exists()


def test_of_two_runs_on_one_output_one_is_refused(batch: Batch, policy: EmbeddedPolicy) -> None:
    batch.source.write_text("".join(json.dumps(request(number)) + "\n" for number in range(200)), encoding="utf-8")
    said = []

    def second(line: Line, problem: str | None) -> None:
        if line.number == 1:
            for target, rejects in ((batch.target, batch.rejects), (batch.target.with_name("x"), batch.rejects)):
                target.touch()
                with pytest.raises(BatchError) as refused:
                    Batch(policy, batch.source, target, rejects).run(resume=True)
                said.append(str(refused.value))

    batch.on_line = second
    batch.run()
    assert said == [f"{file} is being written by another run" for file in (batch.target, batch.rejects)]
    assert [line["line"] for line in lines(batch.target)] == list(range(1, 201))
    doubled = 2 * batch.target.read_bytes()
    batch.target.write_bytes(doubled)
    with pytest.raises(BatchError, match="line 201 comes after a later one"):
        Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
    assert batch.target.read_bytes() == doubled


def test_files_made_here_are_their_owners_alone(batch: Batch, policy: EmbeddedPolicy) -> None:
    batch.source.write_text("{\n" + json.dumps(request(1)) + "\n", encoding="utf-8")
    batch.run()
    assert [file.stat().st_mode & 0o777 for file in (batch.target, batch.rejects)] == [0o600, 0o600]
    for mode, then in ((0o640, 0o640), (0o644, 0o600)):  # a group that was let in stays
        for file in (batch.target, batch.rejects):
            file.chmod(mode)
        Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
        assert [file.stat().st_mode & 0o777 for file in (batch.target, batch.rejects)] == [then, then]
    batch.source.chmod(0o644)
    with pytest.raises(BatchError):  # what no batch wrote stays as it is
        Batch(policy, batch.target, batch.source, batch.rejects).run(resume=True)
    assert batch.source.stat().st_mode & 0o777 == 0o644
    pipe = batch.source.with_name("pipe")  # nor what is no file, /dev/null say
    os.mkfifo(pipe)
    pipe.chmod(0o644)
    with pipe.open("r+b", buffering=0) as opened:
        withdraw(opened)
    assert pipe.stat().st_mode & 0o777 == 0o644


def test_a_record_says_who_decided_and_is_replayed(batch: Batch, policy: EmbeddedPolicy) -> None:
    batch.source.write_text(json.dumps(request(1)) + "\n", encoding="utf-8")
    batch.run()
    [record] = lines(batch.target)
    assert record["provenance"] == {
        "client_version": version("payer-policy-client"),
        "decision_id": None,
        "opa_version": None,
        "revisions": policy.health().revisions,
    }
    assert record["input"] == "sha256:" + hashlib.sha256(batch.source.read_bytes()).hexdigest()
    assert [result.same for result in replay(policy, [record])] == [True]


class Other(EmbeddedPolicy):
    """Another revision, or the same one which decides otherwise."""

    def __init__(self, revision: str, summary: str) -> None:
        super().__init__()
        self.revision, self.summary = revision, summary

    def decide_many(self, requests: Iterable[Any], **options: Any) -> Iterator[Decision | PolicyError]:  # noqa: ANN401
        for answer in super().decide_many(requests, **options):
            assert isinstance(answer, Decision)
            received = {**answer.to_dict(), "summary": self.summary or answer.summary}
            yield decision_of(received, Provenance(revisions={"policy": self.revision}))


@pytest.mark.parametrize(
    ("other", "says"), [(("2", ""), 'another policy, {"policy": "1"}; asked now is {"policy": "2"}'), (("1", "x"), "")]
)
def test_another_policy_does_not_go_on(batch: Batch, other: tuple[str, str], says: str) -> None:
    batch.source.write_text(json.dumps(request(1)), encoding="utf-8")  # its last line has no end yet
    with Other("1", "") as batch.policy:
        batch.run()
    with batch.source.open("a") as more:
        more.write("\n" + json.dumps(request(2)))
    before = batch.target.read_bytes()
    with Other(*other) as policy, pytest.raises(BatchError, match="by another policy") as refused:
        Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
    assert says in str(refused.value)
    assert batch.target.read_bytes() == before
    with Other("1", "") as policy:
        Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
    assert len(lines(batch.target)) == 2


def test_an_output_of_another_input_is_not_gone_on_with(batch: Batch, policy: EmbeddedPolicy) -> None:
    batch.source.write_text("".join(json.dumps(request(number)) + "\n" for number in range(3)), encoding="utf-8")
    batch.run()
    before = batch.target.read_bytes()
    first, second, third = (json.dumps(request(number)) + "\n" for number in range(3))
    for other in (first, first + third + second, first + "\n" + second + third, first + second.upper() + third):
        batch.source.write_text(other, encoding="utf-8")
        with pytest.raises(BatchError, match="not both of this input"):
            Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
        assert batch.target.read_bytes() == before
        assert not batch.rejects.exists()


def test_cut_anywhere_and_resumed_gives_the_same_bytes(batch: Batch, policy: EmbeddedPolicy) -> None:
    rows = [json.dumps(request(number)) for number in range(60)]
    for place in (5, 6, 30, 59):
        rows[place] = "{"
    batch.source.write_text("\n".join(rows) + "\n", encoding="utf-8")
    tally = batch.run()
    whole, rejects = batch.target.read_bytes(), batch.rejects.read_bytes()
    for cut, cut_rejects in [(0, 0), (10, 3), (len(whole) // 2, len(rejects)), (len(whole) - 1, len(rejects) - 5)]:
        batch.target.write_bytes(whole[:cut])
        # Rejects are flushed first, so at a kill they are never behind the decisions.
        done = json.loads(whole[:cut].splitlines()[-2])["line"] if whole[:cut].count(b"\n") > 1 else 0
        needed = b"".join(line for line in rejects.splitlines(True) if json.loads(line)["line"] < done)
        batch.rejects.write_bytes(rejects[: max(cut_rejects, len(needed))])
        again = Batch(policy, batch.source, batch.target, batch.rejects)
        assert again.run(resume=True) == tally
        assert batch.target.read_bytes() == whole
        assert batch.rejects.read_bytes() == rejects


def test_killed_and_resumed_gives_the_same_bytes(batch: Batch) -> None:
    rows = [json.dumps(request(number)) if number % 97 else "{" for number in range(1500)]
    batch.source.write_text("\n".join(rows) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "payer_policy", "batch", str(batch.source), str(batch.target)]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not (batch.target.exists() and batch.target.stat().st_size > 250_000):
        assert killed.poll() is None
        time.sleep(0.002)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    interrupted = batch.target.read_bytes()
    assert 0 < interrupted.count(b"\n") < 1450
    subprocess.run([*command, "--resume"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    resumed, rejects = batch.target.read_bytes(), batch.rejects.read_bytes()
    batch.target.unlink()
    batch.rejects.unlink()
    batch.run()
    assert resumed == batch.target.read_bytes()
    assert rejects == batch.rejects.read_bytes()


class Flaky(EmbeddedPolicy):
    """Goes down at one request, for good or for a while; another it never answers."""

    def __init__(self, *, recovers: bool) -> None:
        super().__init__()
        self.recovers = recovers
        self.down = False

    def decide_many(self, requests: Iterable[Any], **options: Any) -> Iterator[Decision | PolicyError]:  # noqa: ANN401
        for item in requests:
            self.down = self.down or item["request_id"] == "r-5"
            if self.down or item["request_id"] == "poison":
                yield PolicyUnreachable("down")
            else:
                yield from super().decide_many([item])

    def health(self) -> Provenance:
        if self.down and not self.recovers:
            raise PolicyUnreachable("down")
        self.down = False
        return Provenance()


def test_a_run_stops_when_nobody_decides_any_more_and_is_resumed(batch: Batch, policy: EmbeddedPolicy) -> None:
    batch.source.write_text("".join(json.dumps(request(number)) + "\n" for number in range(9)), encoding="utf-8")
    with Flaky(recovers=False) as flaky:
        batch.policy = flaky
        with pytest.raises(PolicyUnreachable):
            batch.run()
    assert len(lines(batch.target)) == 5
    Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
    assert [line["line"] for line in lines(batch.target)] == list(range(1, 10))


def test_a_line_that_nobody_can_decide_is_rejected_alone(batch: Batch) -> None:
    requests = [request(number) for number in range(3)]
    requests[1]["request_id"] = "poison"
    batch.source.write_text("".join(json.dumps(item) + "\n" for item in requests), encoding="utf-8")
    with Flaky(recovers=True) as flaky:
        batch.policy = flaky
        assert batch.run().rejected == 1
    assert [line["line"] for line in lines(batch.target)] == [1, 3]
    assert lines(batch.rejects)[0]["problem"] == "PolicyUnreachable: down"


CSV = """\
document,date_of_service,request_id,hcpcs,icd10,disease,cd19_positive,mrd_percent,complete_response,combined_with
CC-0126,2025-06-01,r-1,J9039,C91.00; C91.01,all,Yes,0.1,1,imatinib;other
CC-0126,2025-06-01,r-2,,, all ,false,,,[]
CC-0126,2025-06-01,r-3,,,"a
b",maybe,much,1.5,
CC-0126,2025-06-01,r-3,,,,,,,,
CC-0126,2025-06-01,r"4,,,all,,,,
CC-0126,2025-06-01,r-5,,,all,,,,"x"y
CC-0126,2025-06-01,r-6,,,,,,,
"""


def test_a_csv_has_a_column_for_each_fact(batch: Batch) -> None:
    batch.source = batch.source.with_suffix(".csv")
    batch.source.write_text(CSV, encoding="utf-8")
    tally = batch.run()
    first, second, third, fourth, last = lines(batch.target)
    assert first["request"] == {
        "document": "CC-0126",
        "date_of_service": "2025-06-01",
        "request_id": "r-1",
        "codes": {"hcpcs": "J9039", "icd10": ["C91.00", "C91.01"]},
        "facts": {
            "disease": "all",
            "cd19_positive": True,
            "mrd_percent": 0.1,
            "complete_response": 1,
            "combined_with": ["imatinib", "other"],
        },
    }
    assert second["request"]["facts"] == {"disease": "all", "cd19_positive": False, "combined_with": []}
    assert [error["path"] for error in third["decision"]["errors"]] == [
        "facts.cd19_positive",
        "facts.complete_response",
        "facts.disease",
        "facts.mrd_percent",
    ]
    assert fourth["request"]["request_id"] == 'r"4'
    assert last["request"]["facts"] == {}
    assert [(line["line"], line["text"], line["problem"][:12]) for line in lines(batch.rejects)] == [
        (6, "CC-0126,2025-06-01,r-3,,,,,,,,", "more cells t"),
        (8, 'CC-0126,2025-06-01,r-5,,,all,,,,"x"y', "not CSV: ','"),
    ]
    assert tally.rejected == 2


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("document,date_of_service,diseas", "column 3 is neither .*; the nearest is disease$"),
        ("Document,Date of service,mrd-percent", "neither .*; the nearest is date_of_service, document, mrd_percent$"),
        (
            "Document;Date_of_service;Disease",
            "1, 2, 3 is neither .*; the nearest is date_of_service, disease, document$",
        ),
        ("sep=,\nDocument;date_of_service", "column 1 is neither .*; the nearest is document$"),
        ("document,date_of_service,canary-7c1", "column 3 is neither a fact nor a known column$"),
        (",document,date_of_service", r"column 1 has no name: leave it out, as pandas does by to_csv\(index=False\)$"),
        (",document,canary-7c1", "column 1 has no name: .*, and column 3 is neither a fact nor a known column$"),
        (
            "CC-0126,2025-06-01,canary-7c1",
            "names no known column: it must name document, date_of_service and the facts,",
        ),
        ("Requests of May,,\ndocument,date_of_service", "names no known column"),
        ("document:date_of_service", "names no known column: .*, with commas, semicolons, tabs or bars between them"),
        ('"document"x,date_of_service', "document and date_of_service"),
        ("document,disease", "date_of_service among them"),
        ("document,date_of_service,document", "each column once"),
        ("", "document and date_of_service"),
    ],
)
def test_a_csv_with_other_columns_is_refused_before_it_begins(batch: Batch, header: str, says: str) -> None:
    batch.source = batch.source.with_suffix(".CSV")
    batch.source.write_text(header + "\n", encoding="utf-8")
    with pytest.raises(BatchError, match=says) as raised:
        batch.run()
    assert "canary" not in str(raised.value)
    assert not batch.target.exists()


ROWS = [
    ["document", '"date_of_service"', "disease", "combined_with", "mrd_percent"],
    ["CC-0126", "2025-06-01", "all", '"imatinib;other"', "0.5"],
    ["CC-0126", "2025-06-01", "é"],
]
READ = [{"disease": "all", "combined_with": ["imatinib", "other"], "mrd_percent": 0.5}, {"disease": "é"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ", "])
@pytest.mark.parametrize("said", ["", "sep={}\r\n", '"SEP={}"\n', "sep=,\n", "sep=|\n", "sep={0}{0}{0}\n"])
def test_a_csv_is_read_as_spreadsheets_write_it(batch: Batch, encoding: str, separator: str, said: str) -> None:
    batch.source = batch.source.with_suffix(".csv")
    header, *rows = (separator.join(row) for row in ROWS)
    alone, unnamed = separator * 4, separator * 2
    text = said.format(separator.strip(" ")) + "\r\n".join(
        [header + unnamed, rows[0] + unnamed, alone, *rows[1:], alone, ""]
    )
    text = ("\ufeff" if encoding == "utf-16-be" else "") + text
    batch.source.write_bytes(text.encode(encoding))
    assert batch.run().rejected == 0
    assert [line["request"]["facts"] for line in lines(batch.target)] == READ
    number = 2 + bool(said)
    assert [line["line"] for line in lines(batch.target)] == [number, number + 2]


def test_a_cell_where_no_column_is_named_is_rejected(batch: Batch) -> None:
    batch.source = batch.source.with_suffix(".csv")
    batch.source.write_text("document,date_of_service,\nCC-0126,2025-06-01,x\n,2025-06-01\n", encoding="utf-8")
    assert batch.run().rejected == 1
    assert lines(batch.rejects)[0]["problem"] == "a cell stands in a column without a name"
    assert lines(batch.target)[0]["decision"]["errors"][0]["path"] == "document"


@pytest.mark.parametrize(
    ("opened", "behind"),
    [
        ('"all', ""),  # to the end of the file
        ('"all', 'CC-0126,2025-06-01,"all"\n'),
        ('"all', 'CC-0126,2025-06-01,all",\n'),
        ('"all', 'CC-0126,2025-06-01",a,b,c\n'),
        ('"all', "x" * 200_000 + "\n"),
    ],
)
def test_a_quote_without_its_end_is_named_and_loses_nothing(
    batch: Batch, policy: EmbeddedPolicy, opened: str, behind: str
) -> None:
    batch.source = batch.source.with_suffix(".csv")
    good = "CC-0126,2025-06-01,all,\n"
    text = f"document,date_of_service,disease,lineage\n{good}CC-0126,2025-06-01,{opened},\n{good * 3}"
    batch.source.write_text(text + behind, encoding="utf-8")
    with pytest.raises(BatchError, match=r"in.csv: line 3: a cell begins with a quote that ends nowhere"):
        batch.run()
    assert len(lines(batch.target)) == 1
    batch.source.write_text(text.replace('"', ""), encoding="utf-8")
    Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
    assert [line["line"] for line in lines(batch.target)] == [2, 3, 4, 5, 6]


def test_a_csv_killed_and_changed_is_known_again(batch: Batch, policy: EmbeddedPolicy) -> None:
    batch.source = batch.source.with_suffix(".csv")
    text = "document,date_of_service,disease\nCC-0126,2025-06-01,\nCC-0126,2025-06-02,"
    batch.source.write_text(text, encoding="utf-8")
    batch.run()
    for changed in (text.replace("disease", "lineage"), text.replace("01,", "03,", 1), text.replace("\n", ";\n", 1)):
        batch.source.write_text(changed, encoding="utf-8")
        with pytest.raises(BatchError):
            Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
    batch.source.write_text(text + "\nCC-0126,2025-06-03,\n", encoding="utf-8")
    Batch(policy, batch.source, batch.target, batch.rejects).run(resume=True)
    assert len(lines(batch.target)) == 3


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("in.jsonl", b'\xef\xbb\xbf \n[{"document": "CC-0126"}]\n', "begins with an array"),
        ("in.jsonl", b'\x1e{"document": "CC-0126"}\n', "RFC 7464"),
        ("in.jsonl", b'{\n  "document": "CC-0126"\n}\n', "a request over several lines: jq -c . makes a line of each"),
        ("in.jsonl", b'{ "document": "CC-0126",\r\n  "facts": {} }\n', "a request over several lines"),
        ("in.jsonl", b'{ "document":"CC-0126"\n, "facts": {} }\n', "a request over several lines"),
        ("in.jsonl", b'{ "unavailable": [\n  ] }\n', "a request over several lines"),
        ("in.tsv", b"date_of_service\tdocument\n2025-06-01\tCC-0126\n", "with the suffix .csv it is read as one"),
        ("in.txt", b"Document;Date of service\nCC-0126;2025-06-01\n", "with the suffix .csv it is read as one"),
        ("in.yaml", b"# A request\n---\ndocument: CC-0126\n", "is YAML, which payer-policy decide reads"),
        ("in.xlsx", b"PK\x03\x04\x14\x00\x06\x00", "no text: save the file as UTF-8, a workbook as CSV UTF-8"),
        ("in.jsonl", '{"document": "CC-0126"}\n'.encode("utf-16"), "is UTF-16 text: save it as UTF-8"),
        ("in.jsonl", '{"document": "CC-0126"}\n'.encode("utf-16-le"), "is UTF-16 text without its mark, or no text"),
        ("in.csv", "document,date_of_service\n".encode("utf-16-be"), "is UTF-16 text without its mark, or no text"),
        ("in.csv", b"\xff\xfed\x00o\x00", "names no known column"),
        ("in.csv", b"\xff\xfed\x00o\x00\x00", "not UTF-16 text as its mark says"),
    ],
)
def test_a_file_of_another_kind_is_named_for_what_it_is(batch: Batch, name: str, content: bytes, says: str) -> None:
    batch.source = batch.source.with_name(name)
    batch.source.write_bytes(content)
    with pytest.raises(BatchError, match=says):
        batch.run()
    assert not batch.target.exists()


@pytest.mark.parametrize("first", ['{"document": "CC-0126",', "{", '{"document": "CC-0126"} '])
@pytest.mark.parametrize("second", ["", "{}", "[]", "garbage"])
def test_a_first_line_that_is_broken_is_rejected_alone(batch: Batch, first: str, second: str) -> None:
    good = json.dumps(request(3))
    batch.source.write_text(f"{first}\n{second}\n{good}\n", encoding="utf-8")
    batch.run()
    assert lines(batch.target)[-1]["line"] == 3


def test_many_bad_lines_are_written_as_they_come(batch: Batch) -> None:
    good = json.dumps(request(1))
    batch.source.write_text("\n".join(["{"] * 3000 + [good] + ["{"] * 5000 + [good]), encoding="utf-8")
    tally = batch.run()
    assert (tally.rejected, sum(tally.outcomes.values())) == (8000, 2)
    assert [line["line"] for line in lines(batch.target)] == [3001, 8002]
    assert [line["line"] for line in lines(batch.rejects)] == [*range(1, 3001), *range(3002, 8002)]


def test_a_csv_as_excel_writes_it_in_windows_1252_is_told_how_to_save_it(batch: Batch) -> None:
    batch.source = batch.source.with_suffix(".csv")
    save = "save the file as UTF-8, a workbook as CSV UTF-8"
    header = "document;date_of_service;disease;combined_with;lineage\n"
    rows = 'CC-0126;2025-06-01;all;"imatinib;é";ü\nCC-0126;2025-06-01;all\n'
    batch.source.write_bytes((header + rows).encode("cp1252"))
    assert batch.run().rejected == 1
    assert [line["problem"] for line in lines(batch.rejects)] == [f"combined_with, lineage is not UTF-8 text: {save}"]
    batch.target, batch.rejects = batch.target.with_suffix(".2"), batch.rejects.with_suffix(".2")
    batch.source.write_bytes((header.replace("lineage", "größe") + rows).encode("cp1252"))
    with pytest.raises(BatchError, match=f"in.csv is not UTF-8 text: {save}$"):
        batch.run()


def test_the_command_reports_lines_outcomes_and_open_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps(request(1, disease="all")) + "\n{\n", encoding="utf-8")
    assert main(["batch", str(source), str(target)]) == 2
    out, err = capsys.readouterr()
    assert "needs information" in out
    assert "100.0%" in out
    assert "cd19_positive" in out
    assert "1 line could not be decided" in out
    assert "line 2: not JSON" in err
    assert main(["batch", str(source), str(target), "--resume", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["rejected"] == 1
    assert main(["batch", str(source), str(target)]) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["batch", str(source), "."]) == 2
    assert main(["batch", str(tmp_path / "none"), str(tmp_path / "o")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_a_whole_run_exits_with_0_and_a_dead_server_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payer_policy.runtime.transport._back_off", lambda state: 0.0)
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(request(1)) + "\n", encoding="utf-8")
    assert main(["batch", str(source), str(tmp_path / "a")]) == 0
    assert main(["batch", str(source), str(tmp_path / "b"), "--server", "http://127.0.0.1:9"]) == 3
    assert "does not answer" in capsys.readouterr().err
