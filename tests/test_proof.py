"""A sample of `make prove`, and what must hold of every decision, whatever the criteria are."""

import copy
import itertools
import random
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pytest
import requests
from payer_policy import Decision, EmbeddedPolicy, PolicyClient

from tests.oracle import prove
from tests.oracle.prove import SPACES, Space
from tests.oracle.vectors import PARTS, states
from tests.readings.decision import ABSENT, UNKNOWN, WORDS, State, count_all, count_any, decide, within

Request = dict[str, Any]
Facts = dict[str, Any]

CC0126 = next(space for space in SPACES if space.reading.document == "CC-0126")
STATE: dict[str, State] = {word: state for state, word in WORDS.items()}
each = pytest.mark.parametrize("space", SPACES, ids=str)

# For CC-0126: for each pathway, the answers that speak for it; and those that speak against every pathway.
DIAGNOSIS = {"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": True}
FOR = CC0126.reading.favors
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


def any_of_them(space: Space, seed: int | str) -> Iterator[Request]:
    """Always the same requests, without end."""
    draw = random.Random(seed)
    return (space.request(space.drawn(draw)) for _ in itertools.count())


def drawn(space: Space, count: int, *outcomes: str) -> list[Request]:
    """So many of each outcome, every fact known exactly or not at all, and all of them to be had."""
    chosen: list[Request] = []
    for outcome in outcomes:
        exact = (
            {
                **{name: value for name, value in request.items() if name != "unavailable"},
                "facts": {name: value for name, value in request["facts"].items() if not isinstance(value, dict)},
            }
            for request in any_of_them(space, outcome)
        )
        wanted = (request for request in exact if decide(space.reading, request)["outcome"] == outcome)
        chosen += itertools.islice(wanted, count)
    return chosen


DECIDED = ("approved", "not_approved", "needs_information")


def values(space: Space, fact: str, day: str) -> list[Any]:
    """Every exact answer that the classes have."""
    return [
        prove.resolved(value, day)
        for some in space.classes[fact]
        for value in some
        if value not in UNKNOWN and not isinstance(value, dict)
    ]


def unknown(space: Space, request: Request) -> list[str]:
    return [fact for fact in space.classes if request["facts"].get(fact) is None]


def told(request: Request, answers: Facts) -> Request:
    return {**request, "facts": {**request["facts"], **answers}}


def answered(space: Space, request: Request, facts: Iterable[str], draw: random.Random) -> Request:
    day = request["date_of_service"]
    return told(request, {fact: draw.choice(values(space, fact, day)) for fact in facts})


def asked_for(decision: dict[str, Any]) -> list[str]:
    return [entry["fact"] for entry in decision["missing"]]


@each
def test_sample_of_all_combinations(space: Space, opa_url: str) -> None:
    compared, differing = 0, []
    for count, differences in prove.compare_all(opa_url, space, space.indices(6_000)):
        compared += count
        differing += differences
    assert differing == []
    assert compared == min(6_000, space.total)


def test_the_sample_has_every_outcome_and_what_decisions_rarely_say() -> None:
    """Else a comparison would prove little: of classes drawn evenly one request in thousands is approved."""
    for space in SPACES:
        if space.total <= 6_000:
            continue  # all of it is asked, nothing drawn
        said = [decide(space.reading, space.request(index)) for index in space.indices(6_000)]
        counts = {outcome: sum(one["outcome"] == outcome for one in said) for outcome in DECIDED}
        assert min(counts.values()) > 5, f"{space}: {counts}"
        asks = [one for one in said if one["outcome"] == "needs_information"]
        assert any(one["ask_first"] for one in asks)
        assert any(one["missing"] and not one["ask_first"] for one in asks)
        assert any(one["next_step"] == "clinical_review" for one in asks)
        assert any(one["terms"] for one in said) == bool(space.reading.terms)


@each
def test_every_pair_of_classes_is_in_the_sample(space: Space) -> None:
    sizes = {fact: len(classes) for fact, classes in space.classes.items()}
    wanted = sum(a * b for a, b in itertools.combinations(sizes.values(), 2))
    pairs: set[Any] = set()
    for index in space.indices(None if space.total > prove.ALL else 6_000):
        if len(pairs) == wanted:
            break
        chosen = []
        for fact in reversed(sizes):
            index, class_ = divmod(index, sizes[fact])
            chosen.append((fact, class_))
        pairs.update(itertools.combinations(chosen, 2))
    assert len(pairs) == wanted


