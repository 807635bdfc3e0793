"""Published versions and their lock: `make publish` adds a version, `make published-check` refuses any edit to one.

A decision must replay for as long as anyone may ask for its reasons, so a published version never changes; correcting
one means a new version. published.json holds the digest of each file of each version, whatever the file is called: it
is renamed when it is superseded. policy_tests/golden/ holds decisions under each version, to the byte.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import yaml
from payer_policy import Decision, EmbeddedPolicy
from payer_policy.batch import record_line
from payer_policy.revise import PACKAGE

ROOT = Path(__file__).resolve().parents[1]
POLICY, LOCK, GOLDEN = ROOT / "policy", ROOT / "published.json", ROOT / "policy_tests" / "golden"

Held = dict[str, dict[str, dict[str, str]]]  # document, version, part (criteria or facts), digest


def held(policy: Path) -> tuple[Held, list[str]]:
    """What is in the folder of a policy, and what is wrong with it."""
    found: Held = {}
    problems = []
    for path in sorted(policy.glob("*.rego")):
        text = path.read_text(encoding="utf-8")
        for document, version in PACKAGE.findall(text):
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
    for document, versions in found.items():
        last = max(published.get(document, {}), default="")
        for version in versions:
            if version in published.get(document, {}):
                continue
            if version < last:
                yield f"{document} {version} begins before {last}, which is published: decisions made would change"
            if len(versions[version]) < 2:
                yield f"{document} {version} has not both criteria and facts"
            yield f"{document} {version} is not published: make publish"


def publish(policy: Path, lock: Path, golden: Path) -> None:
    """Adds what is not published yet. Never touches what is."""
    found, _ = held(policy)
    published: Held = json.loads(lock.read_text(encoding="utf-8")) if lock.exists() else {}
    for document, versions in found.items():
        for version, parts in versions.items():
            if version not in published.setdefault(document, {}):
                published[document][version] = parts
                (golden / f"{document}_{version}.jsonl").write_text(decided(document, version), encoding="utf-8")
    lock.write_text(json.dumps(published, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def decided(document: str, version: str) -> str:
    """The examples of a document, decided under a version: records as `payer-policy batch` writes them, but without
    provenance, since every engine and client must give the same."""
    requests = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted((ROOT / "examples").glob("*.yaml"))]
    requests = [request for request in requests if request.get("document") == document]
    with EmbeddedPolicy() as policy:
        lines = []
        for number, answer in enumerate(policy.decide_many(requests, version=version), 1):
            if not isinstance(answer, Decision):
                raise answer
            lines.append(record_line(line=number, request=requests[number - 1], decision=answer.to_dict()))
    return "".join(lines)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def main(step: str) -> int:
    found = list(problems(POLICY, LOCK))
    # What is wrong besides is wrong for good once it is locked.
    if step == "publish" and all(problem.endswith(": make publish") for problem in found):
        publish(POLICY, LOCK, GOLDEN)
        found = list(problems(POLICY, LOCK))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
