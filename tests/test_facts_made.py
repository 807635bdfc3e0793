"""What makes the client's modules of facts: classes by version, names that are taken, files that are stale."""

import copy
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests import ROOT
from tools import facts

FACTS: list[dict[str, Any]] = [
    {"name": "one", "type": "boolean", "question": "Is it so?", "criteria": ["A", "B.1"]},
    {"name": "two", "type": "number", "question": "How \\ many?", "minimum": 0, "maximum": 9, "criteria": ["A"]},
]


def version(day: str, until: str | None, *, facts: list[dict[str, Any]] = FACTS) -> dict[str, Any]:
    return {"version": day, "effective_from": day, "effective_to": until, "title": "A title", "facts": facts}


def loaded(name: str, text: str, folder: Path) -> ModuleType:
    (folder / name).write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name.removesuffix(".py"), folder / name)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks for the names in its hints
    spec.loader.exec_module(module)
    return module


def test_a_class_for_each_version_whose_facts_differ(tmp_path: Path) -> None:
    read_otherwise = copy.deepcopy(FACTS)
    read_otherwise[0]["criteria"] = ["C"]
    held = {
        "document": "XY-1.5",
        "versions": [
            version("2001-01-01", "2001-12-31", facts=FACTS[:1]),
            version("2002-01-01", "2002-12-31", facts=FACTS[:1]),
            version("2003-01-01", "2003-12-31"),
            version("2004-01-01", None, facts=read_otherwise),
        ],
    }
    [(name, text)] = facts.modules([held], tmp_path).items()
    assert name == "xy1_5.py"
    module = loaded(name, text, tmp_path)
    assert module.__all__ == ["Facts", "Facts2001_01_01"]
    assert (
        "versions 2001-01-01 to 2002-01-01, in force from 2001-01-01 to 2002-12-31." in module.Facts2001_01_01.__doc__
    )
    assert "versions 2003-01-01 to 2004-01-01, in force from 2003-01-01 on." in module.Facts.__doc__
    assert '"""Is it so? Read by C."""' in text
    assert '"""Is it so? Read by A and B.1."""' in text
    assert '"""How \\\\ many? From 0 to 9. Read by A."""' in text
    assert module.Facts.of(Two={"at_most": 3}).two == {"at_most": 3}


def test_what_is_by_hand_is_offered_beside_it(tmp_path: Path) -> None:
    held = [{"document": "XY-1", "versions": [version("2001-01-01", None)]}]
    (tmp_path / "xy1_by_hand.py").write_text('__all__ = ["double"]\n', encoding="utf-8")
    assert "from payer_policy.xy1_by_hand import double\n" in facts.modules(held, tmp_path)["xy1.py"]
    (tmp_path / "xy1_by_hand.py").write_text("def double(): ...\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="has no __all__"):
        facts.modules(held, tmp_path)


@pytest.mark.parametrize("documents", [("XY-1.5", "xy1-.5"), ("letter",), ("FHIR",)])
def test_a_name_that_is_taken_is_refused(documents: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "letter.py").write_text("# by hand\n", encoding="utf-8")
    (tmp_path / "fhir").mkdir()
    held = [{"document": document, "versions": [version("2001-01-01", None)]} for document in documents]
    with pytest.raises(SystemExit, match=f"{documents[-1]}: the name .* is taken"):
        facts.modules(held, tmp_path)


def test_a_stale_module_is_named_and_one_of_no_document_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = str(ROOT / "policy")
    for file in facts.CLIENT.glob("*.py"):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(facts, "CLIENT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["facts.py", policy])
    facts.main()
    fresh = (tmp_path / "cc0126.py").read_bytes()
    monkeypatch.setattr(sys, "argv", ["facts.py", policy, "--check"])
    facts.main()
    (tmp_path / "gone.py").write_text(f'"""The facts."""\n\n{facts.MADE}', encoding="utf-8")
    (tmp_path / "cc0126.py").write_text(facts.MADE, encoding="utf-8")
    with pytest.raises(SystemExit, match=r"^cc0126\.py, gone\.py: .* make facts$"):
        facts.main()
    monkeypatch.setattr(sys, "argv", ["facts.py", policy])
    facts.main()
    assert not (tmp_path / "gone.py").exists()
    assert (tmp_path / "cc0126.py").read_bytes() == fresh


def test_the_modules_satisfy_the_type_checker(tmp_path: Path) -> None:
    """What is typed is told from what is not: a value that no version has, a bound of two sides."""
    (tmp_path / "good.py").write_text(
        "from datetime import date\n"
        "from payer_policy import ncd110_21, ncd240_4\n"
        "ncd110_21.Facts(hemoglobin={'less_than': 9}, final_chemotherapy_date=date(2020, 1, 1), cause='other')\n"
        "ncd240_4.Facts2005_04_04(sleep_test='portable', symptoms=('insomnia',), ahi=14.5)\n",
        encoding="utf-8",
    )
    (tmp_path / "bad.py").write_text(
        "from payer_policy import ncd110_21, ncd240_4\n"
        "ncd110_21.Facts(hemoglobin={'less_than': 9, 'more_than': 3})\n"
        "ncd240_4.Facts(sleep_test='portable')\n"
        "ncd240_4.Facts(ahi=3)\n",
        encoding="utf-8",
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    run = [subprocess.run([*mypy, str(tmp_path / f)], capture_output=True, text=True) for f in ("good.py", "bad.py")]
    assert run[0].returncode == 0, run[0].stdout
    assert [line.split(":")[1] for line in run[1].stdout.splitlines() if ": error:" in line] == ["2", "3", "4"]
