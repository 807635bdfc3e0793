"""A published version never changes, and its decisions come back to the byte."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from payer_policy import EmbeddedPolicy
from payer_policy.replay import replay

sys.path.insert(0, str(ROOT / "tools"))
import publish

GOLDEN = sorted((ROOT / "policy_tests" / "golden").glob("*.jsonl"))


def test_every_published_version_has_golden_decisions() -> None:
    published = json.loads((ROOT / "published.json").read_text(encoding="utf-8"))
    names = [f"{document}_{version}.jsonl" for document, versions in published.items() for version in versions]
    assert [file.name for file in GOLDEN] == sorted(names) != []


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: str(file.stem))
def test_golden_decisions_come_back_to_the_byte(file: Path) -> None:
    document, version = file.stem.split("_")
    golden = file.read_text(encoding="utf-8")
    records = [json.loads(line) for line in golden.splitlines()]
    assert len(records) >= 10
    with EmbeddedPolicy() as policy:
        results = list(replay(policy, records))
    assert [result for result in results if not result.same] == []
    if not any(result.superseded for result in results):
        assert publish.decided(document, version) == golden


@pytest.fixture
def copy(tmp_path: Path) -> tuple[Path, Path]:
    shutil.copytree(ROOT / "policy", tmp_path / "policy")
    return tmp_path / "policy", Path(shutil.copy(ROOT / "published.json", tmp_path))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_what_is_published_is_as_it_was(copy: tuple[Path, Path]) -> None:
    assert list(publish.problems(*copy)) == []


def test_an_edit_to_a_published_version_is_refused(copy: tuple[Path, Path]) -> None:
    folder, lock = copy
    edit(folder / "cc0126.rego", ">= 0.1", ">= 0.01")
    [problem] = publish.problems(folder, lock)
    assert problem.startswith("CC-0126 2025-04-01 is published, but its criteria were edited: take the edit back")
    publish.publish(folder, lock, folder)  # does not mend it
    assert list(publish.problems(folder, lock)) == [problem]


def test_a_published_version_cannot_go(copy: tuple[Path, Path]) -> None:
    folder, lock = copy
    (folder / "cc0126_facts.rego").unlink()
    [problem] = publish.problems(folder, lock)
    assert "its facts are gone" in problem


def test_a_superseded_version_may_be_renamed(copy: tuple[Path, Path]) -> None:
    folder, lock = copy
    (folder / "cc0126.rego").rename(folder / "cc0126_2025_04_01.rego")
    assert list(publish.problems(folder, lock)) == []


def test_what_is_wrong_is_not_locked(copy: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, lock = copy
    for name in ("cc0126.rego", "cc0126_facts.rego"):
        shutil.copy(folder / name, folder / name.replace("cc0126", "early"))
        edit(folder / name.replace("cc0126", "early"), '["2025-04-01"]', '["2024-01-01"]')
    before = lock.read_bytes()
    for setting, value in (("POLICY", folder), ("LOCK", lock), ("GOLDEN", folder)):
        monkeypatch.setattr(publish, setting, value)
    assert publish.main("publish") == 1
    assert lock.read_bytes() == before


def test_a_version_is_published_once_and_never_before_a_published_one(copy: tuple[Path, Path]) -> None:
    folder, lock = copy
    for version in ("2026-04-01", "2024-04-01", "2026-02-30"):
        name = f"cc0126_{version.replace('-', '_')}.rego"
        shutil.copy(folder / "cc0126.rego", folder / name)
        edit(folder / name, '["2025-04-01"]', f'["{version}"]')
    shutil.copy(folder / "cc0126.rego", folder / "again.rego")
    assert sorted(problem for problem in publish.problems(folder, lock) if "not both" not in problem) == [
        "CC-0126 2024-04-01 begins before 2025-04-01, which is published: decisions made would change",
        "CC-0126 2024-04-01 is not published: make publish",
        "CC-0126 2026-02-30 is not published: make publish",
        "CC-0126 2026-04-01 is not published: make publish",
        "cc0126.rego: the criteria of CC-0126 2025-04-01 stand in another file already",
        "cc0126_2026_02_30.rego: the version 2026-02-30 is no calendar date",
    ]
