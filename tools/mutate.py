"""Mutation testing of Rego: change one thing in the policy, run its tests, and see whether they notice.

    mutate.py [POLICY [TESTS]] [--only GLOB…] [--list]

What is changed is in tools/mutants.py. A mutant is *killed* when a test
fails or time runs out, *refused* when the gate on documents (tools/check) says what is wrong with it, it *does not
compile* when OPA's compiler does so, and otherwise it has *survived*: then a test is missing, or the change means
nothing and stands, with the reason, in the list of equivalents. Exit code 1: a survivor that is not on the list, or an
entry of the list that names no surviving mutant.

A document's files are changed beside the engine alone and tested with the tests and vectors of that document, so that
the cost grows with the documents and not with their square. The engine is tested with everything.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table

from tools.mutants import Failure, Generator, Key, Mutant, Source, Vocabulary

ROOT = Path(__file__).resolve().parents[1]


class NotCompiling(Exception):
    pass


def _names(opa: str, tests: Path) -> dict[str, str]:
    """Every test and the file it stands in; files with tables of tests take longest and come last."""
    quick: dict[str, str] = {}
    slow: dict[str, str] = {}
    for path in sorted(tests.rglob("*_test.rego")):
        source = Source(opa, path, path.name)
        heads = [rule["head"]["ref"] for rule in source.rules if rule["head"]["ref"][0]["value"].startswith("test_")]
        names = {".".join(["data", *source.package, head[0]["value"]]): path.stem for head in heads}
        (slow if any(len(head) > 1 for head in heads) else quick).update(names)
    return quick | slow


def _passed(value: object) -> bool:
    return all(map(_passed, value.values())) if isinstance(value, dict) else value is True


class Suite:
    """The tests that concern a document, or all with "", run on one mutant at a time in each of some copies."""

    def __init__(self, opa: str, policy: Path, tests: Path, scratch: Path, workers: int, sources: list[Source]) -> None:
        self.opa, self.policy, self.gated = opa, policy, any(source.document for source in sources)
        self.tests = scratch / tests.name  # copied: what changes meanwhile does not matter
        for file in tests.rglob("*"):
            if file.is_file() and _concerns(file.relative_to(tests), sources):
                _copy(file, self.tests / file.relative_to(tests))
        for file in self.tests.rglob("*.yaml"):  # OPA reads JSON in a sixth of the time, and does so for every mutant
            file.with_suffix(".json").write_text(json.dumps(yaml.safe_load(file.read_text(encoding="utf-8"))))
            file.unlink()
        self.copies: queue.Queue[Path] = queue.Queue()
        for i in range(workers):
            copy = scratch / str(i) / policy.name
            for source in sources:
                _copy(source.path, copy / source.path.relative_to(policy))
            self.copies.put(copy)
        self.tested = _names(opa, self.tests)
        started = time.monotonic()
        self.values = self._evaluate([copy, self.tests], list(self.tested))
        self.patience = 10 + 10 * (time.monotonic() - started)
        if len(self.values) != len(self.tested) or not _passed(self.values):
            raise Failure("the tests must pass before anything is changed; see opa test")
        self.engine = [source.path.relative_to(policy) for source in sources if not source.document]
        self.alone = {name: tests for name, tests in self._by_file() if self._stands_alone(copy, name, tests)}
        if self._refused(copy):
            raise Failure("the documents must be sound before anything is changed; see tools/check")

    def _opa(self, *arguments: str, patience: float | None = None) -> subprocess.CompletedProcess[str]:
        """On one core, and without collecting garbage before it matters, which is half of what a small run costs."""
        environment = {**os.environ, "GOMAXPROCS": "1", "GOGC": "off", "GOMEMLIMIT": "1GiB"}
        return subprocess.run(
            [self.opa, *arguments], capture_output=True, text=True, check=False, timeout=patience, env=environment
        )

    def _by_file(self) -> Iterator[tuple[str, list[str]]]:
        for name in sorted(set(self.tested.values())):
            yield name, [test for test, file in self.tested.items() if file == name]

    def _near(self, policy: Path, name: str) -> list[Path]:
        """A test file, the engine and what tests stand on, which are read in a third of the time that all takes."""
        beside = [file for file in self.tests.rglob("*.rego") if file.stem == name or not file.stem.endswith("_test")]
        return [*beside, *(policy / file for file in self.engine)]

    def _stands_alone(self, policy: Path, name: str, tests: list[str]) -> bool:
        return self._evaluate(self._near(policy, name), tests, self.patience) == {
            test: self.values[test] for test in tests
        }

    def _evaluate(self, files: list[Path], tests: list[str], patience: float | None = None) -> dict[str, object]:
        """What the tests say, as one query: it stops at the first that fails, and traces nothing as `opa test` does."""
        data = [f"--data={file}" for file in files]
        answer = json.loads(
            self._opa("eval", "--format", "json", *data, f"[{', '.join(tests)}]", patience=patience).stdout
        )
        if any(not error["code"].startswith("eval_") for error in answer.get("errors", [])):
            raise NotCompiling
        if "result" not in answer:
            return {}
        return dict(zip(tests, answer["result"][0]["expressions"][0]["value"], strict=True))

    def _refused(self, policy: Path) -> bool:
        """Whether the gate on documents says so, where there is one to ask."""
        gate = [str(ROOT / "tools" / "check"), str(policy)]
        return self.gated and subprocess.run(gate, capture_output=True, check=False).returncode != 0

    def run(self, mutant: Mutant) -> str:
        copy = self.copies.get()
        file = copy / mutant.source.path.relative_to(self.policy)
        try:
            file.write_text(mutant.mutated, encoding="utf-8")
            return self._verdict(copy, mutant.source.path.stem)
        finally:
            file.write_text(mutant.source.text, encoding="utf-8")
            self.copies.put(copy)
            # What the gate keeps of a file it has seen is of use for what stays.
            seen = hashlib.sha256(mutant.mutated.encode()).hexdigest()
            (ROOT / "build" / "parsed" / f"{seen}.json").unlink(missing_ok=True)

    def _verdict(self, policy: Path, changed: str) -> str:
        """The tests of the file that was changed come first, where they pass without the documents by themselves."""
        own = f"{changed}_test"
        tests = sorted(self.tested, key=lambda test: self.tested[test] != own)
        try:
            if own in self.alone and not self._stands_alone(policy, own, self.alone[own]):
                return "killed"
            if self._evaluate([policy, self.tests], tests, self.patience) != self.values:
                return "killed"
        except subprocess.TimeoutExpired:
            return "killed"
        except NotCompiling:
            return "not compiling"
        return "refused" if self._refused(policy) else "survived"


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


def _concerns(test: Path, sources: list[Source]) -> bool:
    """Whether a file of tests is of some sources: of all documents everything, of one what names no other."""
    documents = {source.document for source in sources} - {""}
    if len(documents) != 1:
        return True
    [name] = map(module, documents)
    if test.parts[0] == "vectors":
        return test.parts[1] == name
    own = re.fullmatch(rf"{name}(_\d{{4}}_\d\d_\d\d)?_test", test.stem)
    of_all = len(test.parts) == 1 and (test.stem == "vectors_test" or not test.stem.endswith("_test"))
    return bool(own) or of_all


def module(document: str) -> str:
    """What a document's files are named by."""
    return document.lower().replace("-", "").replace(".", "_")


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
