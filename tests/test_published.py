"""A published version never changes, and its decisions come back to the byte."""

import json
import shutil
from pathlib import Path

import pytest
from payer_policy import EmbeddedPolicy
from payer_policy.workshop.replay import replay

from tests import ROOT
from tests.stage.clone import run
from tests.stage.versions import CRITERIA, FACTS, filed
from tools import publish

DRAFTS = set(publish.drafts(publish.POLICY, publish.LOCK))  # of this checkout
GOLDEN = sorted((ROOT / "policy_tests" / "golden").glob("*.jsonl"))


def test_every_published_version_has_golden_decisions() -> None:
    published = json.loads((ROOT / "published.json").read_text(encoding="utf-8"))
    names = [f"{document}_{version}" for document, versions in published.items() for version in versions]
    assert [file.stem for file in GOLDEN] == sorted(names) != []
    assert all(file.with_suffix(".vectors").exists() for file in GOLDEN)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: str(file.stem))
def test_golden_decisions_come_back_to_the_byte(file: Path, policy: EmbeddedPolicy) -> None:
    document, version = file.stem.split("_")
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [record["line"] for record in records] == [*range(1, len(records) + 1)] != []
    results = list(replay(policy, records))
    assert [result for result in results if not result.same] == []
    assert {
        (record["decision"]["policy"]["document"], record["decision"]["policy"]["version"]) for record in records
    } == {(document, version)}


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: str(file.stem))
def test_decisions_on_all_vectors_are_as_they_were(file: Path, policy: EmbeddedPolicy) -> None:
    """The text of a version is locked, and so is what the shared vocabulary makes of it."""
    kept = file.with_suffix(".vectors").read_text(encoding="utf-8")
    requests = [json.loads(line)["request"] for line in kept.splitlines()]
    assert requests
    assert publish.digests(policy, requests, file.stem.split("_")[1]) == kept


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: str(file.stem))
def test_decisions_on_every_example_and_vector_are_locked(file: Path, served: EmbeddedPolicy) -> None:
    kept = publish.locked(served, file.parent, *file.stem.split("_"))
    added = [path.name for path, text in kept.items() if path.read_text(encoding="utf-8") != text]
    assert added == [], "make golden locks what has come since"


@pytest.mark.parametrize("ending", [".jsonl", ".vectors"])
def test_what_is_locked_stays_and_what_has_come_since_stands_behind_it(
    ending: str, served: EmbeddedPolicy, tmp_path: Path
) -> None:
    file = GOLDEN[0].with_suffix(ending)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    other = json.dumps({"request": {"document": "CC-0126"}, "sha256": "of old"}) + "\n"
    (tmp_path / file.name).write_text(other + "".join(lines[2:-1]), encoding="utf-8")
    kept = publish.locked(served, tmp_path, *file.stem.split("_"))[tmp_path / file.name]
    as_before, added = kept.splitlines(keepends=True)[: len(lines) - 2], kept.splitlines()[len(lines) - 2 :]
    assert as_before == [other, *lines[2:-1]]
    gone, requests = [lines[0], lines[1], lines[-1]], [json.loads(line)["request"] for line in added]
    assert sorted(map(json.dumps, requests)) == sorted(json.dumps(json.loads(line)["request"]) for line in gone)
    if ending == ".jsonl":
        assert [json.loads(line)["line"] for line in added] == [len(lines) - 1, len(lines), len(lines) + 1]


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
    edit(filed(folder)[CRITERIA], '"mrd_percent", 0.1', '"mrd_percent", 0.01')
    [problem] = publish.problems(folder, lock)
    assert problem.startswith("CC-0126 2025-04-01 is published, but its criteria were edited: take the edit back")
    publish.publish(folder, lock)  # does not mend it
    assert list(publish.problems(folder, lock)) == [problem]


def test_a_published_version_cannot_go(copy: tuple[Path, Path]) -> None:
    folder, lock = copy
    filed(folder)[FACTS].unlink()
    [problem] = publish.problems(folder, lock)
    assert "its facts are gone" in problem


def test_a_superseded_version_may_be_renamed(copy: tuple[Path, Path]) -> None:
    folder, lock = copy
    filed(folder)[CRITERIA].rename(folder / "superseded" / "cc0126_as_it_was.rego")
    assert list(publish.problems(folder, lock)) == []


def version_of_240_4(folder: Path, version: str) -> None:
    """A copy of the version of 2008 under another date."""
    for name in ("ncd240_4.rego", "ncd240_4_facts.rego"):
        filed = folder / "superseded" / name.replace("ncd240_4", f"ncd240_4_{version.replace('-', '_')}")
        shutil.copy(folder / name, filed)
        edit(filed, '["2008-03-13"]', f'["{version}"]')


