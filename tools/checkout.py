"""What `new`, `revise` and `publish` have in common: what they take, how a version is told, files written whole."""

from __future__ import annotations

import argparse
import re
from functools import wraps
from pathlib import Path
from typing import Protocol

from payer_policy.command.common import INVALID, Parser, day, say
from payer_policy.runtime.errors import InvalidValue

from tools import ROOT

CLIENT = ROOT / "pyclient" / "src" / "payer_policy"

# Of a file of a version: its document and the version.
PACKAGE = re.compile(r'^package payer\.(?:criteria|records)\["([^"]+)"\]\["([^"]+)"\]$', re.MULTILINE)


class Tool(Protocol):
    def __call__(self, arguments: list[str] | None = None) -> int: ...


def parser(tool: str, description: str) -> argparse.ArgumentParser:
    made = Parser(prog=f"payer-policy {tool}", description=description)
    made.add_argument("document", metavar="DOCUMENT")
    made.add_argument("--effective", type=day, required=True, metavar="DATE", help="its first day in force")
    made.add_argument("--policy", type=Path, default=Path("policy"), metavar="FOLDER", help="default policy")
    return made


def said(tool: Tool) -> Tool:
    """A tool that says what is refused, and gives its exit status."""

    @wraps(tool)
    def main(arguments: list[str] | None = None) -> int:
        try:
            return tool(arguments)
        except InvalidValue as error:
            say(str(error))
            return INVALID

    return main


def create(files: list[tuple[Path, bytes]]) -> None:
    """All of them or none, and the folders that they need; not one that is there, nor through a link."""
    made: list[Path] = []
    try:
        for path, text in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                made.append(path)
                file.write(text)
    except OSError as error:
        for written in made:
            written.unlink()
        raise InvalidValue(f"{path}: {error.strerror}") from None
