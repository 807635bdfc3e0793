"""What a server answers, read strictly: what breaks the contract or does not follow from itself is no decision."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from payer_policy.runtime.errors import ProtocolError
from payer_policy.runtime.request import Written
from payer_policy.runtime.values import (
    Advisory,
    AskFirst,
    Criteria,
    Criterion,
    Decision,
    Missing,
    NextStep,
    Outcome,
    Policy,
    Provenance,
    Reason,
    RequestError,
    State,
    Terms,
)

E = TypeVar("E", bound=Enum)
P = TypeVar("P")


# Reading what a server sends: strict on what the contract names, blind to what it does not. Where a value stands is
# spelled out for an error alone, on the way up, since a decision has some hundred fields.


class _Broken(Exception):
    """What breaks the contract, at a path."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__()
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path} {self.problem}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    node = dict(pairs)
    if len(node) < len(pairs):
        raise ValueError
    return node


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # 1e999
        raise ValueError
    return number


def _no_number(_: str) -> None:
    raise ValueError


_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_number).decode


def answer_of(text: bytes) -> dict[str, Any]:
    """What a server answered, in JSON: no name twice in an object, no NaN, no Infinity. Raises `ProtocolError`."""
    answer = None
    with suppress(ValueError, RecursionError):  # whose context would hold the answer
        answer = _decode(text.decode())
    if not isinstance(answer, dict):
        raise ProtocolError("the answer is not that of OPA, a JSON object")
    return answer


def provenance_of(answer: Mapping[str, Any]) -> Provenance:
    """From an answer of OPA's Data API. Raises `ProtocolError` when it is there in another shape."""
    try:
        version, revisions = _part(answer, "provenance", _origin) if "provenance" in answer else (None, {})
        decision_id = _text(answer, "decision_id") if "decision_id" in answer else None
    except _Broken as broken:
        raise ProtocolError(f"answer{broken}") from None
    return Provenance(opa_version=version, revisions=revisions, decision_id=decision_id)


def decision_of(
    received: Any,  # noqa: ANN401
    provenance: Provenance | None = None,
    asked: Written | None = None,
    version: str | None = None,
    *,
    brief: bool = False,
) -> Decision:
    """A decision as it was received, or kept as `Decision.to_dict` gives it.

    Raises `ProtocolError` with the field when the decision breaks the contract or does not bear itself out; with what
    was `asked`, when it answers something else, and with a `version`, when another one decided. A `brief` one has no
    criteria.
    """
    tree = _Tree()
    try:
        node = _dict(received)
        decision = Decision(
            outcome=_member(node, "outcome", _OUTCOMES),
            next_step=_member(node, "next_step", _NEXT_STEPS),
            summary=_text(node, "summary"),
            request_id=_optional_text(node, "request_id"),
            date_of_service=_optional_day(node, "date_of_service"),
            policy=_optional_part(node, "policy", _policy),
            pathways_met=_texts(node, "pathways_met"),
            criteria=_optional_part(node, "criteria", tree.criteria),
            reasons=_parts(node, "reasons", _reason),
            missing=_parts(node, "missing", _missing),
            ask_first=_optional_part(node, "ask_first", _ask_first),
            terms=_parts(node, "terms", _terms),
            advisories=_parts(node, "advisories", _advisory),
            errors=_parts(node, "errors", _request_error),
            provenance=provenance or Provenance(),
            _received=node,
        )
        needed = decision.criteria.open_facts if decision.criteria and decision.outcome is _NEEDS_INFORMATION else {}
        _bears_itself_out(decision, needed, brief=brief)
        if asked is not None:
            _answers(decision, tree.values, None if brief else needed, asked.plain, version)
    except _Broken as broken:
        raise ProtocolError(f"decision{broken}") from None
    except RecursionError:
        raise ProtocolError("decision is nested too deeply") from None
    return decision


_OUTCOMES = {member.value: member for member in Outcome}
_NEXT_STEPS = {member.value: member for member in NextStep}
_STATES = {member.value: member for member in State}


def _dict(value: Any) -> dict[str, Any]:  # noqa: ANN401
    if isinstance(value, dict):
        return value
    raise _Broken("", "is not an object")


