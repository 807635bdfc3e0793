"""Published versions and their lock.

    publish.py check            refuses any edit to a published version; names the drafts
    publish.py publish          locks every draft that has what a version needs
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
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from payer_policy import Decision, EmbeddedPolicy
from payer_policy.runtime.documents import module_name
from payer_policy.workshop.records import record_line

from tools import ROOT
from tools.checkout import PACKAGE

POLICY, LOCK, GOLDEN = ROOT / "policy", ROOT / "published.json", ROOT / "policy_tests" / "golden"

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
    """What a version of a document needs besides its rules before it can be published."""
    name = module_name(document)
    places = {
        f"policy_tests/vectors/{name}/": "vectors: every clause met, not met and unknown",
        f"policy_tests/{name}_test.rego": "test of its tree and its facts",
        f"tests/readings/{name}.py": "list of its clauses and second reading of the document",
        f"docs/readings.md, ## {document}": "readings, each with its reason",
        "examples/": "example",
    }
    readings = (root / "docs" / "readings.md").read_text(encoding="utf-8")
    there = {
        f"policy_tests/vectors/{name}/": any((root / "policy_tests" / "vectors" / name).glob("*.yaml")),
        f"policy_tests/{name}_test.rego": (root / "policy_tests" / f"{name}_test.rego").exists(),
        f"tests/readings/{name}.py": (root / "tests" / "readings" / f"{name}.py").exists(),
        f"docs/readings.md, ## {document}": f"\n## {document}" in readings,
        "examples/": bool(list(examples(root, document))),
    }
    for place, what in places.items():
        if not there[place]:
            yield f"{document} {version} has no {what} ({place})"


def publish(policy: Path, lock: Path) -> None:
    """Adds what is not published yet. Never touches what is."""
    found, _ = held(policy)
    published: Held = json.loads(lock.read_text(encoding="utf-8")) if lock.exists() else {}
    for document, version in drafts(policy, lock):
        published.setdefault(document, {})[version] = found[document][version]
    lock.write_text(json.dumps(published, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def keep(golden: Path, document: str, version: str) -> None:
    """Writes the decisions under a version, which the embedded policy must hold by now."""
    (golden / f"{document}_{version}.jsonl").write_text(decided(document, version), encoding="utf-8")
    (golden / f"{document}_{version}.vectors").write_text(
        digests(vectors(document, version), version), encoding="utf-8"
    )


def examples(root: Path, document: str) -> Iterator[Any]:
    """The examples of a document."""
    for file in sorted((root / "examples").rglob("*.yaml")):
        request = yaml.safe_load(file.read_text(encoding="utf-8"))
        if isinstance(request, dict) and request.get("document") == document:
            yield request


def decided(document: str, version: str) -> str:
    """The examples of a document that a version decides, or all if it decides none, as `payer-policy batch` writes
    them."""
    requests = _in_force(examples(ROOT, document), version) or list(examples(ROOT, document))
    return "".join(
        record_line(line=number, request=requests[number - 1], decision=decision.to_dict())
        for number, decision in enumerate(_decide(requests, version), 1)
    )


def vectors(document: str, version: str) -> list[Any]:
    """The requests of a document's vectors that a version decides."""
    requests = [
        vector["input"]
        for file in sorted((ROOT / "policy_tests" / "vectors" / module_name(document)).glob("*.yaml"))
        for table in yaml.safe_load(file.read_text(encoding="utf-8")).values()
        for vector in table
        if isinstance(vector["input"], dict) and vector["input"].get("document") == document
    ]
    return _in_force(requests, version)


def _in_force(requests: Iterable[Any], version: str) -> list[Any]:
    """Those that a version decides by their date of service."""
    requests = list(requests)
    pairs = zip(requests, _decide(requests), strict=True)
    return [request for request, decision in pairs if decision.policy and decision.policy.version == version]


def digests(requests: list[Any], version: str) -> str:
    """A line for each request: it, and the digest of the decision on it under a version."""
    return "".join(
        json.dumps({"request": request, "sha256": digest(decision.to_dict())}, sort_keys=True) + "\n"
        for request, decision in zip(requests, _decide(requests, version), strict=True)
    )


def digest(decision: dict[str, Any]) -> str:
    """Of a decision, but for the last day in force of its version, which is set when the next one begins."""
    policy = decision["policy"] and decision["policy"] | {"effective_to": None}
    return hashlib.sha256(json.dumps(decision | {"policy": policy}, sort_keys=True).encode()).hexdigest()


def _decide(requests: list[Any], version: str | None = None) -> Iterator[Decision]:
    with EmbeddedPolicy() as policy:
        for answer in policy.decide_many(requests, version=version):
            if not isinstance(answer, Decision):
                raise answer
            yield answer


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
    command: list[str | Path] = [ROOT / ".tools" / "bin" / "opa", "inspect", "--annotations", "--format", "json", "."]
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


def _traced() -> bool:
    """Whether each clause of each version has its rule, its vectors and its place in a second reading."""
    test = ["-m", "pytest", "-q", "-c", "pyclient/pyproject.toml", "--rootdir", ".", "tests/test_traceability.py"]
    return subprocess.run([sys.executable, *test], cwd=ROOT, check=False).returncode == 0


def main(step: str, *arguments: str) -> int:
    found = list(problems(POLICY, LOCK))
    unpublished = drafts(POLICY, LOCK)
    if step == "publish":
        # What is wrong is wrong for good once it is locked.
        found += [problem for draft in unpublished for problem in wanting(ROOT, *draft)]
        if not found and unpublished and not _traced():
            found.append("a clause has no rule, no vector of a state or no second reading: the test above says which")
        if not found:
            publish(POLICY, LOCK)
    elif step == "stage":
        stage(POLICY, LOCK, Path(arguments[0]))
    elif step == "golden":
        names = {file.name for file in GOLDEN.iterdir()}
        for document, versions in json.loads(LOCK.read_text(encoding="utf-8")).items():
            for version in versions:
                if f"{document}_{version}.jsonl" not in names:
                    keep(GOLDEN, document, version)
    else:
        for document, version in unpublished:
            print(f"{document} {version} is a draft, in no bundle and no wasm: make publish")
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
