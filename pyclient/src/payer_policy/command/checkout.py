"""What edits a checkout of the policy is a tool of that checkout; the command hands over to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from payer_policy.runtime.errors import InvalidValue

TOOLS = {
    "new": "start a document in a checkout of the policy, and what goes with it",
    "revise": "begin a new version of a document in a checkout of the policy",
}


def run(tool: str, *arguments: str) -> int:
    """Its exit status. Raises `InvalidValue` where the current folder is no checkout.

    As make does with a Makefile, it runs what lies in the current folder, and nothing above it.
    """
    if not Path("tools", f"{tool}.py").is_file():
        raise InvalidValue(
            f"there is no tools/{tool}.py here: payer-policy {tool} edits a checkout of the policy, at its root"
        )
    return subprocess.run([sys.executable, "-m", f"tools.{tool}", *arguments]).returncode
