"""From the document to its rules and vectors, and back. The clauses below are the document's, listed by hand once."""

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from conftest import ROOT
from vectors import VECTORS

STATES = ("met", "not_met", "unknown")

# Document, version, and by kind the clauses; a part is the clause it belongs to and its fact.
LISTED = {
    ("CC-0126", "2025-04-01"): {
        "pathway": {"I+II", "III+IV", "V"},
        "clause": {"I", "II", "II.A", "II.B", "II.C", "II.D", "III", "IV", "V"},
        "exclusion": {"exclusion.I", "exclusion.II"},
        "part": {
            "I.disease",
            "I.lineage",
            "I.cd19_positive",
            "II.C.mrd_percent",
            "II.C.complete_response",
            "III.disease",
            "III.lineage",
            "III.cd19_positive",
            "IV.treatment_phase",
            "IV.combined_with",
            "IV.alternating_with",
            "V.disease",
            "V.infant",
            "V.kmt2a_rearranged",
            "V.combined_with",
        },
    }
}
CRITERIA = [
    (document, version, kind, id_)
    for (document, version), kinds in LISTED.items()
    for kind, ids in kinds.items()
    for id_ in sorted(ids)
]


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


def cited(document: str, version: str) -> list[tuple[str, str]]:
    """What METADATA names: the kind, which is how the rule's name begins, and the id; the parts of a clause too."""
    found = []
    for note in opa("inspect", "-a", "-f", "json", "policy")["annotations"]:
        custom = note["annotations"].get("custom", {})
        names = [step["value"] for step in note["path"]]
        if names[2:5] == ["criteria", document, version] and "id" in custom:
            found.append((names[5].partition("_")[0], custom["id"]))
            found += [("part", f"{custom['id']}.{fact}") for fact in custom.get("parts", {})]
    return found


def in_the_tree(document: str, version: str) -> Iterator[tuple[str, str]]:
    """What the criteria of the policy consist of, whether METADATA names it or not."""
    criteria = catalogue()[document, version]["criteria"]
    roots = [("pathway", node, "") for node in criteria["pathways"]]
    roots += [("exclusion", node, "") for node in criteria["exclusions"]]
    while roots:
        kind, node, above = roots.pop()
        part = kind == "clause" and node["id"] == f"{above}.{node.get('fact')}"
        yield "part" if part else kind, node["id"]
        roots += [("clause", inner, node["id"]) for inner in node.get("all_of", []) + node.get("any_of", [])]


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
    assert set(catalogue()) == set(LISTED)


@pytest.mark.parametrize(("document", "version", "kind", "id_"), CRITERIA)
def test_clause_has_a_rule(document: str, version: str, kind: str, id_: str) -> None:
    assert cited(document, version).count((kind, id_)) == 1, f"no rule, or more than one, is the {kind} {id_}"
    assert list(in_the_tree(document, version)).count((kind, id_)) == 1, f"the {kind} {id_} does not decide"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("document", "version", "kind", "id_"), CRITERIA)
def test_clause_has_a_vector(document: str, version: str, kind: str, id_: str, state: str) -> None:
    assert vectors_for(document, version, id_, state), f"no vector expects the {kind} {id_} to be {state}"


@pytest.mark.parametrize(("document", "version"), LISTED)
def test_rule_is_of_a_clause(document: str, version: str) -> None:
    listed = {(kind, id_) for kind, ids in LISTED[document, version].items() for id_ in ids}
    assert not set(in_the_tree(document, version)) - set(cited(document, version)), "a criterion cites no clause"
    assert not set(cited(document, version)) - listed, "a rule cites a clause that the document does not have"
