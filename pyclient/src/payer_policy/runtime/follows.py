"""Whether a decision follows from its own criteria, and from what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from payer_policy.runtime.fields import Broken
from payer_policy.runtime.kleene import MET, NOT_MET, UNKNOWN, any_of
from payer_policy.runtime.values import AskFirst, Criteria, Criterion, Decision, NextStep, Outcome

_NEEDS_INFORMATION = Outcome.NEEDS_INFORMATION  # an attribute of an enum costs more than the comparison


def same(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two values are the same JSON: to Python, true equals 1."""
    if one is other or type(one) is str:
        return bool(one == other)
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
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


def bears_itself_out(decision: Decision, needed: Mapping[str, list[str]], *, brief: bool) -> None:
    """Whether all that a decision says follows from its criteria, or from there being none; `needed` is open."""
    refused = decision.outcome is Outcome.INVALID_REQUEST
    if bool(decision.errors) is not refused:
        raise Broken(".errors", "do not fit the outcome")
    if decision.date_of_service is None and not refused:
        raise Broken(".date_of_service", "is absent although the request is valid")
    bare = _WITHOUT_CRITERIA.get(decision.outcome)
    has_policy = bare is None or bare[1]
    if (decision.criteria is None) is not (brief or bare is not None) or (
        decision.policy is not None
    ) is not has_policy:
        raise Broken(".policy", "and decision.criteria do not fit the outcome")
    if bare is not None:
        for name in ("pathways_met", "reasons", "missing", "ask_first", "terms", "advisories"):
            if getattr(decision, name):
                raise Broken(f".{name}", "does not fit the outcome")
        next_steps: tuple[NextStep, ...] = (bare[0],)
    elif decision.criteria is not None:
        next_steps = _follow(decision, decision.criteria, needed)
    else:
        next_steps = _next_steps(decision)
    if decision.next_step not in next_steps:
        raise Broken(".next_step", "does not fit the outcome")


def _follow(decision: Decision, criteria: Criteria, needed: Mapping[str, list[str]]) -> tuple[NextStep, ...]:
    """Whether outcome, pathways met, reasons and missing facts follow from the criteria; and which next steps may."""
    outcome = decision.outcome
    pathways = any_of([pathway.state for pathway in criteria.pathways])
    exclusions = any_of([exclusion.state for exclusion in criteria.exclusions])
    if exclusions is MET or pathways is NOT_MET:
        follows, settled_by = Outcome.NOT_APPROVED, NOT_MET
    elif exclusions is NOT_MET and pathways is MET:
        follows, settled_by = Outcome.APPROVED, MET
    else:
        follows, settled_by = Outcome.NEEDS_INFORMATION, UNKNOWN
    if outcome is not follows:
        raise Broken(".outcome", "does not follow from the criteria")
    if decision.pathways_met != tuple([pathway.id for pathway in criteria.pathways if pathway.state is MET]):
        raise Broken(".pathways_met", "does not follow from the criteria")
    settling = {
        clause.id: clause
        for pathway in criteria.pathways
        if pathway.state is settled_by
        for clause in pathway.parts
        if clause.state is settled_by
    }
    if settled_by is NOT_MET:
        settling |= {node.id: node for node in criteria.exclusions if node.state is MET and (node.parts or node.fact)}
    elif settled_by is UNKNOWN and pathways is MET:
        settling |= {node.id: node for node in criteria.exclusions if node.state is UNKNOWN}
    for place, reason in enumerate(decision.reasons):
        node = settling.pop(reason.criterion, None)
        if node is None or node.state is not reason.state or node.text != reason.text:
            raise Broken(f".reasons[{place}]", "does not follow from the criteria")
    if settling:
        raise Broken(".reasons", "lack a criterion that settles the outcome")
    next_steps = _next_steps(decision)
    for place, item in enumerate(decision.missing):
        leaves = needed.get(item.fact, ())  # a part without an id of its own is named by its clause and its fact
        if not leaves or not all(id in leaves or f"{id}.{item.fact}" in leaves for id in item.criteria):
            raise Broken(f".missing[{place}]", "does not follow from the criteria")
    if outcome is _NEEDS_INFORMATION and decision.ask_first != _shortest(decision, criteria, needed):
        raise Broken(".ask_first", "does not follow from the criteria")
    return next_steps


