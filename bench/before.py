"""The policy as it was before documents were written as criteria on facts, which a decision is measured against."""

import subprocess
from pathlib import Path

from tests import ROOT

BEFORE = "e9fbacc"


def policy(folder: Path) -> Path:
    """Its files, from the history."""
    archive = ["git", "archive", BEFORE, "policy"]
    try:
        files = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True).stdout
    except subprocess.CalledProcessError:
        raise SystemExit(f"The policy of {BEFORE} is not in the history: git fetch --unshallow") from None
    subprocess.run(["tar", "-x", "-C", folder], input=files, check=True)
    return folder / "policy"
