"""A sample of `make prove`, and what must hold of every decision, whatever the criteria are."""

import copy
import itertools
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import model
import prove
import pytest
import requests
from payer_policy import Decision, EmbeddedPolicy, PolicyClient
from vectors import states

Request = dict[str, Any]
Facts = dict[str, Any]

# For each pathway, the answers that speak for it; and those that speak against every pathway.
DIAGNOSIS = {"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": True}
FOR: dict[str, Facts] = {
    "I+II": {
        **DIAGNOSIS,
        "disease_status": "refractory",
        "complete_response": 2,
        "mrd_percent": 0.1,
        "treatment_phase": "consolidation",
        "combined_with": ["nilotinib"],
    },
    "III+IV": {
        **DIAGNOSIS,
        "treatment_phase": "maintenance",
        "combined_with": [],
        "alternating_with": ["prednisone", "vincristine", "methotrexate", "mercaptopurine"],
    },
    "V": {"disease": "all", "infant": True, "kmt2a_rearranged": True, "combined_with": ["interfant"]},
}
AGAINST: Facts = {
    "disease": "other",
    "lineage": "t_cell",
    "cd19_positive": False,
    "infant": False,
    "kmt2a_rearranged": False,
    "disease_status": "remission",
    "complete_response": 0,
    "mrd_percent": 0,
    "treatment_phase": "other",
    "combined_with": ["other"],
    "alternating_with": [],
}


@pytest.fixture(scope="module")
def ask(opa_url: str) -> Iterator[partial[list[dict[str, Any]]]]:
    with requests.Session() as session:
        yield partial(prove.ask, session, opa_url)


Ask = partial[list[dict[str, Any]]]


def drawn(count: int, *outcomes: str) -> list[Request]:
    """Always the same requests, so many of each outcome: at random, few would be approved."""
    chosen: list[Request] = []
    for outcome in outcomes:
        draw = random.Random(outcome)
        found = (prove.request(draw.randrange(prove.TOTAL)) for _ in itertools.count())
        chosen += itertools.islice((r for r in found if model.decide(r["facts"])["outcome"] == outcome), count)
    return chosen


def values(fact: str) -> list[Any]:
    return [value for class_, some in prove.STATES[fact].items() if class_ != "unknown" for value in some]


def unknown(request: Request) -> list[str]:
    return [fact for fact in prove.STATES if request["facts"].get(fact) is None]


def told(request: Request, answers: Facts) -> Request:
    return {**request, "facts": {**request["facts"], **answers}}


def asked_for(decision: dict[str, Any]) -> list[str]:
    return [entry["fact"] for entry in decision["missing"]]


def test_sample_of_all_combinations(opa_url: str) -> None:
    compared, differing = 0, []
    for count, differences in prove.compare_all(opa_url, prove.sample(20_000)):
        compared += count
        differing += differences
    assert differing == []
    assert compared == 20_000


def test_classes_hold_values_that_the_model_cannot_tell_apart() -> None:
    """Else one value for a class would prove nothing of the others."""
    for request in drawn(20, "approved", "not_approved", "needs_information"):
        for fact, classes in prove.STATES.items():
            for some in classes.values():
                told_ = [told(request, {fact: None if value is prove.ABSENT else value})["facts"] for value in some]
                assert all(model.decide(facts) == model.decide(told_[0]) for facts in told_)


def test_the_tree_adds_up(ask: Ask) -> None:
    """A leaf shows its fact as given, and is unknown just when that is; every other state follows from the parts'."""
    requests_ = drawn(150, "approved", "not_approved", "needs_information")
    for request, decision in zip(requests_, ask(requests_), strict=True):
        nodes = [*decision["criteria"]["pathways"], *decision["criteria"]["exclusions"]]
        assert [node["id"] for node in nodes] == [*model.PATHWAYS, "exclusion.I", "exclusion.II"]
        for node in nodes:
            parts = node.get("all_of", node.get("any_of", []))
            nodes += parts
            combine = model.all_of if "all_of" in node else model.any_of
            if parts:
                state = combine(*({"met": True, "not_met": False, "unknown": None}[part["state"]] for part in parts))
                assert node["state"] == prove.WORDS[state]
            elif node["id"] != "exclusion.II":
                assert node["value"] == request["facts"].get(node["fact"])
                assert (node["value"] is None) == (node["state"] == "unknown")


