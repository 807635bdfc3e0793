"""A copy of this checkout, in which a guide is followed and a draft is tested."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests import ROOT


def checkout() -> list[Path]:
    """Its files from its root, with what is not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [Path(name) for name in listed if (ROOT / name).is_file()]


def copied(folder: Path) -> Path:
    """This checkout, with what is not committed yet; the tools are those of the original."""
    for file in checkout():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, folder / file)
    for name in (".venv", ".tools"):
        (folder / name).symlink_to(ROOT / name)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *identity, "commit", "-qm", "As it was"], cwd=folder, check=True)
    return folder


def run(step: str, clone: Path) -> str:
    """What it prints, as a reader types it."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(clone / "pyclient" / "src"),  # the client and the wasm policy of the clone
    }
    command = ["bash", "-euo", "pipefail", "-c", step]
    done = subprocess.run(
        command, cwd=clone, env=environment, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, f"{step}\n{done.stdout}"
    return done.stdout
