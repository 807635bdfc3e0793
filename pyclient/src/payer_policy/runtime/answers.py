"""What a server answers, read strictly: what breaks the contract or does not follow from itself is no decision."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from payer_policy.runtime.errors import ProtocolError
from payer_policy.runtime.fields import (
    Broken,
    day_in,
    given,
    member_in,
    object_of,
    optional_day_in,
    optional_part_in,
    optional_text_in,
    part_in,
    parts_in,
    text_in,
    texts_in,
)
from payer_policy.runtime.follows import answers_request, bears_itself_out, same
from payer_policy.runtime.kleene import KINDS, UNKNOWN, none_of
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
        version, revisions = part_in(answer, "provenance", _origin) if "provenance" in answer else (None, {})
        decision_id = text_in(answer, "decision_id") if "decision_id" in answer else None
    except Broken as broken:
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
        node = object_of(received)
        decision = Decision(
            outcome=member_in(node, "outcome", _OUTCOMES),
            next_step=member_in(node, "next_step", _NEXT_STEPS),
            summary=text_in(node, "summary"),
            request_id=optional_text_in(node, "request_id"),
            date_of_service=optional_day_in(node, "date_of_service"),
            policy=optional_part_in(node, "policy", _policy),
            pathways_met=texts_in(node, "pathways_met"),
            criteria=optional_part_in(node, "criteria", tree.criteria),
            reasons=parts_in(node, "reasons", _reason),
            missing=parts_in(node, "missing", _missing),
            ask_first=optional_part_in(node, "ask_first", _ask_first),
            terms=parts_in(node, "terms", _terms),
            advisories=parts_in(node, "advisories", _advisory),
            errors=parts_in(node, "errors", _request_error),
            provenance=provenance or Provenance(),
            _received=node,
        )
        needed = decision.criteria.open_facts if decision.criteria and decision.outcome is _NEEDS_INFORMATION else {}
        bears_itself_out(decision, needed, brief=brief)
        if asked is not None:
            answers_request(decision, tree.values, None if brief else needed, asked.plain, version)
    except Broken as broken:
        raise ProtocolError(f"decision{broken}") from None
    except RecursionError:
        raise ProtocolError("decision is nested too deeply") from None
    return decision


_OUTCOMES = {member.value: member for member in Outcome}
_NEXT_STEPS = {member.value: member for member in NextStep}
_STATES = {member.value: member for member in State}


def _origin(value: Any) -> tuple[str | None, dict[str, str]]:  # noqa: ANN401
    node = object_of(value)
    version = text_in(node, "version") if "version" in node else None
    return version, part_in(node, "bundles", _revisions) if "bundles" in node else {}


def _revisions(value: Any) -> dict[str, str]:  # noqa: ANN401
    bundles = object_of(value)
    return {name: part_in(bundles, name, _revision) for name in bundles}


def _revision(value: Any) -> str:  # noqa: ANN401
    return text_in(object_of(value), "revision")


def _reason(value: Any) -> Reason:  # noqa: ANN401
    node = object_of(value)
    return Reason(text_in(node, "criterion"), member_in(node, "state", _STATES), text_in(node, "text"))


def _missing(value: Any) -> Missing:  # noqa: ANN401
    node = object_of(value)
    return Missing(text_in(node, "fact"), text_in(node, "question"), texts_in(node, "criteria"))


def _ask_first(value: Any) -> AskFirst:  # noqa: ANN401
    node = object_of(value)
    return AskFirst(text_in(node, "pathway"), texts_in(node, "facts"))


def _terms(value: Any) -> Terms:  # noqa: ANN401
    node = object_of(value)
    return Terms(text_in(node, "pathway"), text_in(node, "text"), optional_text_in(node, "duration"))


def _advisory(value: Any) -> Advisory:  # noqa: ANN401
    node = object_of(value)
    return Advisory(text_in(node, "code"), text_in(node, "text"))


def _request_error(value: Any) -> RequestError:  # noqa: ANN401
    node = object_of(value)
    return RequestError(text_in(node, "path"), text_in(node, "message"))


def _policy(value: Any) -> Policy:  # noqa: ANN401
    node = object_of(value)
    policy = Policy(
        document=text_in(node, "document"),
        title=text_in(node, "title"),
        version=text_in(node, "version"),
        effective_from=day_in(node, "effective_from"),
        effective_to=optional_day_in(node, "effective_to"),
        last_reviewed=day_in(node, "last_reviewed"),
    )
    if policy.version != node["effective_from"]:
        raise Broken(".version", "is not the first day in force")
    return policy


_NEEDS_INFORMATION = Outcome.NEEDS_INFORMATION


class _Tree:
    """Reads criteria: every state must follow from what is below it. `values` is what the leaves hold of each fact."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def criteria(self, value: Any) -> Criteria:  # noqa: ANN401
        node = object_of(value)
        pathways = parts_in(node, "pathways", self.pathway)
        exclusions = parts_in(node, "exclusions", self.exclusion)
        for place, exclusion in enumerate(exclusions):
            fallback = exclusion.fact is None and not exclusion.parts
            if fallback and exclusion.state is not none_of([pathway.state for pathway in pathways]):
                raise Broken(f".exclusions[{place}].state", "does not follow from the pathways")
        return Criteria(pathways, exclusions)

    def pathway(self, value: Any) -> Criterion:  # noqa: ANN401
        pathway = self.criterion(value)
        if pathway.fact is not None:
            raise Broken("", "has no clauses")
        return pathway

    def exclusion(self, value: Any) -> Criterion:  # noqa: ANN401
        return self.criterion(value, fallback=True)

    def criterion(self, received: Any, *, fallback: bool = False) -> Criterion:  # noqa: ANN401
        """A fallback may have neither parts nor a fact."""
        node = object_of(received)
        state = member_in(node, "state", _STATES)
        fields: dict[str, Any] = {"id": text_in(node, "id"), "text": text_in(node, "text"), "state": state}
        if "evidence" in node:
            fields["evidence"] = texts_in(node, "evidence")
        if "fact" in node:
            if "all_of" in node or "any_of" in node or "none_of" in node or "of" in node:
                raise Broken("", "has both a fact and parts")
            fact = fields["fact"] = text_in(node, "fact")
            value = fields["value"] = given(node, "value")
            # A bound, such as `{"less_than": 0.01}`, may leave a criterion open; any other value settles it.
            if (value is None) is not (state is UNKNOWN) and not isinstance(value, dict):
                raise Broken(".state", "does not follow from the value")
            known = self.values.setdefault(fact, value)
            if known is not value and not same(known, value):
                raise Broken(".value", "is not that of another criterion on the same fact")
        else:
            kind = None
            for name in KINDS:
                if name in node:
                    if kind is not None:
                        raise Broken("", f"has both {kind} and {name}")
                    kind = name
                    parts = fields[name] = parts_in(node, name, self.criterion)
                    if not parts:
                        raise Broken(f".{name}", "is empty")
                    if name == "of":
                        fields["at_least"] = node.get("at_least")
                    if state is not KINDS[name]([part.state for part in parts], node.get("at_least")):
                        raise Broken(".state", "does not follow from the parts")
            if kind is None and not fallback:
                raise Broken("", "has neither a fact nor parts")
        # As Criterion(**fields), whose own way to freeze what it is given takes three times as long; a tree has thirty.
        criterion = object.__new__(Criterion)
        object.__setattr__(criterion, "__dict__", fields)
        return criterion
