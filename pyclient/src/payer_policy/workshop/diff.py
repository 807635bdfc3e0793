"""Two versions of a document, compared clause by clause in words: `payer-policy diff`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Change:
    """One difference. `kind` is added, removed, reworded, threshold, evidence, terms, regrouped, changed, or record for
    what establishes a fact; `subject` the clause, fact or code; `old` and `new` the words, None where there are
    none."""

    kind: str
    subject: str
    old: str | None
    new: str | None


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """What changed from one version to another, each as the catalogue has it: criteria, then facts, then codes.

    A rewording that only moves numbers is a threshold. What a rule does without saying so in its text does not show
    here; `impact` shows it.
    """
    changes = [*_compared("", _clauses(old["criteria"]), _clauses(new["criteria"]))]
    changes += _compared("fact ", _facts(old), _facts(new))
    for system in sorted({*old["codes"], *new["codes"]}):
        changes += _compared(f"{system} ", _codes(old, system), _codes(new, system))
    return changes


def _compared(kind: str, old: Mapping[str, dict[str, str]], new: Mapping[str, dict[str, str]]) -> Iterator[Change]:
    for subject in [*old, *(name for name in new if name not in old)]:
        name = f"{kind}{subject}"
        if subject not in new:
            yield Change("removed", name, old[subject]["text"], None)
        elif subject not in old:
            yield Change("added", name, None, new[subject]["text"])
        else:
            for aspect in old[subject]:
                before, after = old[subject][aspect], new[subject][aspect]
                if before != after:
                    yield Change(_kind(aspect, before, after), name, before, after)


def _kind(aspect: str, old: str, new: str) -> str:
    if aspect != "text":
        return aspect
    return "threshold" if _NUMBER.sub("#", old) == _NUMBER.sub("#", new) else "reworded"


def _clauses(criteria: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """By id, in the document's order. A pathway of one clause has that clause's id and is told apart by its kind."""
    found: dict[str, dict[str, str]] = {}

    def walk(node: Mapping[str, Any], parent: str, kind: str) -> None:
        name = f"{kind}{node['id']}"
        joined, parts = joined_parts(node)
        if name in found:  # it stands under several
            found[name]["regrouped"] += f" and in {parent}"
            return
        terms = node.get("terms") or {}
        found[name] = {
            "text": node["text"],
            "evidence": ", ".join(node.get("evidence", ())),
            "terms": " ".join(str(terms[part]) for part in ("text", "duration") if terms.get(part)),
            "regrouped": f"{joined} {', '.join(part['id'] for part in parts)}, in {parent}".lstrip(" ,"),
        }
        for part in parts:
            walk(part, node["id"], "")

    for pathway in criteria["pathways"]:
        walk(pathway, "the pathways", "pathway ")
    for exclusion in criteria["exclusions"]:
        walk(exclusion, "the exclusions", "")
    return found


def joined_parts(node: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """How a criterion is made of its parts, in words, and the parts; of a leaf nothing."""
    for kind in ("all_of", "any_of", "none_of"):
        if kind in node:
            return kind.replace("_", " "), node[kind]
    return (f"at least {node['at_least']} of", node["of"]) if "of" in node else ("", [])


def _facts(version: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {
        fact["name"]: {
            "text": fact["question"],
            "changed": ", ".join(
                f"{name} {'|'.join(sorted(value)) if isinstance(value, dict) else value}"
                for name, value in sorted(fact.items())
                if name not in ("name", "question", "criteria")
            ),
            "record": "; ".join(
                f"{'suggested by ' if rule.get('suggests') else ''}{rule_in_words(rule)}"
                for rule in version.get("record", {}).get(fact["name"], ())
            ),
        }
        for fact in version["facts"]
    }


def rule_in_words(rule: Mapping[str, Any]) -> str:
    """What of a FHIR record a rule takes for which value of its fact."""
    asked = [rule["resource"]]
    asked += [f"with {_spelled(rule['codes'])}"] if "codes" in rule else []
    asked += [
        f"with a component {_spelled(each['codes'])} that is {_spelled(each['value'])}"
        for each in rule.get("component", ())
    ]
    asked += [f"where {rule['where']}"] if "where" in rule else []
    asked += [f"by its {rule['read']}"] if "read" in rule else []
    means = ", ".join(f"{json.dumps(meant['value'])} {_spelled(meant['codes'])}" for meant in rule.get("means", ()))
    read = "a quantity" if rule.get("quantity") else means or "its value"
    return f"{' '.join(asked)}: {read}"


def _spelled(codes: Mapping[str, Sequence[str]]) -> str:
    return " or ".join(f"{system} {' '.join(held)}" for system, held in codes.items())


def _codes(version: Mapping[str, Any], system: str) -> dict[str, dict[str, str]]:
    return {code: {"text": label} for code, label in version["codes"].get(system, {}).items()}
