"""From the document to its rules and vectors, and back. What a document consists of is what its second reading has."""

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests import ROOT
from tests.oracle.vectors import PARTS, VECTORS
from tests.readings import READINGS
from tests.readings.decision import Clause, Criterion, Leaf, Reading

STATES = ("met", "not_met", "unknown")

Id = tuple[str, str]  # pathway, clause, exclusion or part; and its id. A part is the clause it belongs to and its fact.


def listed(reading: Reading) -> Iterator[Id]:
    """What the document consists of. A clause that stands in two pathways is one."""

    def within(kind: str, criterion: Criterion, above: str) -> Iterator[Id]:
        if isinstance(criterion, Leaf) and not criterion.id:
            yield "part", f"{above}.{criterion.fact}"
        else:
            yield kind, criterion.id
        for part in criterion.parts if isinstance(criterion, Clause) else ():
            yield from within("clause", part, criterion.id)

    for kind, criteria in (("pathway", reading.pathways), ("exclusion", reading.exclusions)):
        for criterion in criteria:
            yield from within(kind, criterion, "")


LISTED = {(reading.document, reading.version): sorted(set(listed(reading))) for reading in READINGS}
CRITERIA = [(*version, *id_) for version, ids in LISTED.items() for id_ in ids]


@cache
def opa(*arguments: str) -> Any:  # noqa: ANN401
    command = [str(ROOT / ".tools" / "bin" / "opa"), *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


def catalogue() -> dict[tuple[str, str], dict[str, Any]]:
    answer = opa("eval", "--fail", "-f", "json", "-d", "policy", "data.payer.catalogue.documents")
    return {
        (entry["document"], held["version"]): held
        for entry in answer["result"][0]["expressions"][0]["value"]
        for held in entry["versions"]
    }


def cited(document: str, version: str) -> list[tuple[Id, str]]:
    """What METADATA names, and its text: the kind, which is how the rule's name begins, and the id; a part has none."""
    found = []
    for note in opa("inspect", "-a", "-f", "json", "policy")["annotations"]:
        names = [step["value"] for step in note["path"]]
        if names[2:5] == ["criteria", document, version] and len(names) > 5:
            kind = names[5].partition("_")[0] or "part"
            found.append(
                ((kind, note["annotations"].get("custom", {}).get("id", "")), note["annotations"]["description"])
            )
    return found


def in_the_tree(document: str, version: str) -> list[tuple[Id, str]]:
    """What the criteria of the policy consist of, and its text. A clause that stands in two pathways is one."""
    criteria = catalogue()[document, version]["criteria"]
    found = []
    roots = [("pathway", node, "") for node in criteria["pathways"]]
    roots += [("exclusion", node, "") for node in criteria["exclusions"]]
    while roots:
        kind, node, above = roots.pop()
        part = kind == "clause" and node["id"] == f"{above}.{node.get('fact')}"
        found.append((("part" if part else kind, node["id"]), node["text"]))
        roots += [("clause", inner, node["id"]) for parts in PARTS for inner in node.get(parts, [])]
    return sorted(set(found))


def vectors_for(document: str, version: str, id_: str, state: str) -> list[str]:
    versions = sorted(known for name, known in LISTED if name == document)
    return [
        name
        for name, vector in VECTORS.items()
        if vector["expect"].get("states", {}).get(id_) == state
        and vector["input"]["document"] == document
        and [known for known in versions if known <= vector["input"]["date_of_service"]][-1] == version
    ]


def test_every_version_held_is_listed() -> None:
    assert set(catalogue()) == set(LISTED), (
        "a version without a second reading in tests/readings, or one that is not held"
    )


@pytest.mark.parametrize(("document", "version", "kind", "id_"), CRITERIA)
def test_clause_has_a_rule(document: str, version: str, kind: str, id_: str) -> None:
    texts = [text for known, text in in_the_tree(document, version) if known == (kind, id_)]
    assert len(texts) == 1, f"the {kind} {id_} does not decide, or is not the same everywhere"
    told = [text for known, text in cited(document, version) if known == (kind, "" if kind == "part" else id_)]
    assert told.count(texts[0]) == 1, f"no rule, or more than one, is the {kind} {id_}"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("document", "version", "kind", "id_"), CRITERIA)
def test_clause_has_a_vector(document: str, version: str, kind: str, id_: str, state: str) -> None:
    assert vectors_for(document, version, id_, state), f"no vector expects the {kind} {id_} to be {state}"


@pytest.mark.parametrize(("document", "version"), LISTED)
def test_rule_is_of_a_clause(document: str, version: str) -> None:
    tree = {id_ for id_, _ in in_the_tree(document, version)}
    assert not tree - set(LISTED[document, version]), "the criteria have a clause that the document does not have"
    named = {id_ for id_, _ in cited(document, version) if id_[1]}
    assert not named - tree, "a rule cites a clause that is not in the criteria"
