"""Published versions and their lock.

    publish.py check            refuses any edit to a published version; names the drafts, and what each lacks
    publish.py publish          locks every draft that has what a version needs
    publish.py golden           locks the decisions on examples and vectors that have come since
    publish.py stage FOLDER     copies what is published, and the engine, there: what production decides with

A decision must replay for as long as anyone may ask for its reasons, so a published version never changes; correcting
one means a new version. What is not published yet is a draft: tested, but in no bundle and no wasm. published.json
holds the digest of each file of each version, whatever the file is called: it is filed elsewhere when it is superseded.
What of a FHIR record establishes a fact is not locked: no decision reads it (tools/check), and codes are mended.
What a version means lies in the shared vocabulary too, so policy_tests/golden/ holds decisions under it: those on its
examples to the byte, of those on its vectors the digest.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from payer_policy import Decision, EmbeddedPolicy, InvalidValue, PolicyError
from payer_policy.runtime.documents import module_name
from payer_policy.workshop.records import record_line

from tools import ROOT
from tools.checkout import PACKAGE
from tools.docs.document import File
from tools.docs.page import readings

POLICY, LOCK, GOLDEN = ROOT / "policy", ROOT / "published.json", ROOT / "policy_tests" / "golden"
OPA = ROOT / ".tools" / "bin" / "opa"
SAMPLE = 2_000  # combinations of the facts of a version that is published

RECORD = re.compile(r"^package payer\.records\[", re.MULTILINE)

RULE = re.compile(r"[A-Za-z_]")  # a formatted rule begins with its name, and what is in it with a blank or a bracket

Held = dict[str, dict[str, dict[str, str]]]  # document, version, part (criteria or facts), digest


def files(policy: Path) -> Iterator[tuple[Path, str, str, str]]:
    """Each file of a version in the folder of a policy, with its document, version and text."""
    for path in sorted(policy.rglob("*.rego")):
        text = path.read_text(encoding="utf-8")
        for document, version in PACKAGE.findall(text):
            yield path, document, version, text


def held(policy: Path) -> tuple[Held, list[str]]:
    """What is in the folder of a policy, and what is wrong with it."""
    found: Held = {}
    problems = []
    for path, document, version, text in files(policy):
        if RECORD.search(text):
            continue
        part = "facts" if path.stem.endswith("_facts") else "criteria"
        parts = found.setdefault(document, {}).setdefault(version, {})
        if part in parts:
            problems.append(f"{path.name}: the {part} of {document} {version} stand in another file already")
        parts[part] = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        if not _is_date(version):
            problems.append(f"{path.name}: the version {version} is no calendar date")
    return found, problems


def problems(policy: Path, lock: Path) -> Iterator[str]:
    """Why the folder cannot be released, in words; nothing when it can."""
    found, wrong = held(policy)
    yield from wrong
    published: Held = json.loads(lock.read_text(encoding="utf-8"))
    for document, versions in published.items():
        for version, parts in versions.items():
            for part, digest in parts.items():
                here = found.get(document, {}).get(version, {}).get(part)
                if here is None:
                    yield f"{document} {version} is published, but its {part} are gone: it must stay executable"
                elif here != digest:
                    yield (
                        f"{document} {version} is published, but its {part} were edited: take the edit back and begin"
                        f" a new version with payer-policy revise {document}"
                    )
    for document, version in drafts(policy, lock):
        locked = sorted(published.get(document, {}))
        if locked and locked[0] < version < locked[-1]:
            yield (
                f"{document} {version} begins between {locked[0]} and {locked[-1]}, which are published: decisions"
                " made would change"
            )
        if len(found[document][version]) < 2:
            yield f"{document} {version} has not both criteria and facts"


def drafts(policy: Path, lock: Path) -> list[tuple[str, str]]:
    """The versions that are not published yet, as document and version."""
    published: Held = json.loads(lock.read_text(encoding="utf-8")) if lock.exists() else {}
    found, _ = held(policy)
    return [
        (document, version)
        for document, versions in found.items()
        for version in versions
        if version not in published.get(document, {})
    ]


def wanting(root: Path, document: str, version: str) -> Iterator[str]:
    """What a version of a document needs besides its rules before it can be published. What an older version has does
    not count for it."""
    name = module_name(document)
    criteria = {
        begins: path
        for path, known, begins, _ in files(root / "policy")
        if known == document and not path.stem.endswith(("_facts", "_record"))
    }
    until = min((later for later in criteria if later > version), default="2200")  # no request may name a later day
    before = max((earlier for earlier in criteria if earlier < version), default="")
    reviewed, history = _history(criteria.get(version))
    new = history - _history(criteria.get(before))[1]
    named = re.compile(rf'"{re.escape(document)}"(?:, |\]\[)"{version}"')
    tests = (file.read_text(encoding="utf-8") for file in (root / "policy_tests").rglob("*_test.rego"))
    reading = root / "tests" / "readings" / f"{name}.py"

    def in_force(requests: Iterable[Any]) -> bool:
        return any(version <= str(request.get("date_of_service")) < until for request in requests)

    there = {
        f"entry of its last review in its history (policy/{name}.rego)": any(date == reviewed for date, _ in new),
        f"vectors on its days: every clause met, not met and unknown (policy_tests/vectors/{name}/)": in_force(
            requests_of_vectors(root, document)
        ),
        f"test of its tree and its facts, which names it (policy_tests/{name}_test.rego)": any(
            named.search(text) and "\ntest_" in text for text in tests
        ),
        f"list of its clauses and second reading (tests/readings/{name}.py)": reading.exists()
        and f'"{version}"' in reading.read_text(encoding="utf-8"),
        f"readings, each with its reason (docs/readings.md, ## {document})": bool(readings(document, root / "docs")),
        "example on one of its days (examples/)": in_force(examples(root, document)),
    }
    for what, is_there in there.items():
        if not is_there:
            yield f"{document} {version} has no {what}"


def publish(policy: Path, lock: Path) -> None:
    """Adds what is not published yet. Never touches what is."""
    found, _ = held(policy)
    published: Held = json.loads(lock.read_text(encoding="utf-8")) if lock.exists() else {}
    for document, version in drafts(policy, lock):
        published.setdefault(document, {})[version] = found[document][version]
    lock.write_text(json.dumps(published, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def locked(policy: EmbeddedPolicy, golden: Path, document: str, version: str) -> dict[Path, str]:
    """The decisions kept under a version, by file: those that are, and behind them those on examples and vectors that
    have come since. Raises `PolicyError` when one cannot be made or read."""
    made = {}
    for ending, requests, lines in (
        (".jsonl", examples(ROOT, document), records),
        (".vectors", requests_of_vectors(ROOT, document), digests),
    ):
        file = golden / f"{document}_{version}{ending}"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        known = [json.dumps(json.loads(line)["request"], sort_keys=True) for line in text.splitlines()]
        new = [each for each in requests if json.dumps(each, sort_keys=True) not in known]
        pairs = zip(new, _decide(policy, new), strict=True)
        new = [each for each, decision in pairs if decision.policy and decision.policy.version == version]
        made[file] = text + lines(policy, new, version, len(known) + 1)
    return made


def examples(root: Path, document: str) -> Iterator[Any]:
    """The examples of a document."""
    for file in sorted((root / "examples").rglob("*.yaml")):
        request = yaml.safe_load(file.read_text(encoding="utf-8"))
        if isinstance(request, dict) and request.get("document") == document:
            yield request


def requests_of_vectors(root: Path, document: str) -> Iterator[Any]:
    """Those that name the document."""
    for file in sorted((root / "policy_tests" / "vectors" / module_name(document)).glob("*.yaml")):
        for table in yaml.safe_load(file.read_text(encoding="utf-8")).values():
            for vector in table:
                if isinstance(vector["input"], dict) and vector["input"].get("document") == document:
                    yield vector["input"]


def records(policy: EmbeddedPolicy, requests: list[Any], version: str, first: int = 1) -> str:
    """As `payer-policy batch` writes them, numbered from `first` on."""
    return "".join(
        record_line(line=number, request=request, decision=decision.to_dict())
        for number, (request, decision) in enumerate(
            zip(requests, _decide(policy, requests, version), strict=True), first
        )
    )


def digests(policy: EmbeddedPolicy, requests: list[Any], version: str, first: int = 1) -> str:
    """A line for each request, which has no number: it, and the digest of the decision on it under a version."""
    return "".join(
        json.dumps({"request": request, "sha256": digest(decision.to_dict())}, sort_keys=True) + "\n"
        for request, decision in zip(requests, _decide(policy, requests, version), strict=True)
    )


def digest(decision: dict[str, Any]) -> str:
    """Of a decision, but for the last day in force of its version, which is set when the next one begins."""
    policy = decision["policy"] and decision["policy"] | {"effective_to": None}
    return hashlib.sha256(json.dumps(decision | {"policy": policy}, sort_keys=True).encode()).hexdigest()


def _decide(policy: EmbeddedPolicy, requests: list[Any], version: str | None = None) -> Iterator[Decision]:
    for answer in policy.decide_many(requests, version=version):
        if not isinstance(answer, Decision):
            raise answer
        yield answer


def compiled(policy: Path, bundle: Path) -> Path:
    """A folder of Rego as the client takes it. Raises `InvalidValue` when OPA refuses it."""
    entry_points = [f"--entrypoint=payer/{name}" for name in ("decision", "decisions", "catalogue")]
    done = subprocess.run([OPA, "build", "--target=wasm", *entry_points, f"--output={bundle}", policy], check=False)
    if done.returncode:
        raise InvalidValue(f"{policy} does not compile")
    return bundle


def with_drafts() -> EmbeddedPolicy:
    """What policy/ says, in process: the client's policy, which has no drafts; where there are any, one with them.
    Raises `InvalidValue` when it does not compile."""
    if not drafts(POLICY, LOCK):
        return EmbeddedPolicy()
    with tempfile.TemporaryDirectory() as folder:
        return EmbeddedPolicy(compiled(POLICY, Path(folder) / "drafts.tar.gz"))


def stage(policy: Path, lock: Path, folder: Path) -> None:
    """Copies a policy without its drafts to a folder, which must not be there, and resolves its METADATA."""
    unpublished = set(drafts(policy, lock))
    left_out = {path for path, document, version, _ in files(policy) if (document, version) in unpublished}
    for path in sorted(policy.rglob("*.rego")):
        if path not in left_out:
            target = folder / path.relative_to(policy)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    resolve(folder)


def resolve(folder: Path) -> None:
    """A rule's METADATA becomes a constant where it is used: OPA keeps each three times, a quarter of the memory that a
    document takes."""
    command: list[str | Path] = [OPA, "inspect", "--annotations", "--format", "json", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    notes: dict[str, dict[int, Any]] = {}  # by file and row
    for note in json.loads(done.stdout)["annotations"]:
        if note["annotations"]["scope"] == "rule":
            notes.setdefault(note["location"]["file"], {})[note["location"]["row"]] = note["annotations"]
    for path, _, _, text in list(files(folder)):
        path.write_text(resolved(text, notes.get(str(path.relative_to(folder)), {})), encoding="utf-8")


def resolved(text: str, notes: dict[int, Any]) -> str:
    """A file of a version without the METADATA of its rules, given by the row of each rule, but with what its criteria
    read of it."""
    lines = text.split("\n")
    above: set[int] = set()
    for row, note in notes.items():
        said = json.dumps({name: note[name] for name in ("description", "custom") if name in note}, ensure_ascii=False)
        place = row - 1
        above.update(itertools.takewhile(lambda line: lines[line].startswith("#"), range(place - 1, -1, -1)))
        while True:
            lines[place] = lines[place].replace("rego.metadata.rule()", said)
            place += 1
            if place == len(lines) or RULE.match(lines[place]):
                break
    found = "\n".join(line for place, line in enumerate(lines) if place not in above)
    if "rego.metadata.rule()" in found:
        raise ValueError("rego.metadata.rule() stands apart from its METADATA")
    return found


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _history(criteria: Path | None) -> tuple[str, set[tuple[str, str]]]:
    """By a file of criteria, the day of the last review, and the changes with theirs."""
    custom = File(str(criteria)).about.get("custom", {}) if criteria else {}
    changes = {(str(each.get("date")), str(each.get("change"))) for each in custom.get("history") or []}
    return str(custom.get("last_reviewed")), changes


def _runs(*module: str) -> bool:
    return subprocess.run([sys.executable, "-m", *module], cwd=ROOT, check=False).returncode == 0


def _traced() -> bool:
    """Whether each clause of each version has its rule, its vectors and its place in a second reading."""
    quiet = ("-q", "-rN", "--tb=line", "-c", "pyclient/pyproject.toml", "--rootdir", ".")
    return _runs("pytest", *quiet, "tests/test_traceability.py")


def unready(root: Path, unpublished: list[tuple[str, str]]) -> Iterator[str]:
    """What drafts lack before they can be published."""
    for draft in unpublished:
        yield from wanting(root, *draft)
    if unpublished and not _traced():
        yield "a clause has no rule, no vector of a state or no second reading: the test above says which"


def _proved(document: str, version: str) -> bool:
    """Whether OPA, with all drafts, and the second reading decide a sample alike."""
    return _runs("tests.oracle.prove", document, version, "--sample", str(SAMPLE))


def _lock(unpublished: list[tuple[str, str]]) -> None:
    """All that is kept of a version is made before any of it is written."""
    with with_drafts() as policy:
        made = [locked(policy, GOLDEN, *draft) for draft in unpublished]
    for kept in made:
        _write(kept)
    publish(POLICY, LOCK)


def _write(kept: dict[Path, str]) -> None:
    for file, text in kept.items():
        file.write_text(text, encoding="utf-8")


def _grown() -> Iterator[tuple[str, str, dict[Path, str]]]:
    """The published versions whose examples or vectors are more than those whose decisions are locked."""
    with with_drafts() as policy:
        for document, versions in json.loads(LOCK.read_text(encoding="utf-8")).items():
            for version in versions:
                kept = locked(policy, GOLDEN, document, version)
                if any(not file.exists() or file.read_text(encoding="utf-8") != text for file, text in kept.items()):
                    yield document, version, kept


def main(step: str, *arguments: str) -> int:
    found = list(problems(POLICY, LOCK))
    unpublished = drafts(POLICY, LOCK)
    try:
        if step == "publish":
            # What is wrong is wrong for good once it is locked.
            found += unready(ROOT, unpublished)
            if not found and not all(_proved(*draft) for draft in unpublished):
                found.append("the policy and a second reading decide otherwise: what differs stands above")
            if not found:
                _lock(unpublished)
        elif step == "stage":
            stage(POLICY, LOCK, Path(arguments[0]))
        elif step == "golden":
            for _, _, kept in _grown():
                _write(kept)
        else:
            for document, version in unpublished:
                print(f"{document} {version} is a draft, in no bundle and no wasm: make publish")
            for lack in unready(ROOT, unpublished):
                print(f"make publish will say: {lack}")
            found += [
                f"{document} {version} has examples or vectors on which its decisions are not locked: make golden"
                for document, version, _ in _grown()
            ]
    except PolicyError as error:
        found.append(f"a decision of a draft cannot be made or read: {error}")
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