def _shortest(decision: Decision, criteria: Criteria, needed: Mapping[str, list[str]]) -> AskFirst | None:
    """The way to an approval that needs fewest facts, the first of equal ones."""
    unavailable = frozenset(needed).difference([item.fact for item in decision.missing])
    besides = [_needs(exclusion, unavailable)[1] for exclusion in criteria.exclusions]
    shortest: tuple[str, frozenset[str]] | None = None
    for pathway in criteria.pathways:
        facts = _needs(pathway, unavailable)[0].union(*besides)
        if pathway.state is NOT_MET or facts & unavailable:
            continue
        if shortest is None or len(facts) < len(shortest[1]):
            shortest = pathway.id, facts
    if shortest is None:
        return None
    return AskFirst(shortest[0], tuple([item.fact for item in decision.missing if item.fact in shortest[1]]))


def _needs(node: Criterion, unavailable: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The fewest facts that can make a criterion met, and not met; none when it is not open, or is the fallback."""
    if node.state is not UNKNOWN:
        return frozenset(), frozenset()
    if node.fact is not None:
        return frozenset([node.fact]), frozenset([node.fact])
    ways = [_needs(part, unavailable) for part in node.parts if part.state is UNKNOWN]
    meets, fails = [way[0] for way in ways], [way[1] for way in ways]
    met, least = [part.state for part in node.parts].count(MET), node.at_least or 0
    if node.all_of:
        least = len(ways) + met
    elif not node.of:  # of none-of, what any-of is not
        least = 1
    to_meet, to_fail = least - met, met + len(ways) - least + 1
    answers = _fewest(meets, to_meet, unavailable), _fewest(fails, to_fail, unavailable)
    return answers[::-1] if node.none_of else answers


def _fewest(ways: list[frozenset[str]], number: int, unavailable: frozenset[str]) -> frozenset[str]:
    """What so many ways need together: of those that need fewest facts, those that can be had first."""
    if number < len(ways):
        ways = sorted(ways, key=lambda way: (not unavailable.isdisjoint(way), len(way)))[:number]
    return frozenset().union(*ways)


def _next_steps(decision: Decision) -> tuple[NextStep, ...]:
    """The next steps that may be, as far as they follow without the criteria; and whether the rest fits the outcome."""
    missing = [item.fact for item in decision.missing]
    asks = decision.outcome is _NEEDS_INFORMATION
    if len(set(missing)) < len(missing):
        raise Broken(".missing", "names a fact twice")
    if missing and not asks:
        raise Broken(".missing", "does not fit the outcome")
    if decision.ask_first is not None and not (asks and set(missing).issuperset(decision.ask_first.facts)):
        raise Broken(".ask_first", "does not fit the outcome or asks for what is not missing")
    named = [terms.pathway for terms in decision.terms]
    if named and (decision.outcome is not Outcome.APPROVED or not set(named) <= set(decision.pathways_met)):
        raise Broken(".terms", "are of no pathway that is met in an approval")
    if asks:
        return (NextStep.REQUEST_INFORMATION,) if missing else (NextStep.CLINICAL_REVIEW,)
    if decision.outcome is not Outcome.APPROVED:
        return (NextStep.CLINICAL_REVIEW,)
    if not decision.pathways_met:
        raise Broken(".pathways_met", "does not fit the outcome")
    codes = {advisory.code for advisory in decision.advisories}
    if codes & _CONTRADICTIONS:
        return (NextStep.CLINICAL_REVIEW,)
    return (NextStep.ISSUE_APPROVAL,) if codes <= _NOTES else (NextStep.ISSUE_APPROVAL, NextStep.CLINICAL_REVIEW)


def answers_request(
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
            raise Broken(f".{name}", "is that of another request")
    if policy is None:
        if version is not None and not refused:
            raise Broken(".policy", "is absent although a version was asked for")
        return
    if policy.document != asked.get("document"):
        raise Broken(".policy.document", "is another than was asked for")
    if version is not None and policy.version != version:
        raise Broken(".policy.version", "is another than was asked for")
    if version is None and decision.date_of_service is not None:
        day = decision.date_of_service
        if not policy.effective_from <= day <= (policy.effective_to or day):
            raise Broken(".policy", "was not in force on the date of service")
    facts = asked.get("facts")
    facts = facts if isinstance(facts, dict) else {}
    for fact, value in values.items():
        if not same(value, facts.get(fact)):
            raise Broken(".criteria", f"does not hold facts.{fact if fact in facts else '?'} as it was sent")
    if needed is None:
        return
    unavailable = asked.get("unavailable")
    expected = {name for name in needed if not isinstance(unavailable, list) or name not in unavailable}
    if {item.fact for item in decision.missing} != expected:
        raise Broken(".missing", "does not name every fact that is open, and no other")
