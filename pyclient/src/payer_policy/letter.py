"""A decision as a letter: plain text for a person, a fax or a patient record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import fill

from payer_policy.runtime.errors import must_be_a_decision
from payer_policy.runtime.values import Criterion, Decision, Missing, NextStep, State, Terms

_WIDTH = 100

_STATE = {State.MET: "[met]", State.NOT_MET: "[not met]", State.UNKNOWN: "[open]"}

_NEXT = {
    NextStep.ISSUE_APPROVAL: "The approval can be issued.",
    NextStep.CLINICAL_REVIEW: "A person reviews the request before anything is decided; this is not a denial.",
    NextStep.REQUEST_INFORMATION: "The request stays open until the facts below are known; this is not a denial.",
    NextStep.CORRECT_REQUEST: "Nothing was decided. The request must be corrected and sent again.",
}


def letter(decision: Decision) -> str:
    """The rationale in plain text: the outcome, each clause with its state, what to send in, document and version.

    It holds health data, though no value of a fact. Raises `InvalidValue` for what is no Decision.
    """
    must_be_a_decision(decision)
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
    if decision.terms:
        yield ["Terms of the approval:", *(_item(terms_in_words(terms)) for terms in decision.terms)]
    first, rest = to_ask(decision)
    if decision.ask_first:
        yield [
            _wrapped(f"To send in first, since it can approve by pathway {decision.ask_first.pathway}:"),
            *_asked(first),
        ]
    if rest:
        yield ["To send in if that does not settle it:" if first else "To send in:", *_asked(rest, len(first) + 1)]
    if decision.unavailable:
        yield [_wrapped(f"Open, but not to be had, so not asked for: {', '.join(decision.unavailable)}.")]
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


def to_ask(decision: Decision) -> tuple[list[Missing], list[Missing]]:
    """What is missing: the shortest way to an approval, and the rest."""
    first = decision.ask_first.facts if decision.ask_first else ()
    return (
        [item for item in decision.missing if item.fact in first],
        [item for item in decision.missing if item.fact not in first],
    )


def terms_in_words(terms: Terms) -> str:
    duration = f" ({terms.duration})" if terms.duration else ""
    return f"{terms.pathway}: {terms.text}{duration}"


def _asked(items: Iterable[Missing], start: int = 1) -> Iterator[str]:
    for number, item in enumerate(items, start):
        yield _item(f"{item.question} ({item.fact}, for {', '.join(item.criteria)})", f"{number}. ")


def _lines(nodes: Iterable[Criterion], indent: str) -> Iterator[str]:
    for node in nodes:
        node = node.once
        evidence = f" ({', '.join(node.evidence)})" if node.evidence else ""
        depth = len(indent) - len(indent.lstrip()) + 2
        joined = f" ({node.joined})" if node.joined else ""
        yield _wrapped(f"{indent}{node.id} {_STATE[node.state]} {node.text}{evidence}{joined}", depth + 2)
        yield from _lines(node.parts, " " * depth)


def _item(text: str, mark: str = "- ") -> str:
    return _wrapped(f"  {mark}{text}", 2 + len(mark))


def _wrapped(text: str, hanging: int = 0) -> str:
    return fill(text, _WIDTH, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False)
