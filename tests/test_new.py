"""A document started by the command is sound Rego, says what is left to write, and decides once it is written."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from payer_policy.command import main

from tests import ROOT
from tools import new, publish

OPA = ROOT / ".tools" / "bin" / "opa"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("policy", "policy_tests", "tests", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("vectors"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True)


def test_a_document_is_started(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "XY-1.5", "--effective", "2026-04-01", "--title", 'Of a "drug": #1, é']) == 0
    said = capfd.readouterr().out
    started, record = ["policy/xy1_5.rego", "policy/xy1_5_facts.rego"], "policy/xy1_5_record.rego"
    for file in (*started, record, "policy_tests/vectors/xy1_5/clauses.yaml", "tests/readings/xy1_5.py"):
        assert f"edit     {file}\n" in said
    assert "make policy" in said
    (checkout / "docs").mkdir()
    (checkout / "docs" / "readings.md").write_text("# Readings\n", encoding="utf-8")
    for wanted in publish.wanting(checkout, "XY-1.5", "2026-04-01"):
        for place in wanted.rpartition("(")[2].rstrip(")").split(", "):
            assert place in said

    assert run(OPA, "fmt", "-l", *started, record).stdout == ""
    capabilities = ROOT / "build" / "capabilities.json"
    assert run(OPA, "check", "--strict", "--capabilities", capabilities, "policy").returncode == 0
    checked = run(ROOT / "tools" / "check", "policy")
    assert checked.returncode == 1
    assert sorted({line.split(":")[0] for line in checked.stderr.splitlines()}) == started
    for left in ("xy1_5.rego:1: the METADATA has no description", "the fact first_fact: question"):
        assert left in checked.stderr

    for file in started:
        text = Path(file).read_text(encoding="utf-8")
        text = re.sub(r' \{\} # (".*")(: What it is).*', r"\n#       \1\2", text)  # as the comment has it
        Path(file).write_text(text.replace('""', '"Is it so?"'), encoding="utf-8")
    assert '#     hcpcs:\n#       "94660": What it is\n#     icd10:\n' in Path(started[0]).read_text(encoding="utf-8")
    checked = run(ROOT / "tools" / "check", "policy")
    assert (checked.returncode, checked.stderr) == (0, "")
    vectors = Path("policy_tests/vectors/xy1_5/clauses.yaml")
    text = vectors.read_text(encoding="utf-8")
    for state in ("met", "not met", "unknown"):
        assert f"XY-1.5, A.1 {state}" in text
    tests = (OPA, "test", "--timeout", "60s", "policy", "policy_tests", "-r", "vectors_test.test_vectors$", "-v")
    assert "test_vectors: PASS" in run(*tests).stdout
    vectors.write_text(text.replace('outcome: "approved"', 'outcome: "not_approved"'), encoding="utf-8")
    assert "XY-1.5, A.1 met wants" in run(*tests).stdout

    command = [sys.executable, "-c", "from tests.readings import READINGS; print([each.document for each in READINGS])"]
    read = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert "'XY-1.5'" in read.stdout, read.stderr


@pytest.mark.parametrize(
    ("document", "effective", "title", "says"),
    [
        ("CC-0126", "2026-04-01", "T", "is of CC-0126 already: a new version of it begins with payer-policy revise"),
        ("NCD240.4", "2026-04-01", "T", "is of NCD-240.4, whose files would have the same name, ncd240_4"),
        ("Letter", "2026-04-01", "T", "makes the name letter, which is that of another module of the client"),
        ("FHIR", "2026-04-01", "T", "makes the name fhir, which is that of another module of the client"),
        ("1-2", "2026-04-01", "T", "1-2 makes no name of a module"),
        ("XY-1", "2026-04-01", "a\nb", "the title must be one line of text"),
        ("XY-1", "1899-12-31", "T", "the effective date must be in the years 1900 to 2199"),
    ],
)
def test_a_document_that_cannot_be_started_changes_nothing(
    checkout: Path, document: str, effective: str, title: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path for path in checkout.rglob("*") if path.suffix != ".pyc"}
    assert new.main([document, "--effective", effective, "--title", title]) == 2
    assert says in capsys.readouterr().err
    assert {path for path in checkout.rglob("*") if path.suffix != ".pyc"} == before
