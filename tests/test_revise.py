"""A new version is begun: what is filed, what is dated, what is refused."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from payer_policy import InvalidValue
from payer_policy.command import main as command

from tests import ROOT
from tests.stage.versions import CRITERIA, FACTS, VERSION, filed
from tools.revise import main, revise

FILED = filed(ROOT / "policy")
FILES = (CRITERIA, FACTS)


def test_a_revision_keeps_every_byte_of_the_old_version(tmp_path: Path) -> None:
    before = {name: FILED[name].read_bytes() for name in FILES}
    for name, text in before.items():
        (tmp_path / name).write_bytes(text)
    done = revise(tmp_path, "CC-0126", date(2026, 4, 1))
    assert (done.old, done.new) == (VERSION, "2026-04-01")
    names_filed = ["superseded/cc0126_2025_04_01.rego", "superseded/cc0126_2025_04_01_facts.rego"]
    assert [str(path.relative_to(tmp_path)) for path in done.filed] == names_filed
    for kept, name in zip(done.filed, FILES, strict=True):
        assert kept.read_bytes() == before[name]
        old, new = before[name].decode().splitlines(), (tmp_path / name).read_text(encoding="utf-8").splitlines()
        changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
        assert changed
        assert all(
            b in (a.replace("2025-04-01", "2026-04-01"), a.replace("2025_04_01", "2026_04_01")) for a, b in changed
        )
        assert 'package payer.criteria["CC-0126"]["2026-04-01"]' in new
    with pytest.raises(InvalidValue, match="later than"):
        revise(tmp_path, "CC-0126", date(2026, 4, 1))
    (tmp_path.parent / "published.json").write_text(json.dumps({"CC-0126": {VERSION: {}}}), encoding="utf-8")
    with pytest.raises(InvalidValue, match="not published yet"):
        revise(tmp_path, "CC-0126", date(2027, 4, 1))
    (tmp_path.parent / "published.json").unlink()
    with pytest.raises(InvalidValue, match="holds no CC-9999"):
        revise(tmp_path, "CC-9999", date(2027, 1, 1))


def test_a_revision_dates_the_version_alone(tmp_path: Path) -> None:
    history = f'#     - date: "{VERSION}"\n#       change: A change of that day.\n'
    for name in FILES:
        text = FILED[name].read_text(encoding="utf-8")
        text = text.replace('last_reviewed: "2025-02-21"', f'last_reviewed: "{VERSION}"')
        (tmp_path / name).write_text(text.replace("#   history:\n", f"#   history:\n{history}"), encoding="utf-8")
    revise(tmp_path, "CC-0126", date(2026, 4, 1))
    text = (tmp_path / "cc0126.rego").read_text(encoding="utf-8")
    assert history in text
    assert f'last_reviewed: "{VERSION}"' in text
    assert '#   version: "2026-04-01"' in text


def revisable(folder: Path) -> list[Path]:
    folder.mkdir()
    files = [folder / name for name in FILES]
    for file in files:
        file.write_bytes(FILED[file.name].read_bytes())
    return files


def test_a_revision_of_a_clone_with_other_line_ends_moves_the_version(tmp_path: Path) -> None:
    files = revisable(tmp_path / "policy")
    for file in files:
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    before = [file.read_bytes() for file in files]
    done = revise(tmp_path / "policy", "CC-0126", date(2026, 4, 1))
    assert [kept.read_bytes() for kept in done.filed] == before
    for file in files:
        assert '\npackage payer.criteria["CC-0126"]["2026-04-01"]\n' in file.read_text(encoding="utf-8")
    assert '\n#   version: "2026-04-01"\n' in files[0].read_text(encoding="utf-8")


def test_every_file_is_checked_out_with_the_line_ends_of_rego() -> None:
    attributes = subprocess.run(
        ["git", "check-attr", "eol", "README.md", "policy/cc0126.rego", "docker-compose.yml"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert attributes.stdout.count("eol: lf") == 3


def _link_to_nowhere(file: Path) -> None:
    folder = file.parent / "superseded"
    folder.mkdir()
    folder.joinpath("cc0126_2025_04_01_facts.rego").symlink_to("nowhere")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda files: _link_to_nowhere(files[1]), "File exists"),
        (lambda files: files[1].with_name("cc0126_facts.rego.new").touch(), "cc0126_facts.rego.new: File exists"),
        (lambda files: edit(files[0], '#   version: "', "#   version: '"), "does not say version 2025-04-01"),
        (lambda files: edit(files[1], "package ", 'package payer.criteria["CC-0126"]["2025-04-01"]\npackage '), "say"),
        (lambda files: files[0].write_bytes(b"\xff"), "cc0126.rego is not UTF-8 text"),
        (lambda files: files[0].unlink() or files[0].mkdir(), "cc0126.rego: Is a directory"),
        (lambda files: files[0].parent.with_name("published.json").write_text("["), "published.json is not as"),
        (lambda files: files[0].parent.with_name("published.json").write_text("[]"), "published.json is not as"),
        (lambda files: files[0].parent.with_name("published.json").mkdir(), "published.json: Is a directory"),
    ],
)
def test_a_revision_that_cannot_be_done_changes_nothing(
    tmp_path: Path, spoil: Callable[[list[Path]], object], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = revisable(tmp_path / "policy")
    spoil(files)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert main(["CC-0126", "--effective", "2026-04-01", "--policy", str(files[0].parent)]) == 2
    assert says in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_command_is_that_tool(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = revisable(tmp_path / "policy")[0].parent
    revision = ["revise", "CC-0126", "--effective", "2026-04-01", "--policy", str(folder)]
    assert command(revision) == 0
    said = capfd.readouterr().out
    # What it names to be run is run as the guide has it (tests/test_docs.py): a draft is in no policy that is shipped.
    guide = (ROOT / "docs" / "revising.md").read_text(encoding="utf-8")
    commands = re.findall(r"^  \d\. ((?:make|payer-policy) [^,\n]*)$", said, re.MULTILINE)
    assert [command.split()[:2] for command in commands] == [
        ["make", "schemas"],
        ["payer-policy", "diff"],
        ["payer-policy", "impact"],
    ]
    assert [command for command in commands if command not in guide] == []
    for place in ("policy_tests/vectors/cc0126/", "tests/readings/cc0126.py"):
        assert place in said
        assert place in guide
    assert command(revision) == 2
    assert "later than" in capfd.readouterr().err


def test_no_name_reaches_a_terminal_raw(capfd: pytest.CaptureFixture[str]) -> None:
    assert command(["revise", "\x1b]0;x\x07", "--effective", "2026-01-01"]) == 2
    assert command(["revise", "CC-0126", "--effective", "\x1b]0;x\x07"]) == 2
    assert "\x1b" not in capfd.readouterr().err