def test_what_is_wrong_is_not_locked(copy: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, lock = copy
    version_of_240_4(folder, "2006-01-01")
    before = lock.read_bytes()
    for setting, value in (("POLICY", folder), ("LOCK", lock)):
        monkeypatch.setattr(publish, setting, value)
    assert publish.main("publish") == 1
    assert lock.read_bytes() == before


def test_a_version_may_begin_before_or_after_those_published_but_not_between(copy: tuple[Path, Path]) -> None:
    folder, lock = copy
    for version in ("2001-01-01", "2006-01-01", "2026-01-01"):
        version_of_240_4(folder, version)
    assert list(publish.problems(folder, lock)) == [
        "NCD-240.4 2006-01-01 begins between 2005-04-04 and 2008-03-13, which are published: decisions made would"
        " change"
    ]
    assert set(publish.drafts(folder, lock)) - DRAFTS == {
        ("NCD-240.4", version) for version in ("2001-01-01", "2006-01-01", "2026-01-01")
    }


def test_what_is_no_version(copy: tuple[Path, Path]) -> None:
    folder, lock = copy
    there = filed(folder)[CRITERIA]
    again = Path(shutil.copy(there, there.with_name(f"{there.stem}_again.rego")))
    undated = Path(shutil.copy(there, there.with_name("no_date.rego")))
    edit(undated, '["2025-04-01"]', '["2026-02-30"]')
    assert list(publish.problems(folder, lock)) == [
        f"{again.name}: the criteria of CC-0126 2025-04-01 stand in another file already",
        "no_date.rego: the version 2026-02-30 is no calendar date",
        "CC-0126 2026-02-30 has not both criteria and facts",
    ]


def test_a_draft_is_in_nothing_that_decides(copy: tuple[Path, Path], tmp_path: Path) -> None:
    folder, lock = copy
    version_of_240_4(folder, "2026-01-01")
    publish.stage(folder, lock, tmp_path / "staged")
    staged = {path.relative_to(tmp_path / "staged") for path in (tmp_path / "staged").rglob("*.rego")}
    held = {path.relative_to(ROOT / "policy") for path in (ROOT / "policy").rglob("*.rego")}
    drafts = {path for path, *version, _ in publish.files(ROOT / "policy") if tuple(version) in DRAFTS}
    assert staged == held - {path.relative_to(ROOT / "policy") for path in drafts}
    publish.publish(folder, lock)
    publish.stage(folder, lock, tmp_path / "later")
    later = {path.relative_to(tmp_path / "later") for path in (tmp_path / "later").rglob("*.rego")}
    filed = Path("superseded") / "ncd240_4_2026_01_01"
    assert later == held | {filed.with_suffix(".rego"), filed.with_name(f"{filed.name}_facts.rego")}


def test_what_is_staged_has_its_metadata_where_it_is_used(copy: tuple[Path, Path], tmp_path: Path) -> None:
    publish.stage(*copy, tmp_path / "staged")
    counts = {path: text.count("# METADATA") for path, _, _, text in publish.files(tmp_path / "staged")}
    assert counts == {path: 0 if path.stem.endswith(("_facts", "_record")) else 1 for path in counts}
    note = '{"description": "The disease has relapsed or is refractory.", "custom": {"id": "II.A"}}'
    rule = f'clause_ii_a := criterion.one_of({note}, "disease_status", {{"relapsed", "refractory"}})'
    assert f"\n\n{rule}\n\n" in filed(tmp_path / "staged")[CRITERIA].read_text(encoding="utf-8")
    assert '"≥ 2"' in publish.resolved(
        "\n\n# METADATA\n# description: ≥ 2\na := f(rego.metadata.rule())\n", {5: {"description": "≥ 2"}}
    )
    with pytest.raises(ValueError, match="apart from its METADATA"):
        publish.resolved("# METADATA\n# title: A\n\na := f(rego.metadata.rule())\n", {})
    with pytest.raises(ValueError, match="apart from its METADATA"):
        publish.resolved("# METADATA\n# title: A\na := 1\n\nb := f(rego.metadata.rule())\n", {3: {}})


def test_a_rule_is_staged_whole() -> None:
    rule = "a if {\n\tf(rego.metadata.rule(), `one\n\n# two`)\n\n\tg(rego.metadata.rule())\n} else := 1\n\nb := 2\n"
    staged = publish.resolved(f"package p\n\n# METADATA\n# title: A\n{rule}", {5: {"title": "A"}})
    assert staged == f"package p\n\n{rule.replace('rego.metadata.rule()', '{}')}"


def test_what_is_wanting_is_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "readings.md").write_text("# Readings\n", encoding="utf-8")
    assert [problem.partition(" (")[2] for problem in publish.wanting(tmp_path, "NCD-1.2", "2026-01-01")] == [
        "policy/ncd1_2.rego)",
        "policy_tests/vectors/ncd1_2/)",
        "policy_tests/ncd1_2_test.rego)",
        "tests/readings/ncd1_2.py)",
        "docs/readings.md, ## NCD-1.2)",
        "examples/)",
    ]
    for document, versions in json.loads((ROOT / "published.json").read_text(encoding="utf-8")).items():
        for version in versions:
            assert list(publish.wanting(ROOT, document, version)) == []


