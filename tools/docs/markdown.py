"""Markdown."""

import html
import re
from collections.abc import Iterable


def plain(text: str) -> str:
    """Text that Markdown leaves as it is, in a table too."""
    return re.sub(r"([\\`*_|\[\]~])", r"\\\1", html.escape(text.strip(), quote=False))


def code(text: str) -> str:
    return f"`{text}`"


def table(head: str, rows: Iterable[list[str]]) -> list[str]:
    width = head.count("|") + 1
    return [f"| {head} |", "|" + " --- |" * width, *(f"| {' | '.join(row)} |" for row in rows), ""]


def link(heading: str) -> str:
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"[{plain(heading)}](#{anchor})"
