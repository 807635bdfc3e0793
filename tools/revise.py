"""Begins a new version of a document in the folder of its policy: `payer-policy revise`, at the root of a checkout."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from payer_policy.command.common import printable
from payer_policy.runtime.documents import module_name
from payer_policy.runtime.errors import InvalidValue

from tools.checkout import PACKAGE, create, parser, said


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
    that git shows what the revision changes. Raises `InvalidValue`, and has changed nothing, when the document is not
    there or does not say its version where a version does, when its current version is not published or `effective` is
    not later than that, or when a file cannot be read or written.
    """
    name = module_name(document)
    names = [f"{name}.rego", f"{name}_facts.rego", f"{name}_record.rego"]
    current = [policy / each for each in names if os.path.exists(policy / each)]
    before = [_read(path) for path in current]
    texts = [text.decode().replace("\r\n", "\n") for text in before]
    found = {held for text in texts for held in PACKAGE.findall(text)}
    if not {policy / each for each in names[:2]} <= set(current) or len(found) != 1 or next(iter(found))[0] != document:
        raise InvalidValue(f"{policy} holds no {document} in {names[0]} and {names[1]}")
    [(_, old)] = found
    new = effective.isoformat()
    if new <= old:
        raise InvalidValue(f"the effective date must be later than that of the current version, {old}")
    if old not in _published(policy.parent / "published.json", document, old):
        raise InvalidValue(f"the current version, {old}, is not published yet: edit it rather than superseding it")
    after = [_dated(text, old, new) for text in texts]
    if any(PACKAGE.findall(text) != [(document, new)] for text in after) or f'\n#   version: "{new}"\n' not in after[0]:
        raise InvalidValue(
            f"{' or '.join(map(str, current))} does not say version {old} in its package and its METADATA"
        )
    filed = [policy / "superseded" / path.name.replace(name, f"{name}_{old.replace('-', '_')}", 1) for path in current]
    fresh = [path.with_name(f"{path.name}.new") for path in current]
    create(
        [*zip(filed, before, strict=True), *((path, text.encode()) for path, text in zip(fresh, after, strict=True))]
    )
    for ready, path in zip(fresh, current, strict=True):
        shutil.copymode(path, ready)
        os.replace(ready, path)  # by now the old text stands elsewhere
    return Revision(document, old, new, tuple(filed), tuple(current))


def _read(path: Path) -> bytes:
    try:
        text = path.read_bytes()
        text.decode()
    except OSError as error:
        raise InvalidValue(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidValue(f"{path} is not UTF-8 text") from None
    return text


def _published(lock: Path, document: str, old: str) -> Collection[str]:
    """The versions of a document that are published; where nothing is locked, `old` may go."""
    if not os.path.exists(lock):
        return [old]
    with suppress(ValueError, RecursionError):
        documents = json.loads(_read(lock))
        if isinstance(documents, dict) and isinstance(versions := documents.get(document, {}), dict):
            return versions
    raise InvalidValue(f"{lock} is not as make publish writes it")


def _dated(text: str, old: str, new: str) -> str:
    """Where a version names itself: in its package, in METADATA, in its first comment. Not where the date stands for
    something else, as in its history."""
    for before in (f'"]["{old}"]\n', f'#   version: "{old}"\n', f", version {old},"):
        text = text.replace(before, before.replace(old, new), 1)
    return text


def takes() -> argparse.ArgumentParser:
    return parser("revise", "Begin a new version of a document in the folder of its policy.")


@said
def main(arguments: list[str] | None = None) -> int:
    options = takes().parse_args(arguments)
    revision = revise(options.policy, options.document, options.effective)
    for kept in revision.filed:
        print(f"kept     {printable(str(kept))}: version {revision.old}, every byte as it was")
    for current in revision.current:
        print(f"edit     {printable(str(current))}: version {revision.new}")
    name = module_name(revision.document)
    versions = f"--bundle build/draft.tar.gz {revision.document} {revision.old} {revision.new}"
    print(f"""
Steps left:
  1. In {printable(str(revision.current[0]))}: change the criteria, their texts in METADATA, last_reviewed and history.
  2. In {printable(str(revision.current[1]))}: change the facts, if they change.
  3. make schemas check draft
  4. payer-policy diff {versions}
  5. payer-policy impact {versions} build/requests.jsonl
  6. Add vectors to policy_tests/vectors/{name}/, dated from {revision.new} on, every clause met, not met and
     unknown, a test of its tree and facts to policy_tests/{name}_test.rego (that of {revision.old} goes to
     superseded/ there), an example, and a second reading of the version to tests/readings/{name}.py.
     make published-check says what is left.
  7. make docs test, then make publish, which locks the version for good.""")
    return 0


if __name__ == "__main__":
    sys.exit(main())
