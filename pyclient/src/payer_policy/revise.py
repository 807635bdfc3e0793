"""Begins a new version of a document in the folder of its policy: `payer-policy revise`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from payer_policy.errors import InvalidValue

# Of a file of a version: its document and the version.
PACKAGE = re.compile(r'^package payer\.criteria\["([^"]+)"\]\["([^"]+)"\]$', re.MULTILINE)


@dataclass(frozen=True)
class Revision:
    """What was done: the version superseded, the new one, the files the old one is kept in and those to edit."""

    document: str
    old: str
    new: str
    filed: tuple[Path, ...]
    current: tuple[Path, ...]


def revise(policy: Path, document: str, effective: date) -> Revision:
    """Files the current version of `document` in the folder `policy` under its date, and makes its files the start of
    the version that takes effect on `effective`.

    The filed ones keep every byte, so the version stays as it was published; the current ones keep their names, so
    that git shows what the revision changes. Raises `InvalidValue` when the document is not there, its current version
    is not published, or `effective` is not later than that.
    """
    name = document.replace("-", "").lower()
    current = [path for path in (policy / f"{name}.rego", policy / f"{name}_facts.rego") if path.exists()]
    found = {held for path in current for held in PACKAGE.findall(path.read_text(encoding="utf-8"))}
    if len(current) < 2 or len(found) != 1 or next(iter(found))[0] != document:
        raise InvalidValue(f"{policy} holds no {document} in {name}.rego and {name}_facts.rego")
    [(_, old)] = found
    new = effective.isoformat()
    if new <= old:
        raise InvalidValue(f"the effective date must be later than that of the current version, {old}")
    lock = policy.parent / "published.json"
    if lock.exists() and old not in json.loads(lock.read_text(encoding="utf-8")).get(document, {}):
        raise InvalidValue(f"the current version, {old}, is not published yet: edit it rather than superseding it")
    filed = [policy / path.name.replace(name, f"{name}_{old.replace('-', '_')}", 1) for path in current]
    if any(path.exists() for path in filed):
        raise InvalidValue(f"{', '.join(path.name for path in filed)}: there already")
    for path, kept in zip(current, filed, strict=True):
        text = path.read_bytes()
        kept.write_bytes(text)
        path.write_text(_dated(text.decode(), old, new), encoding="utf-8", newline="\n")
    return Revision(document, old, new, tuple(filed), tuple(current))


def _dated(text: str, old: str, new: str) -> str:
    """Where a version names itself: in its package, in METADATA, in the name of its schema, in its first comment. Not
    where the date stands for something else, as in its history."""
    for before in (f'"]["{old}"]\n', f'#   version: "{old}"\n', f", version {old},"):
        text = text.replace(before, before.replace(old, new), 1)
    underscored = old.replace("-", "_"), new.replace("-", "_")
    return re.sub(
        rf"^(#   - input: schema\.\w+_){underscored[0]}$", rf"\g<1>{underscored[1]}", text, flags=re.MULTILINE
    )
