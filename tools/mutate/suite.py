"""The tests of the policy, run on one mutant at a time."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from payer_policy.runtime.documents import module_name

from tools import ROOT
from tools.mutate.mutants import Mutant
from tools.mutate.source import Failure, Source


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
    [name] = map(module_name, documents)
    if test.parts[0] == "vectors":
        return test.parts[1] == name
    own = re.fullmatch(rf"{name}(_\d{{4}}_\d\d_\d\d)?_test", test.stem)
    of_all = len(test.parts) == 1 and (test.stem == "vectors_test" or not test.stem.endswith("_test"))
    return bool(own) or of_all