@each
def test_classes_hold_values_that_the_reading_cannot_tell_apart(space: Space) -> None:
    """Else one value for a class would prove nothing of the others."""
    for request in drawn(space, 10, *DECIDED):
        for fact, classes in space.classes.items():
            for some in classes:
                asked = [
                    told(request, {fact: None if v is ABSENT else prove.resolved(v, request["date_of_service"])})
                    for v in some
                ]
                first = decide(space.reading, asked[0])
                assert all(decide(space.reading, one) == first for one in asked), fact


@each
def test_the_tree_adds_up(space: Space, ask: Ask) -> None:
    """A leaf shows its fact as given, and is unknown when that is; every other state follows from the parts'."""
    requests_ = list(itertools.islice(any_of_them(space, 0), 300))
    roots = [*space.reading.pathways, *space.reading.exclusions]
    for request, decision in zip(requests_, ask(requests_), strict=True):
        nodes = [*decision["criteria"]["pathways"], *decision["criteria"]["exclusions"]]
        assert [node["id"] for node in nodes] == [root.id for root in roots]
        for node in nodes:
            state = STATE[node["state"]]
            for kind in PARTS:
                if kind in node:
                    nodes += node[kind]
                    parts = [STATE[part["state"]] for part in node[kind]]
                    either = {"all_of": count_all(parts), "any_of": count_any(parts)}
                    negated = {True: False, False: True, None: None}[count_any(parts)]
                    enough = [
                        met >= node.get("at_least", 0) for met in (parts.count(True), len(parts) - parts.count(False))
                    ]
                    of = {(True, True): True, (False, True): None, (False, False): False}[enough[0], enough[1]]
                    assert state == {**either, "none_of": negated, "of": of}[kind]
            if "fact" in node:
                given = request["facts"].get(node["fact"])
                assert node["value"] == given
                assert state is None if given is None else state is not None or isinstance(given, dict)


@each
def test_learning_a_fact_settles_and_never_unsettles(space: Space, ask: Ask) -> None:
    """What is met or not met stays so, and so does a decision; only its next step may become a person's."""
    draw = random.Random(1)
    paths: list[list[Request]] = []
    for request in drawn(space, 40, *DECIDED):
        path = [request]
        facts = unknown(space, request)
        draw.shuffle(facts)
        for fact in facts:
            path.append(answered(space, path[-1], [fact], draw))
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


@each
def test_what_is_missing_is_enough(space: Space, ask: Ask) -> None:
    """Any answers to it decide, and then nothing else that could be learnt changes the outcome."""
    draw = random.Random(2)
    open_ = drawn(space, 100, "needs_information") * 2
    enough = [answered(space, r, asked_for(decision), draw) for r, decision in zip(open_, ask(open_), strict=True)]
    complete = [answered(space, request, unknown(space, request), draw) for request in enough]
    for decision, final in zip(ask(enough), ask(complete), strict=True):
        assert decision["outcome"] in ("approved", "not_approved")
        assert decision["missing"] == []
        assert final["outcome"] == decision["outcome"]


@each
def test_what_is_not_missing_changes_nothing(space: Space, ask: Ask) -> None:
    """Learning all of it leaves the same question open, asked for the same reasons."""
    draw = random.Random(3)
    open_ = drawn(space, 200, "needs_information")
    decisions = ask(open_)
    learnt = [
        answered(space, request, sorted(set(unknown(space, request)) - set(asked_for(decision))), draw)
        for request, decision in zip(open_, decisions, strict=True)
    ]
    for before, after in zip(decisions, ask(learnt), strict=True):
        for field in ("outcome", "next_step", "missing", "ask_first", "reasons"):
            assert after[field] == before[field]


