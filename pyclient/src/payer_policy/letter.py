"""A decision as a letter: plain text for a person, a fax or a patient record."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill
from typing import TYPE_CHECKING

from payer_policy.model import Criterion, Decision, NextStep, State

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH = 100

_STATE = {State.MET: "[met]", State.NOT_MET: "[not met]", State.UNKNOWN: "[open]"}

_NEXT = {
    NextStep.ISSUE_APPROVAL: "The approval can be issued.",
    NextStep.CLINICAL_REVIEW: "A person reviews the request before anything is decided; this is not a denial.",
    NextStep.REQUEST_INFORMATION: "The request stays open until the facts below are known; this is not a denial.",
    NextStep.CORRECT_REQUEST: "Nothing was decided. The request must be corrected and sent again.",
}


def letter(decision: Decision) -> str:
    return "\n\n".join("\n".join(lines) for lines in _sections(decision)) + "\n"


def _sections(decision: Decision) -> Iterator[Iterable[str]]:
    policy = decision.policy
    head = ["Prior authorisation"]
    if policy:
        head = [f"Prior authorisation: {policy.title}"]
    if decision.request_id is not None:
        head.append(_wrapped(f"Request: {decision.request_id}"))
    if decision.date_of_service:
        head.append(f"Date of service: {decision.date_of_service}")
    yield head
    outcome = decision.outcome.value.replace("_", " ").capitalize()
    yield [f"Outcome: {outcome}", _wrapped(decision.summary), _wrapped(_NEXT[decision.next_step])]
    if decision.errors:
        yield ["To correct:", *(_item(f"{error.path or 'the request'} {error.message}") for error in decision.errors)]
    if decision.missing:
        yield [
            "To send in:",
            *(
                _item(f"{item.question} ({item.fact}, for {', '.join(item.criteria)})", f"{number}. ")
                for number, item in enumerate(decision.missing, 1)
            ),
        ]
    if decision.criteria:
        yield ["Criteria, of which any one pathway suffices:", *_lines(decision.criteria.pathways, "  pathway ")]
        yield ["Exclusions:", *_lines(decision.criteria.exclusions, "  ")]
    if decision.advisories:
        yield ["Notes:", *(_item(advisory.text) for advisory in decision.advisories)]
    if policy:
        until = f"to {policy.effective_to}" if policy.effective_to else "on"
        yield [
            _wrapped(
                f"Decided under {policy.document}, version {policy.version}, in force from {policy.effective_from}"
                f" {until}, last reviewed {policy.last_reviewed}."
            )
        ]


def _lines(nodes: Iterable[Criterion], indent: str) -> Iterator[str]:
    for node in nodes:
        node = node.once
        evidence = f" ({', '.join(node.evidence)})" if node.evidence else ""
        depth = len(indent) - len(indent.lstrip()) + 2
        yield _wrapped(f"{indent}{node.id} {_STATE[node.state]} {node.text}{evidence}", depth + 2)
        yield from _lines(node.parts, " " * depth)


def _item(text: str, mark: str = "- ") -> str:
    return _wrapped(f"  {mark}{text}", 2 + len(mark))


def _wrapped(text: str, hanging: int = 0) -> str:
    return fill(text, _WIDTH, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False)