def test_what_an_older_version_has_does_not_count(clone: Path) -> None:
    run("payer-policy revise NCD-110.21 --effective 2199-01-01", clone)
    wanting = [problem.partition(" has no ")[2] for problem in publish.wanting(clone, "NCD-110.21", "2199-01-01")]
    assert wanting == [
        "entry of its last review in its history (policy/ncd110_21.rego)",
        "test of its tree and its facts, which names it (policy_tests/ncd110_21_test.rego)",
        "list of its clauses and second reading (tests/readings/ncd110_21.py)",
        "example on one of its days (examples/)",
    ]
    assert list(publish.wanting(clone, "NCD-110.21", "2007-07-30")) == []
    edit(
        clone / "policy" / "ncd110_21.rego",
        'date: "2007-07-30"\n#       change: ',
        'date: "2007-07-30"\n#       change: X',
    )
    assert len(list(publish.wanting(clone, "NCD-110.21", "2199-01-01"))) == len(wanting) - 1


def test_what_is_there_and_empty_does_not_count(clone: Path) -> None:
    run('payer-policy new ZZ-5.2 --effective 2026-01-01 --title "A made up one"', clone)
    test, readings = clone / "policy_tests" / "zz5_2_test.rego", clone / "docs" / "readings.md"
    test.write_text("package payer.zz5_2_test\n", encoding="utf-8")
    edit(readings, "# Readings of the text\n", "# Readings of the text\n\n## ZZ-5.2\n")
    wanting = [problem.partition(" has no ")[2] for problem in publish.wanting(clone, "ZZ-5.2", "2026-01-01")]
    assert wanting == [
        "test of its tree and its facts, which names it (policy_tests/zz5_2_test.rego)",
        "readings, each with its reason (docs/readings.md, ## ZZ-5.2)",
        "example on one of its days (examples/)",
    ]
    named = 'import data.payer.as_read\n\ntest_order if as_read.order("ZZ-5.2", "2026-01-01") == []\n'
    test.write_text(f"package payer.zz5_2_test\n\n{named}", encoding="utf-8")
    row = "| 1 | A | It is. | It says so. | `pathway_a` |"
    edit(readings, "## ZZ-5.2\n", f"## ZZ-5.2\n\n| # | clauses | reading | why | where |\n| --- |\n{row}\n")
    (clone / "examples" / "zz.yaml").write_text('{document: ZZ-5.2, date_of_service: "2026-01-02", facts: {}}\n')
    assert list(publish.wanting(clone, "ZZ-5.2", "2026-01-01")) == []


def test_a_decision_that_cannot_be_read_is_seen_before_anything_is_written(
    copy: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder, lock = copy
    version_of_240_4(folder, "2008-03-14")
    edit(
        folder / "superseded" / "ncd240_4_2008_03_14.rego", 'last_reviewed: "2008-03-13"', 'last_reviewed: "2008-02-30"'
    )
    golden = tmp_path / "golden"
    golden.mkdir()
    before = lock.read_bytes()
    settings = {"POLICY": folder, "LOCK": lock, "GOLDEN": golden, "unready": lambda *_: [], "_proved": lambda *_: True}
    for setting, value in settings.items():
        monkeypatch.setattr(publish, setting, value)
    assert publish.main("publish") == 1
    assert "a decision of a draft cannot be made or read: " in capsys.readouterr().err
    assert lock.read_bytes() == before
    assert list(golden.iterdir()) == []
    edit(folder / "superseded" / "ncd240_4_2008_03_14.rego", "2008-02-30", "2008-03-14")
    assert publish.main("publish") == 0
    names = {
        f"{document}_{version}{ending}"
        for document, version in [("NCD-240.4", "2008-03-14"), *DRAFTS]
        for ending in (".jsonl", ".vectors")
    }
    assert {file.name for file in golden.iterdir()} == names
    assert "2008-03-14" in json.loads(lock.read_text(encoding="utf-8"))["NCD-240.4"]
