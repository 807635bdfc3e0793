"""What the guides say is run as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """This checkout, with what is not committed yet; the tools are those of the original."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    for name in files.stdout.splitlines():
        if (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    for name in (".venv", ".tools"):
        (tmp_path / name).symlink_to(ROOT / name)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *identity, "commit", "-qm", "As it was"], cwd=tmp_path, check=True)
    return tmp_path


def test_the_guide_to_revising(clone: Path) -> None:
    guide = (clone / "docs" / "revising.md").read_text(encoding="utf-8")
    steps = re.findall(r"^```sh\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    assert len(steps) == 7
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(clone / "pyclient" / "src"),  # the client and the wasm policy of the clone
    }
    printed = []
    for step in steps:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step], cwd=clone, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
        printed.append(done.stdout)
    _, _, changed, impact, _, _, replayed = printed
    example = guide.split("```\nthreshold")[1].split("```")[0]
    assert f"threshold{example}" in changed
    assert "1 of 3 requests change outcome" in impact
    assert "3 decisions replayed, 0 differ" in replayed
    assert (clone / "build" / "impact.html").exists()
    assert len(list((clone / "policy_tests" / "golden").glob("*2026-04-01.jsonl"))) == 1