@each
def test_what_is_asked_first_can_approve(space: Space, ask: Ask) -> None:
    """Some answers to it approve the request by the pathway that is named."""
    draw = random.Random(6)
    open_ = drawn(space, 60, "needs_information")
    approvals: list[tuple[Request, str]] = []
    for request, decision in zip(open_, ask(open_), strict=True):
        first = decision["ask_first"]
        assert set(first["facts"]) <= set(asked_for(decision))
        favored = space.reading.favors[first["pathway"]]
        for _ in range(20_000):
            trial = answered(space, request, first["facts"], draw)
            for fact in first["facts"]:
                if fact in favored and draw.random() < 0.8:
                    trial["facts"][fact] = prove.resolved(favored[fact], request["date_of_service"])
            said = decide(space.reading, trial)
            if said["outcome"] == "approved" and first["pathway"] in said["pathways_met"]:
                break
        approvals.append((trial, first["pathway"]))
    for (_, pathway), decision in zip(approvals, ask([request for request, _ in approvals]), strict=True):
        assert decision["outcome"] == "approved"
        assert pathway in decision["pathways_met"]


@each
def test_what_is_not_to_be_had_is_not_asked_for(space: Space, ask: Ask) -> None:
    """It stays unknown: the same states, outcome and reasons as without, and no question but for the rest."""
    draw = random.Random(7)
    open_ = drawn(space, 200, "needs_information")
    bare = ask(open_)
    without = [draw.sample(facts, draw.randint(1, len(facts))) for facts in map(asked_for, bare)]
    unavailable = [{**request, "unavailable": facts} for request, facts in zip(open_, without, strict=True)]
    for before, after, facts in zip(bare, ask(unavailable), without, strict=True):
        assert after["missing"] == [entry for entry in before["missing"] if entry["fact"] not in facts]
        assert after["next_step"] == ("request_information" if after["missing"] else "clinical_review")
        assert not after["ask_first"] or not set(after["ask_first"]["facts"]) & set(facts)
        for field in ("outcome", "criteria", "reasons", "pathways_met"):
            assert after[field] == before[field]


@each
def test_a_bound_says_what_all_its_values_say(space: Space, ask: Ask) -> None:
    """What it settles each of its values settles alike."""
    draw = random.Random(8)
    bounded = [
        r
        for r in itertools.islice(any_of_them(space, 8), 2_000)
        if any(isinstance(v, dict) for v in r["facts"].values())
    ]
    for request, decision in zip(bounded[:150], ask(bounded[:150]), strict=True):
        exact = {}
        for fact, value in request["facts"].items():
            if isinstance(value, dict):
                ((side, number),) = value.items()
                exact[fact] = round(float(draw.choice(list(within(space.reading.numbers[fact], side, number)))), 9)
        now = states(ask([told(request, exact)])[0]["criteria"])
        assert all(now[node] == state for node, state in states(decision["criteria"]).items() if state != "unknown")


def test_some_answer_approves_and_some_does_not(ask: Ask) -> None:
    """Of CC-0126: nothing is asked in vain: each open pathway can still be met, and all can fail."""
    open_ = drawn(CC0126, 300, "needs_information")
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
    open_ = drawn(CC0126, 400, "needs_information")
    open_ = [r for r in open_ if decide(CC0126.reading, r)["states"]["I"] != "unknown"][:60]
    assert len(open_) == 60
    pairs: list[Request] = []
    for request, decision in zip(open_, ask(open_), strict=True):
        facts = asked_for(decision)
        for fact in facts:
            for _ in range(20_000):
                rest = answered(CC0126, request, [other for other in facts if other != fact], draw)
                ends = {decide(CC0126.reading, told(rest, {fact: v}))["outcome"]: v for v in values(CC0126, fact, "")}
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


@each
def test_order_changes_nothing(space: Space, ask: Ask) -> None:
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

    requests_ = list(itertools.islice(any_of_them(space, 5), 300))
    for first, second in zip(ask(requests_), ask([shuffled(r) for r in requests_]), strict=True):
        assert in_order(first) == in_order(second)


@each
def test_single_batch_and_embedded_agree(space: Space, ask: Ask, opa_url: str, served: EmbeddedPolicy) -> None:
    requests_ = list(itertools.islice(any_of_them(space, 9), 200))
    batch = ask(copy.deepcopy(requests_))
    with PolicyClient(opa_url) as client:
        for policy in (client, served):
            assert [policy.decide(request).to_dict() for request in requests_] == batch
            answers = [answer for answer in policy.decide_many(requests_) if isinstance(answer, Decision)]
            assert [decision.to_dict() for decision in answers] == batch