def test_learning_a_fact_settles_and_never_unsettles(ask: Ask) -> None:
    """What is met or not met stays so, and so does a decision; only its next step may become a person's."""
    draw = random.Random(1)
    paths: list[list[Request]] = []
    for request in drawn(120, "approved", "not_approved", "needs_information"):
        path = [request]
        facts = unknown(request)
        draw.shuffle(facts)
        for fact in facts:
            path.append(told(path[-1], {fact: draw.choice(values(fact))}))
        paths.append(path)
    decisions = iter(ask([request for path in paths for request in path]))
    for path in paths:
        for before, after in itertools.pairwise([next(decisions) for _ in path]):
            now = states(after["criteria"])
            assert all(now[node] == state for node, state in states(before["criteria"]).items() if state != "unknown")
            if before["outcome"] != "needs_information":
                assert after["outcome"] == before["outcome"]
            if before["next_step"] in ("issue_approval", "clinical_review"):
                assert after["next_step"] in (before["next_step"], "clinical_review")


def test_what_is_missing_is_enough(ask: Ask) -> None:
    """Any answers to it decide, and then nothing else that could be learnt changes the outcome."""
    draw = random.Random(2)
    open_ = drawn(150, "needs_information") * 3
    answered = [
        told(request, {fact: draw.choice(values(fact)) for fact in asked_for(decision)})
        for request, decision in zip(open_, ask(open_), strict=True)
    ]
    complete = [told(request, {fact: draw.choice(values(fact)) for fact in unknown(request)}) for request in answered]
    for decision, final in zip(ask(answered), ask(complete), strict=True):
        assert decision["outcome"] in ("approved", "not_approved")
        assert decision["missing"] == []
        assert final["outcome"] == decision["outcome"]


def test_what_is_not_missing_changes_nothing(ask: Ask) -> None:
    """Learning all of it leaves the same question open, asked for the same reasons."""
    draw = random.Random(3)
    open_ = drawn(300, "needs_information")
    decisions = ask(open_)
    learnt = [
        told(request, {fact: draw.choice(values(fact)) for fact in set(unknown(request)) - set(asked_for(decision))})
        for request, decision in zip(open_, decisions, strict=True)
    ]
    for before, after in zip(decisions, ask(learnt), strict=True):
        for field in ("outcome", "next_step", "missing", "reasons"):
            assert after[field] == before[field]


def test_some_answer_approves_and_some_does_not(ask: Ask) -> None:
    """Nothing is asked when the outcome is settled: each open pathway can still be met, and all can fail."""
    open_ = drawn(300, "needs_information")
    for request, decision in zip(open_, ask(open_), strict=True):
        assert decision["missing"]
        state_of = states(decision["criteria"])
        pathways = [pathway for pathway in FOR if state_of[pathway] == "unknown"]
        answers = [FOR[pathway] for pathway in pathways] + [AGAINST]
        told_ = [
            told(request, {fact: answer[fact] for fact in asked_for(decision) if fact in answer}) for answer in answers
        ]
        *approved, denied = ask(told_)
        assert denied["outcome"] == "not_approved"
        for pathway, decided in zip(pathways, approved, strict=True):
            assert decided["outcome"] == "approved"
            assert pathway in decided["pathways_met"]


