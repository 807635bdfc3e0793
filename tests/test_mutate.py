"""The mutation tool on a policy of two rules, of which one has a test."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import ROOT
from tests.oracle.forms import CRITERIA, FACTS

POLICY = """\
package door

open if input.age >= 18

state := "open" if open else := "shut"

colour := "red" if {
	input.colour in {"red", "rosy"}

	input.colour != "blue"
}
"""

TESTS = """\
package door_test

import data.door

test_open_from_18 if {
	door.open with input as {"age": 18}
	not door.open with input as {"age": 17}
}

test_state if {
	door.state == "open" with input as {"age": 18}
	door.state == "shut" with input as {}
}

test_colour if {
	door.colour == "red" with input as {"colour": "red"}
	door.colour == "red" with input as {"colour": "rosy"}
	not door.colour with input as {"colour": "blue"}
	not door.colour with input as {"colour": "green"}
}
"""

DROPPED = ("expression dropped", 'input.colour != "blue"', "")
CUT = ("string cut", 'input.colour != "blue"', 'input.colour != "blu"')


@pytest.fixture
def door(tmp_path: Path) -> Path:
    for name, text in {"policy/door.rego": POLICY, "tests/door_test.rego": TESTS}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path


def mutate(door: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    tool: list[str | Path] = [sys.executable, "-m", "tools.mutate", door / "policy", door / "tests"]
    return subprocess.run(
        [*tool, "--equivalents", door / "equivalents.yaml", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def mutants(output: str, rule: str) -> set[tuple[str, str, str]]:
    """What was tried, or survived, in a rule: the kind, and the line before and after."""
    return set(re.findall(rf"^(?:survived: )?policy/door\.rego:\d+ {rule}: (.*)\n  - (.*)\n  \+ (.*)$", output, re.M))


def list_as_equivalent(door: Path, *changes: tuple[str, str, str]) -> None:
    entries = [
        {"file": "policy/door.rego", "rule": "colour", "from": before, "to": after, "reason": "no colour is blue"}
        for _, before, after in changes
    ]
    (door / "equivalents.yaml").write_text(yaml.safe_dump(entries))


def test_every_kind_of_change_to_a_rule(door: Path) -> None:
    listed = mutate(door, "--list").stdout
    assert {(kind, after) for kind, _, after in mutants(listed, "open")} == {
        ("branch dropped", "open if { false; input.age >= 18 }"),
        ("expression dropped", "open if true"),
        ("not added", "open if not input.age >= 18"),
        ("comparison", "open if input.age > 18"),
        ("number", "open if input.age >= 17"),
        ("number", "open if input.age >= 19"),
    }
    assert ("string swapped", 'state := "open" if open else := "open"') in {
        (kind, after) for kind, _, after in mutants(listed, "state")
    }
    assert ("member removed", 'input.colour in {"red"}') in {
        (kind, after) for kind, _, after in mutants(listed, "colour")
    }


def test_every_file_of_the_policy_has_mutants() -> None:
    """OPA does not always say truly where a term stands; where it does not, the tool gives up."""
    command = [sys.executable, "-m", "tools.mutate", "--list"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (listed.returncode, listed.stderr) == (0, "")
    files = {file.relative_to(ROOT).as_posix() for file in (ROOT / "policy").rglob("*.rego")}
    files -= {file for file in files if file.endswith(("_record.rego", "engine/fhir.rego"))}
    assert set(re.findall(r"^(policy/\S+\.rego):", listed.stdout, re.M)) == files


def test_what_no_test_notices_survives(door: Path) -> None:
    run = mutate(door)
    assert run.returncode == 1, run.stderr
    assert not mutants(run.stdout, "open")
    assert not mutants(run.stdout, "state")
    assert mutants(run.stdout, "colour") == {DROPPED, CUT}
    assert "policy/door.rego:10 colour: expression dropped" in run.stdout


def test_listed_equivalents_are_excused(door: Path) -> None:
    list_as_equivalent(door, DROPPED, CUT)
    run = mutate(door)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "survived:" not in run.stdout


@pytest.mark.parametrize(
    "stale", [("comparison", 'input.colour != "blue"', 'input.colour == "blue"'), ("comparison", "gone", "")]
)
def test_an_equivalent_that_is_killed_or_gone_is_stale(door: Path, stale: tuple[str, str, str]) -> None:
    list_as_equivalent(door, DROPPED, CUT, stale)
    run = mutate(door)
    assert run.returncode == 1, run.stderr
    assert f"- {stale[1]}" in run.stdout


def test_nothing_is_said_of_tests_that_fail_unchanged(door: Path) -> None:
    (door / "policy" / "door.rego").write_text(POLICY.replace("18", "19"))
    run = mutate(door)
    assert (run.returncode, run.stdout) == (2, "")
    assert "must pass" in run.stderr


RECORD = """\
package payer.records["{document}"]["2020-01-01"]

# METADATA
# title: What establishes a fact
# description: Nothing.
facts := {{"weight": [], "drugs": []}}
"""

DOCUMENTS_TEST = """\
package {name}_test

test_{part} if {condition}
"""


def test_a_document_meets_its_own_tests_and_the_gate_alone(door: Path) -> None:
    (door / "policy" / "door.rego").unlink()
    (door / "tests" / "door_test.rego").unlink()
    shutil.copytree(ROOT / "policy" / "engine", door / "policy" / "engine")
    for document in ("TEST-2.0", "TEST-3.0"):
        name = f"policy/{document.lower().replace('-', '').replace('.', '_')}"
        for file, text in {f"{name}.rego": CRITERIA, f"{name}_facts.rego": FACTS}.items():
            (door / file).write_text(text.format(version="2020-01-01").replace("TEST-2.0", document))
        (door / f"{name}_record.rego").write_text(RECORD.format(document=document))
    facts = 'data.payer.criteria["TEST-2.0"]["2020-01-01"].facts'
    for name, part, condition in (
        ("test2_0", "limits", f"{facts}[0].maximum == 500"),
        ("test3_0", "c", f"{facts}[1].values.c"),
    ):
        test = DOCUMENTS_TEST.format(name=name, part=part, condition=condition)
        (door / "tests" / f"{name}_test.rego").write_text(test)
    run = mutate(door, "--only", "policy/test2_0_facts.rego")
    assert run.returncode == 1, run.stderr
    survived = re.findall(r"^survived: \S+ facts: (.*)$", run.stdout, re.M)
    assert survived.count("number") == 2, "the minimum, of which no test of the document speaks"
    assert "member removed" in survived, "of the value c a test of the other document speaks"
    table = re.search(r"all +│ +(\d+) │ +(\d+) │", run.stdout)
    assert table
    assert int(table[1]) >= 2, "killed: the maximum"
    assert int(table[2]) >= 4, "refused: a fact that no criterion reads, a value that is asked for and gone"
