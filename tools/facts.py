"""facts.py FOLDER [--check]: writes the client's module of facts for each document in the folder of a policy, from the
catalogue; with `--check` it only says which are stale.

A module has a class for each version whose facts differ from the next: `Facts` for the latest, and for those before it
`Facts2005_04_04`, named by the first version that has them. What `<module>_by_hand.py` offers stands beside it.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from payer_policy.runtime.documents import module_name

from tools import ROOT

CLIENT = ROOT / "pyclient" / "src" / "payer_policy"
CONFIG = str(ROOT / "pyclient" / "pyproject.toml")
MADE = "# Made by `make facts` from the tables of facts in policy/; not to be edited.\n"
BY_HAND = "_by_hand"
WIDTH = 120

Json = dict[str, Any]


def documents(policy: str) -> list[Json]:
    query = "data.payer.catalogue.documents"
    command = [str(ROOT / ".tools" / "bin" / "opa"), "eval", "--fail", "-f", "raw", "-d", policy, query]
    held: list[Json] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    return held


def modules(held: list[Json], client: Path) -> dict[str, str]:
    """File name to text for every document. Raises `InvalidValue` for a name that makes none, SystemExit when two make
    the same or one is taken."""
    made: dict[str, str] = {}
    for entry in held:
        name = f"{module_name(entry['document'])}.py"
        file = client / name
        by_hand = file.exists() and MADE not in file.read_text(encoding="utf-8")
        if name in made or by_hand or file.with_suffix("").is_dir():  # a room
            raise SystemExit(f"{entry['document']}: the name {name} is taken; give the document another id")
        made[name] = formatted(module(entry, client))
    return made


def formatted(text: str) -> str:
    """As ruff would have it, without the imports that are not needed."""
    ruff = str(Path(sys.executable).with_name("ruff"))
    for command in ("check --fix --quiet --select F401,I", "format"):
        arguments = [ruff, *command.split(), "--config", CONFIG, "-"]
        text = subprocess.run(arguments, input=text, check=True, capture_output=True, text=True).stdout
    return text


def module(entry: Json, client: Path) -> str:
    latest = entry["versions"][-1]
    groups = [*alike(entry["versions"])][::-1]
    classes = [class_name(group, latest) for group in groups]
    by_hand = client / f"{module_name(entry['document'])}{BY_HAND}.py"
    names = names_in(by_hand) if by_hand.exists() else []
    return "\n".join(
        [
            f'"""The facts of {entry["document"]}, {latest["title"]}."""',
            MADE,
            "from __future__ import annotations",
            "from collections.abc import Mapping, Sequence",
            "from dataclasses import dataclass",
            "from datetime import date",
            "from typing import ClassVar, Literal",
            "from payer_policy.runtime.facts import Bound, FactsBase",
            *(f"from payer_policy.{by_hand.stem} import {name}" for name in names),
            f"__all__ = {json.dumps([*sorted(classes), *sorted(names)])}",
            *(written(entry["document"], group, name) for group, name in zip(groups, classes, strict=True)),
        ]
    )


def alike(versions: list[Json]) -> Iterator[list[Json]]:
    """The versions, oldest first, those together whose facts are the same but for the clauses that read them."""
    group: list[Json] = []
    for held in versions:
        if group and table(group[-1]) != table(held):
            yield group
            group = []
        group.append(held)
    yield group


def table(held: Json) -> list[Json]:
    return [{name: value for name, value in fact.items() if name != "criteria"} for fact in held["facts"]]


def class_name(group: list[Json], latest: Json) -> str:
    return "Facts" if group[-1] is latest else f"Facts{group[0]['version'].replace('-', '_')}"


def names_in(file: Path) -> list[str]:
    """What a module says that it offers."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    raise SystemExit(f"{file.name} has no __all__, which says what it offers")


def written(document: str, group: list[Json], name: str) -> str:
    first, last = group[0], group[-1]
    until = f"to {last['effective_to']}" if last["effective_to"] else "on"
    which = f"version {first['version']}" if first is last else f"versions {first['version']} to {last['version']}"
    lines = [
        "",
        "@dataclass(frozen=True, kw_only=True, repr=False)",
        f"class {name}(FactsBase):",
        *docstring(
            f"What is known for {document}, {which}, in force from {first['effective_from']} {until}."
            " None means unknown, never false."
        ),
        "",
    ]
    for attribute, key in (("_units", "unit"), ("_synonyms", "synonyms")):
        if said := {fact["name"]: fact[key] for fact in last["facts"] if key in fact}:
            of = "str" if key == "unit" else "Mapping[str, str]"
            lines += [f"    {attribute}: ClassVar[Mapping[str, {of}]] = {json.dumps(said, ensure_ascii=False)}", ""]
    for fact in last["facts"]:
        lines += [f"    {fact['name']}: {hint(fact)} | None = None", *docstring(words(fact)), ""]
    return "\n".join(lines)


def hint(fact: Json) -> str:
    values = json.dumps(list(fact.get("values", ())), ensure_ascii=False)
    return {
        "string": f"Literal{values}",
        "array": f"Sequence[Literal{values}]",
        "boolean": "bool",
        "integer": "int | Bound",
        "number": "float | Bound",
        "date": "date",
    }[fact["type"]]


def words(fact: Json) -> str:
    said = [fact["question"], *([fact["note"]] if "note" in fact else [])]
    if "values" in fact:
        labels = [
            f"`{value}`, {label}" if plain(value) != plain(label) else f"`{value}`"
            for value, label in fact["values"].items()
        ]
        said.append(f"{'; '.join(labels)}.")
    if fact["type"] == "array":
        said.append("Complete when given, no repeats; `()` means none.")
    if "minimum" in fact:
        said.append(f"From {fact['minimum']} to {fact['maximum']} {fact.get('unit', '')}".rstrip() + ".")
    *others, last = fact["criteria"]
    said.append(f"Read by {', '.join(others)} and {last}." if others else f"Read by {last}.")
    return " ".join(said)


def plain(text: str) -> str:
    return text.replace("_", " ").replace("-", " ").casefold()


def docstring(text: str) -> list[str]:
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    return textwrap.wrap(
        f'"""{text}"""', WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4, break_long_words=False
    )


def main() -> None:
    made = modules(documents(sys.argv[1]), CLIENT)
    gone = [file for file in CLIENT.glob("*.py") if file.name not in made and MADE in file.read_text(encoding="utf-8")]
    if "--check" not in sys.argv:
        for file in gone:
            file.unlink()
        for name, text in made.items():
            (CLIENT / name).write_text(text, encoding="utf-8", newline="\n")
        return
    stale = [file.name for file in gone]
    for name, text in made.items():
        file = CLIENT / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        raise SystemExit(f"{', '.join(sorted(stale))}: not made from the facts in policy/: make facts")


if __name__ == "__main__":
    main()