def test_with_the_diagnosis_known_each_missing_fact_can_tip_the_balance(ask: Ask) -> None:
    """Fewer questions would not do: for each, some answers to the others leave it to this one."""
    draw = random.Random(4)
    open_ = [r for r in drawn(400, "needs_information") if model.states(r["facts"])["I"] is not None][:60]
    assert len(open_) == 60
    pairs: list[Request] = []
    for request, decision in zip(open_, ask(open_), strict=True):
        facts = asked_for(decision)
        for fact in facts:
            for _ in range(20_000):
                rest = told(request, {other: draw.choice(values(other)) for other in facts if other != fact})
                ends = {model.decide(told(rest, {fact: v})["facts"])["outcome"]: v for v in values(fact)}
                if "approved" in ends and "not_approved" in ends:
                    pairs += [told(rest, {fact: ends["approved"]}), told(rest, {fact: ends["not_approved"]})]
                    break
            else:
                pytest.fail(f"{fact} cannot matter, and is asked for: {request['facts']}")
    decisions = ask(pairs)
    for yes, no in zip(decisions[::2], decisions[1::2], strict=True):
        assert (yes["outcome"], no["outcome"]) == ("approved", "not_approved")


def test_with_the_diagnosis_open_more_is_asked_than_can_matter(ask: Ask) -> None:
    """Where the last test ends, by the contract: pathways are judged one by one, though they share the diagnosis.

    Whether this relapsed B-cell precursor ALL is CD19 positive decides alone: I+II is met with it, and neither it nor
    III+IV without. Still IV is open, so its facts are asked for, and answering them is harmless.
    """
    known = {**DIAGNOSIS, "cd19_positive": None, "disease_status": "relapsed", "infant": False}
    request = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": known}
    [decision] = ask([request])
    assert asked_for(decision) == ["cd19_positive", "treatment_phase", "combined_with", "alternating_with"]
    answers = [told(request, {"cd19_positive": positive}) for positive in (True, False)]
    assert [decided["outcome"] for decided in ask(answers)] == ["approved", "not_approved"]


def test_a_decided_approval_can_still_become_a_persons(ask: Ask) -> None:
    """V asks for no CD19, so nobody is asked for it; when it is learnt to be negative, the next step changes."""
    request = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": FOR["V"]}
    decisions = ask([request, told(request, {"cd19_positive": False}), told(request, {"lineage": "t_cell"})])
    assert [decision["outcome"] for decision in decisions] == ["approved"] * 3
    assert [decision["next_step"] for decision in decisions] == ["issue_approval"] + ["clinical_review"] * 2


def test_order_changes_nothing(ask: Ask) -> None:
    """Of the keys and of the arrays, at any depth. The criteria show the arrays as given, in their order."""
    draw = random.Random(5)

    def shuffled(value: object) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            return {key: shuffled(value[key]) for key in draw.sample(list(value), len(value))}
        return draw.sample(value, len(value)) if isinstance(value, list) else value

    def in_order(node: object) -> Any:  # noqa: ANN401
        if isinstance(node, dict):
            return {
                key: sorted(v) if key == "value" and isinstance(v, list) else in_order(v) for key, v in node.items()
            }
        return [in_order(part) for part in node] if isinstance(node, list) else node

    requests_ = drawn(150, "approved", "not_approved", "needs_information")
    for first, second in zip(ask(requests_), ask([shuffled(r) for r in requests_]), strict=True):
        assert in_order(first) == in_order(second)


def test_single_batch_and_embedded_agree(ask: Ask, opa_url: str) -> None:
    requests_ = drawn(100, "approved", "not_approved", "needs_information")
    batch = ask(copy.deepcopy(requests_))
    with PolicyClient(opa_url) as client, EmbeddedPolicy() as embedded:
        for policy in (client, embedded):
            assert [policy.decide(request).to_dict() for request in requests_] == batch
            answers = [answer for answer in policy.decide_many(requests_) if isinstance(answer, Decision)]
            assert [decision.to_dict() for decision in answers] == batch
