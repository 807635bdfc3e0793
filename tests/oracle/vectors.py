"""The vectors of policy_tests/, the same table that `opa test` runs; vectors_test.rego says what `expect` holds."""

import json
from typing import Any

import yaml
from payer_policy import EmbeddedPolicy

from tests import ROOT

VECTORS: dict[str, dict[str, Any]] = {
    vector["name"]: vector
    for file in sorted((ROOT / "policy_tests" / "vectors").glob("*/*.yaml"))
    for vectors in yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader).values()
    for vector in vectors
}

# Where a node of the criteria has its parts.
PARTS = ("all_of", "any_of", "none_of", "of")


def in_process(policy: EmbeddedPolicy, entry_point: str, question: object) -> Any:  # noqa: ANN401
    """Below the typed methods, which refuse to send what is no request."""
    return policy._policy.evaluate(json.dumps(question, ensure_ascii=False), f"payer/{entry_point}")


def states(criteria: dict[str, Any] | None) -> dict[str, str]:
    """The state of every node, by id."""
    found: dict[str, str] = {}
    nodes = [] if criteria is None else criteria["pathways"] + criteria["exclusions"]
    while nodes:
        node = nodes.pop()
        found[node["id"]] = node["state"]
        nodes += [part for kind in PARTS for part in node.get(kind, [])]
    return found


def difference(decision: dict[str, Any], expect: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What a decision has and what was expected, for all that differs."""
    state_of = states(decision["criteria"])
    seen = {
        "outcome": decision["outcome"],
        "pathways": decision["pathways_met"],
        "missing": {entry["fact"]: entry["criteria"] for entry in decision["missing"]},
        "errors": [error["path"] for error in decision["errors"]],
        "advisories": [advisory["code"] for advisory in decision["advisories"]],
        "reasons": [reason["criterion"] for reason in decision["reasons"]],
        "states": {id_: state_of.get(id_) for id_ in expect.get("states", {})},
        "next_step": decision["next_step"],
        "ask_first": decision["ask_first"],
        "terms": decision["terms"],
        "request_id": decision["request_id"],
        "version": (decision["policy"] or {}).get("version"),
        "date": decision["date_of_service"],
    }
    wanted = {"pathways": [], "missing": {}, "errors": [], "advisories": [], **expect}
    return {name: (seen[name], value) for name, value in wanted.items() if seen[name] != value}