def _given(node: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401
    if name in node:
        return node[name]
    raise _Broken(f".{name}", "is absent")


def _text(node: Mapping[str, Any], name: str) -> str:
    value = node.get(name)
    if isinstance(value, str):
        return value
    raise _Broken(f".{name}", "is not a string" if name in node else "is absent")


def _optional_text(node: Mapping[str, Any], name: str) -> str | None:
    return None if _given(node, name) is None else _text(node, name)


def _texts(node: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _list(node, name)
    for value in values:
        if not isinstance(value, str):
            raise _Broken(f".{name}", "holds something else than strings")
    return tuple(values)


def _list(node: Mapping[str, Any], name: str) -> list[Any]:
    value = _given(node, name)
    if isinstance(value, list):
        return value
    raise _Broken(f".{name}", "is not an array")


def _member(node: Mapping[str, Any], name: str, members: Mapping[str, E]) -> E:
    member = members.get(_text(node, name))
    if member is None:
        raise _Broken(f".{name}", "is none of the contract's values")
    return member


def _day(node: Mapping[str, Any], name: str) -> date:
    text = _text(node, name)
    with suppress(ValueError):  # whose text would hold the value
        day = date.fromisoformat(text)
        if day.isoformat() == text:  # else a week, or without hyphens
            return day
    raise _Broken(f".{name}", "is not a date")


def _optional_day(node: Mapping[str, Any], name: str) -> date | None:
    return None if _given(node, name) is None else _day(node, name)


def _part(node: Mapping[str, Any], name: str, read: Callable[[Any], P]) -> P:
    value = _given(node, name)
    try:
        return read(value)
    except _Broken as broken:
        broken.path = f".{name}{broken.path}"
        raise


def _optional_part(node: Mapping[str, Any], name: str, read: Callable[[Any], P]) -> P | None:
    return None if _given(node, name) is None else _part(node, name, read)


def _parts(node: Mapping[str, Any], name: str, read: Callable[[Any], P]) -> tuple[P, ...]:
    values, parts = _list(node, name), []
    try:
        for value in values:
            parts.append(read(value))  # a comprehension would lose how far it came
    except _Broken as broken:
        broken.path = f".{name}[{len(parts)}]{broken.path}"
        raise
    return tuple(parts)


def _origin(value: Any) -> tuple[str | None, dict[str, str]]:  # noqa: ANN401
    node = _dict(value)
    version = _text(node, "version") if "version" in node else None
    return version, _part(node, "bundles", _revisions) if "bundles" in node else {}


def _revisions(value: Any) -> dict[str, str]:  # noqa: ANN401
    bundles = _dict(value)
    return {name: _part(bundles, name, _revision) for name in bundles}


def _revision(value: Any) -> str:  # noqa: ANN401
    return _text(_dict(value), "revision")


def _reason(value: Any) -> Reason:  # noqa: ANN401
    node = _dict(value)
    return Reason(_text(node, "criterion"), _member(node, "state", _STATES), _text(node, "text"))


def _missing(value: Any) -> Missing:  # noqa: ANN401
    node = _dict(value)
    return Missing(_text(node, "fact"), _text(node, "question"), _texts(node, "criteria"))


def _ask_first(value: Any) -> AskFirst:  # noqa: ANN401
    node = _dict(value)
    return AskFirst(_text(node, "pathway"), _texts(node, "facts"))


def _terms(value: Any) -> Terms:  # noqa: ANN401
    node = _dict(value)
    return Terms(_text(node, "pathway"), _text(node, "text"), _optional_text(node, "duration"))


def _advisory(value: Any) -> Advisory:  # noqa: ANN401
    node = _dict(value)
    return Advisory(_text(node, "code"), _text(node, "text"))


def _request_error(value: Any) -> RequestError:  # noqa: ANN401
    node = _dict(value)
    return RequestError(_text(node, "path"), _text(node, "message"))


def _policy(value: Any) -> Policy:  # noqa: ANN401
    node = _dict(value)
    policy = Policy(
        document=_text(node, "document"),
        title=_text(node, "title"),
        version=_text(node, "version"),
        effective_from=_day(node, "effective_from"),
        effective_to=_optional_day(node, "effective_to"),
        last_reviewed=_day(node, "last_reviewed"),
    )
    if policy.version != node["effective_from"]:
        raise _Broken(".version", "is not the first day in force")
    return policy


# An attribute of an enum costs more than the comparison.
_MET, _NOT_MET, _UNKNOWN = State
_NEEDS_INFORMATION = Outcome.NEEDS_INFORMATION


def _all_of(states: list[State], _: Any = None) -> State:  # noqa: ANN401
    return _NOT_MET if _NOT_MET in states else _UNKNOWN if _UNKNOWN in states else _MET


def _any_of(states: list[State], _: Any = None) -> State:  # noqa: ANN401
    return _MET if _MET in states else _UNKNOWN if _UNKNOWN in states else _NOT_MET


def _none_of(states: list[State], _: Any = None) -> State:  # noqa: ANN401
    return _NOT_MET if _MET in states else _UNKNOWN if _UNKNOWN in states else _MET


def _at_least(states: list[State], least: Any) -> State:  # noqa: ANN401
    if type(least) is not int or not 1 <= least <= len(states):
        raise _Broken(".at_least", "is no number from 1 to that of the parts")
    met = states.count(_MET)
    if met >= least:
        return _MET
    return _NOT_MET if met + states.count(_UNKNOWN) < least else _UNKNOWN


# The kinds of compound criteria, by the name under which they have their parts: strong Kleene logic.
_KINDS: dict[str, Callable[[list[State], Any], State]] = {
    "all_of": _all_of,
    "any_of": _any_of,
    "none_of": _none_of,
    "of": _at_least,
}


class _Tree:
    """Reads criteria: every state must follow from what is below it. `values` is what the leaves hold of each fact."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def criteria(self, value: Any) -> Criteria:  # noqa: ANN401
        node = _dict(value)
        pathways = _parts(node, "pathways", self.pathway)
        exclusions = _parts(node, "exclusions", self.exclusion)
        for place, exclusion in enumerate(exclusions):
            fallback = exclusion.fact is None and not exclusion.parts
            if fallback and exclusion.state is not _none_of([pathway.state for pathway in pathways]):
                raise _Broken(f".exclusions[{place}].state", "does not follow from the pathways")
        return Criteria(pathways, exclusions)

    def pathway(self, value: Any) -> Criterion:  # noqa: ANN401
        pathway = self.criterion(value)
        if pathway.fact is not None:
            raise _Broken("", "has no clauses")
        return pathway

    def exclusion(self, value: Any) -> Criterion:  # noqa: ANN401
        return self.criterion(value, fallback=True)

    def criterion(self, received: Any, *, fallback: bool = False) -> Criterion:  # noqa: ANN401
        """A fallback may have neither parts nor a fact."""
        node = _dict(received)
        state = _member(node, "state", _STATES)
        fields: dict[str, Any] = {"id": _text(node, "id"), "text": _text(node, "text"), "state": state}
        if "evidence" in node:
            fields["evidence"] = _texts(node, "evidence")
        if "fact" in node:
            if "all_of" in node or "any_of" in node or "none_of" in node or "of" in node:
                raise _Broken("", "has both a fact and parts")
            fact = fields["fact"] = _text(node, "fact")
            value = fields["value"] = _given(node, "value")
            # A bound, such as `{"less_than": 0.01}`, may leave a criterion open; any other value settles it.
            if (value is None) is not (state is _UNKNOWN) and not isinstance(value, dict):
                raise _Broken(".state", "does not follow from the value")
            known = self.values.setdefault(fact, value)
            if known is not value and not _same(known, value):
                raise _Broken(".value", "is not that of another criterion on the same fact")
        else:
            kind = None
            for name in _KINDS:
                if name in node:
                    if kind is not None:
                        raise _Broken("", f"has both {kind} and {name}")
                    kind = name
                    parts = fields[name] = _parts(node, name, self.criterion)
                    if not parts:
                        raise _Broken(f".{name}", "is empty")
                    if name == "of":
                        fields["at_least"] = node.get("at_least")
                    if state is not _KINDS[name]([part.state for part in parts], node.get("at_least")):
                        raise _Broken(".state", "does not follow from the parts")
            if kind is None and not fallback:
                raise _Broken("", "has neither a fact nor parts")
        # As Criterion(**fields), whose own way to freeze what it is given takes three times as long; a tree has thirty.
        criterion = object.__new__(Criterion)
        object.__setattr__(criterion, "__dict__", fields)
        return criterion


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two values are the same JSON: to Python, true equals 1."""
    if one is other or type(one) is str:
        return bool(one == other)
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, Decimal) or isinstance(other, Decimal):  # 0.1 as it was written is not the float nearest to it
        return isinstance(one, (int, float, Decimal)) and (
            isinstance(other, (int, float, Decimal)) and Decimal(str(one)) == Decimal(str(other))
        )
    return bool(one == other)


# What a decision without criteria comes with: its next step, and whether it names a policy.
_WITHOUT_CRITERIA = {
    Outcome.INVALID_REQUEST: (NextStep.CORRECT_REQUEST, False),
    Outcome.NO_POLICY_IN_FORCE: (NextStep.CLINICAL_REVIEW, False),
    Outcome.UNDECIDED: (NextStep.CLINICAL_REVIEW, True),
}

# The contract's advisories. Those that contradict an approval send it to a person; of any other code only the policy
# knows whether it does.
_CONTRADICTIONS = frozenset({"cd19_negative", "not_b_cell"})
_NOTES = frozenset({"icd10_not_listed", "hcpcs_not_listed", "icd10_conflicts"})


def _bears_itself_out(decision: Decision, needed: Mapping[str, list[str]], *, brief: bool) -> None:
    """Whether all that a decision says follows from its criteria, or from there being none; `needed` is open."""
    refused = decision.outcome is Outcome.INVALID_REQUEST
    if bool(decision.errors) is not refused:
        raise _Broken(".errors", "do not fit the outcome")
    if decision.date_of_service is None and not refused:
        raise _Broken(".date_of_service", "is absent although the request is valid")
    bare = _WITHOUT_CRITERIA.get(decision.outcome)
    has_policy = bare is None or bare[1]
    if (decision.criteria is None) is not (brief or bare is not None) or (
        decision.policy is not None
    ) is not has_policy:
        raise _Broken(".policy", "and decision.criteria do not fit the outcome")
    if bare is not None:
        for name in ("pathways_met", "reasons", "missing", "ask_first", "terms", "advisories"):
            if getattr(decision, name):
                raise _Broken(f".{name}", "does not fit the outcome")
        next_steps: tuple[NextStep, ...] = (bare[0],)
    elif decision.criteria is not None:
        next_steps = _follow(decision, decision.criteria, needed)
    else:
        next_steps = _next_steps(decision)
    if decision.next_step not in next_steps:
        raise _Broken(".next_step", "does not fit the outcome")


def _follow(decision: Decision, criteria: Criteria, needed: Mapping[str, list[str]]) -> tuple[NextStep, ...]:
    """Whether outcome, pathways met, reasons and missing facts follow from the criteria; and which next steps may."""
    outcome = decision.outcome
    pathways = _any_of([pathway.state for pathway in criteria.pathways])
    exclusions = _any_of([exclusion.state for exclusion in criteria.exclusions])
    if exclusions is _MET or pathways is _NOT_MET:
        follows, settled_by = Outcome.NOT_APPROVED, _NOT_MET
    elif exclusions is _NOT_MET and pathways is _MET:
        follows, settled_by = Outcome.APPROVED, _MET
    else:
        follows, settled_by = Outcome.NEEDS_INFORMATION, _UNKNOWN
    if outcome is not follows:
        raise _Broken(".outcome", "does not follow from the criteria")
    if decision.pathways_met != tuple([pathway.id for pathway in criteria.pathways if pathway.state is _MET]):
        raise _Broken(".pathways_met", "does not follow from the criteria")
    settling = {
        clause.id: clause
        for pathway in criteria.pathways
        if pathway.state is settled_by
        for clause in pathway.parts
        if clause.state is settled_by
    }
    if settled_by is _NOT_MET:
        settling |= {node.id: node for node in criteria.exclusions if node.state is _MET and (node.parts or node.fact)}
    elif settled_by is _UNKNOWN and pathways is _MET:
        settling |= {node.id: node for node in criteria.exclusions if node.state is _UNKNOWN}
    for place, reason in enumerate(decision.reasons):
        node = settling.pop(reason.criterion, None)
        if node is None or node.state is not reason.state or node.text != reason.text:
            raise _Broken(f".reasons[{place}]", "does not follow from the criteria")
    if settling:
        raise _Broken(".reasons", "lack a criterion that settles the outcome")
    next_steps = _next_steps(decision)
    for place, item in enumerate(decision.missing):
        leaves = needed.get(item.fact, ())  # a part without an id of its own is named by its clause and its fact
        if not leaves or not all(id in leaves or f"{id}.{item.fact}" in leaves for id in item.criteria):
            raise _Broken(f".missing[{place}]", "does not follow from the criteria")
    if outcome is _NEEDS_INFORMATION and decision.ask_first != _shortest(decision, criteria):
        raise _Broken(".ask_first", "does not follow from the criteria")
    return next_steps


def _shortest(decision: Decision, criteria: Criteria) -> AskFirst | None:
    """The way to an approval that needs fewest facts, the first of equal ones."""
    unavailable = frozenset(decision.unavailable)
    besides = [_needs(exclusion, unavailable)[1] for exclusion in criteria.exclusions]
    shortest: tuple[str, frozenset[str]] | None = None
    for pathway in criteria.pathways:
        facts = _needs(pathway, unavailable)[0].union(*besides)
        if pathway.state is _NOT_MET or facts & unavailable:
            continue
        if shortest is None or len(facts) < len(shortest[1]):
            shortest = pathway.id, facts
    if shortest is None:
        return None
    return AskFirst(shortest[0], tuple([item.fact for item in decision.missing if item.fact in shortest[1]]))


def _needs(node: Criterion, unavailable: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The fewest facts that can make a criterion met, and not met; none when it is not open, or is the fallback."""
    if node.state is not _UNKNOWN:
        return frozenset(), frozenset()
    if node.fact is not None:
        return frozenset([node.fact]), frozenset([node.fact])
    ways = [_needs(part, unavailable) for part in node.parts if part.state is _UNKNOWN]
    meets, fails = [way[0] for way in ways], [way[1] for way in ways]
    met, least = [part.state for part in node.parts].count(_MET), node.at_least or 0
    if node.all_of:
        least = len(ways) + met
    elif not node.of:  # of none-of, what any-of is not
        least = 1
    to_meet, to_fail = least - met, met + len(ways) - least + 1
    answers = _fewest(meets, to_meet, unavailable), _fewest(fails, to_fail, unavailable)
    return answers[::-1] if node.none_of else answers


def _fewest(ways: list[frozenset[str]], number: int, unavailable: frozenset[str]) -> frozenset[str]:
    """What so many ways need together: of those that need fewest facts, those that can be had first."""
    ranked = sorted(ways, key=lambda way: (bool(way & unavailable), len(way)))
    return frozenset().union(*ranked[:number])


def _next_steps(decision: Decision) -> tuple[NextStep, ...]:
    """The next steps that may be, as far as they follow without the criteria; and whether the rest fits the outcome."""
    missing = [item.fact for item in decision.missing]
    asks = decision.outcome is _NEEDS_INFORMATION
    if len(set(missing)) < len(missing):
        raise _Broken(".missing", "names a fact twice")
    if missing and not asks:
        raise _Broken(".missing", "does not fit the outcome")
    if decision.ask_first is not None and not (asks and set(missing).issuperset(decision.ask_first.facts)):
        raise _Broken(".ask_first", "does not fit the outcome or asks for what is not missing")
    named = [terms.pathway for terms in decision.terms]
    if named and (decision.outcome is not Outcome.APPROVED or not set(named) <= set(decision.pathways_met)):
        raise _Broken(".terms", "are of no pathway that is met in an approval")
    if asks:
        return (NextStep.REQUEST_INFORMATION,) if missing else (NextStep.CLINICAL_REVIEW,)
    if decision.outcome is not Outcome.APPROVED:
        return (NextStep.CLINICAL_REVIEW,)
    if not decision.pathways_met:
        raise _Broken(".pathways_met", "does not fit the outcome")
    codes = {advisory.code for advisory in decision.advisories}
    if codes & _CONTRADICTIONS:
        return (NextStep.CLINICAL_REVIEW,)
    return (NextStep.ISSUE_APPROVAL,) if codes <= _NOTES else (NextStep.ISSUE_APPROVAL, NextStep.CLINICAL_REVIEW)


def _answers(
    decision: Decision,
    values: Mapping[str, Any],
    needed: Mapping[str, list[str]] | None,
    asked: Any,  # noqa: ANN401
    version: str | None,
) -> None:
    """Whether a decision is that on the request that was asked; `values` is what its leaves hold, `needed` is open,
    None when it has no criteria to tell."""
    asked = asked if isinstance(asked, dict) else {}
    received, policy = decision.to_dict(), decision.policy
    refused = decision.outcome is Outcome.INVALID_REQUEST  # then both are null unless they are valid
    for name in ("request_id", "date_of_service"):
        if not (received[name] == asked.get(name) or (refused and received[name] is None)):
            raise _Broken(f".{name}", "is that of another request")
    if policy is None:
        if version is not None and not refused:
            raise _Broken(".policy", "is absent although a version was asked for")
        return
    if policy.document != asked.get("document"):
        raise _Broken(".policy.document", "is another than was asked for")
    if version is not None and policy.version != version:
        raise _Broken(".policy.version", "is another than was asked for")
    if version is None and decision.date_of_service is not None:
        day = decision.date_of_service
        if not policy.effective_from <= day <= (policy.effective_to or day):
            raise _Broken(".policy", "was not in force on the date of service")
    facts = asked.get("facts")
    facts = facts if isinstance(facts, dict) else {}
    for fact, value in values.items():
        if not _same(value, facts.get(fact)):
            raise _Broken(".criteria", f"does not hold facts.{fact if fact in facts else '?'} as it was sent")
    if needed is None:
        return
    unavailable = asked.get("unavailable")
    expected = {name for name in needed if not isinstance(unavailable, list) or name not in unavailable}
    if {item.fact for item in decision.missing} != expected:
        raise _Broken(".missing", "does not name every fact that is open, and no other")


# The catalogue stays the plain dict that was received, so it is only held to what is read of it.


def catalogue_of(received: Any) -> dict[str, Any]:  # noqa: ANN401
    """The catalogue of a server. Raises `ProtocolError` with the field when it is there in another shape."""
    try:
        node = _dict(received)
        _parts(node, "documents", _held_document)
    except _Broken as broken:
        raise ProtocolError(f"catalogue{broken}") from None
    except RecursionError:
        raise ProtocolError("catalogue is nested too deeply") from None
    return node


def _held_document(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    _text(node, "document")
    _parts(node, "versions", _held_version)


def _held_version(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    for name in ("version", "title"):
        _text(node, name)
    for name in ("effective_from", "last_reviewed"):
        _day(node, name)
    _optional_day(node, "effective_to")
    _part(node, "criteria", _held_criteria)
    _parts(node, "facts", _held_fact)
    codes = _part(node, "codes", _dict)
    for system in codes:
        labels = _part(codes, system, _dict)
        for code in labels:
            _text(labels, code)


def _held_criteria(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    for name in ("pathways", "exclusions"):
        _parts(node, name, _held_criterion)


def _held_criterion(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    for name in ("id", "text"):
        _text(node, name)
    if "evidence" in node:
        _texts(node, "evidence")
    for name in _KINDS:
        if name in node:
            _parts(node, name, _held_criterion)
    if "of" in node:
        _given(node, "at_least")
    if "terms" in node:
        _part(node, "terms", _dict)


def _held_fact(value: Any) -> None:  # noqa: ANN401
    node = _dict(value)
    for name in ("name", "type", "question"):
        _text(node, name)
    _texts(node, "criteria")
    if "minimum" in node or "maximum" in node:
        for name in ("minimum", "maximum"):
            if not isinstance(_given(node, name), (int, float)):
                raise _Broken(f".{name}", "is not a number")
    elif node["type"] in ("string", "array"):
        _part(node, "values", _dict)
