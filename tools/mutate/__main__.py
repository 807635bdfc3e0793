from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table

from tools import ROOT
from tools.mutate import __doc__ as description
from tools.mutate.mutants import Generator, Key, Mutant
from tools.mutate.source import Failure, Source
from tools.mutate.suite import Suite
from tools.mutate.vocabulary import Vocabulary


def parse(opa: str, policy: Path) -> list[Source]:
    paths = sorted(path for path in policy.rglob("*.rego"))
    return [Source(opa, path, f"{policy.name}/{path.relative_to(policy).as_posix()}") for path in paths]


def beside(sources: list[Source], document: str) -> list[Source]:
    """What a document is tested with: itself and what is of none; the engine, which is of none, with everything."""
    return [source for source in sources if not document or source.document in {"", document}]


def generate(sources: list[Source], only: list[str]) -> dict[str, list[Mutant]]:
    """By document, the mutants of every file that `only` matches; other documents have no word in them."""
    found: dict[str, list[Mutant]] = {}
    for source in sources:
        if source.decides and chosen(source.name, only):
            vocabulary = Vocabulary(other for other in sources if other.document in {"", source.document})
            mutants = Generator(source, vocabulary).found.values()
            found.setdefault(source.document, []).extend(sorted(mutants, key=lambda mutant: mutant.start))
    return found


def chosen(name: str, only: list[str]) -> bool:
    return any(fnmatch(name, glob) for glob in only)


def equivalents(path: Path, only: list[str]) -> set[Key]:
    """The keys of the listed mutants, which change nothing; `to` is one line or a list of them."""
    listed = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    return {
        (entry["file"], entry["rule"], entry["from"], to)
        for entry in listed or []
        for to in ([entry["to"]] if isinstance(entry["to"], str) else entry["to"])
        if entry["reason"] and chosen(entry["file"], only)
    }


def say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def report(console: Console, verdicts: list[tuple[Mutant, str]], listed: set[Key]) -> bool:
    """Prints the table and the stale entries; whether there are neither of these nor survivors."""
    fates = ("killed", "refused", "survived", "equivalent", "not compiling")
    excused = listed & {mutant.key for mutant, verdict in verdicts if verdict == "survived"}
    excused -= {mutant.key for mutant, verdict in verdicts if verdict != "survived"}
    counts: dict[str, Counter[str]] = {}
    for mutant, verdict in verdicts:
        fate = "equivalent" if mutant.key in excused else verdict
        counts.setdefault(mutant.source.name, Counter())[fate] += 1
    table = Table("file", *(Column(fate, justify="right") for fate in fates))
    for name, count in counts.items():
        table.add_row(name, *(str(count[fate]) for fate in fates))
    table.add_section()
    total = sum(counts.values(), Counter())
    table.add_row("all", *(str(total[fate]) for fate in fates))
    console.print(table)
    for file, rule, before, after in sorted(listed - excused):
        say(console, f"stale equivalent, no such mutant survives: {file} {rule}\n  - {before}\n  + {after}")
    return not total["survived"] and listed == excused


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutate", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("policy", nargs="?", type=Path, default=ROOT / "policy", help="directory of what is mutated")
    parser.add_argument("tests", nargs="?", type=Path, default=ROOT / "policy_tests", help="directory of its tests")
    parser.add_argument(
        "--only", nargs="+", default=["*"], metavar="GLOB", help="of these files alone, as policy/cc0126*"
    )
    parser.add_argument("--list", action="store_true", help="print the mutants and run none")
    parser.add_argument("--equivalents", type=Path, default=ROOT / "tools" / "equivalents.yaml", metavar="FILE")
    parser.add_argument("--opa", default=str(ROOT / ".tools" / "bin" / "opa"), metavar="COMMAND")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    console = Console()
    try:
        policy, tests = arguments.policy.resolve(), arguments.tests.resolve()
        listed = equivalents(arguments.equivalents, arguments.only)
        sources = parse(arguments.opa, policy)
        found = generate(sources, arguments.only)
        if arguments.list:
            for mutant in itertools.chain.from_iterable(found.values()):
                print(mutant)
            return 0
        if not any(found.values()):
            raise Failure("there is nothing to mutate")
        verdicts: list[tuple[Mutant, str]] = []
        for document, mutants in found.items():
            with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(arguments.workers) as pool:
                held = beside(sources, document)
                suite = Suite(arguments.opa, policy, tests, Path(scratch), arguments.workers, held)
                name = document or "engine"
                progress = track(pool.map(suite.run, mutants), name, len(mutants), console=Console(stderr=True))
                for mutant, verdict in zip(mutants, progress, strict=True):
                    verdicts.append((mutant, verdict))
                    if verdict == "survived" and mutant.key not in listed:
                        say(console, f"survived: {mutant}")
        return 0 if report(console, verdicts, listed) else 1
    except Failure as failure:
        print(f"mutate: {failure}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
