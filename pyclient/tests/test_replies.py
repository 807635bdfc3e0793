"""Whatever a server sends is a decision that bears itself out and answers the request, or a `ProtocolError`."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Container, Iterator, Mapping
from typing import Any

import pytest
from payer_policy import Decision, EmbeddedPolicy, InvalidRequest, PolicyBase, PolicyError, ProtocolError, Provenance
from payer_policy.command.terminal import show_catalogue
from payer_policy.runtime.answers import answer_of, decision_of
from payer_policy.workshop.diff import diff
from rich.console import Console
from rich.protocol import is_renderable

ALL = {"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": True}
INTERFANT = {"disease": "all", "infant": True, "kmt2a_rearranged": True, "combined_with": ["interfant", "imatinib"]}
REQUESTS: dict[str, dict[str, Any]] = {
    "approved": {"facts": {**ALL, **INTERFANT, "mrd_percent": 1, "complete_response": 1}},
    "contradicted": {"facts": {**INTERFANT, "cd19_positive": False}, "codes": {"icd10": ["C83.30"]}},
    "not_approved": {"facts": {"disease": "dlbcl", "infant": False, "cd19_positive": True}},
    "needs_information": {"facts": {**ALL, "infant": False}},
    "no_policy_in_force": {"date_of_service": "2024-01-01", "facts": {}},
    "invalid_request": {"facts": {"infant": 1}},
}
for name, request in REQUESTS.items():
    REQUESTS[name] = {"document": "CC-0126", "date_of_service": "2025-06-01", "request_id": "r-1", **request}

EMBEDDED = EmbeddedPolicy()


class Canned(PolicyBase):
    """Answers what it is told to."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def _evaluate(
        self,
        call: Any,  # noqa: ANN401
        input: str | None,
        headers: Mapping[str, str] | None,
    ) -> tuple[Any, Provenance]:
        return self.answer if call.entry_point != "payer/decisions" or input == '{"requests":[]}' else [self.answer], (
            Provenance()
        )

    def close(self) -> None: ...


def made(name: str) -> dict[str, Any]:
    [decision] = EMBEDDED.decide_many([REQUESTS[name]])
    assert isinstance(decision, Decision)
    return copy.deepcopy(decision.to_dict())


def read(answer: object, request: Mapping[str, Any], version: str | None = None) -> Decision:
    """By both ways, which must agree."""
    policy = Canned(answer)
    [many] = policy.decide_many([request], version=version)
    if version is None:
        one: Decision | PolicyError
        try:
            one = policy.decide(request)
        except InvalidRequest as error:
            one = error.decision
        except PolicyError as error:
            one = error
        assert (type(one), str(one)) == (type(many), str(many))
    if not isinstance(many, Decision):
        raise many
    return many


def at(node: Any, *path: str | int) -> Any:  # noqa: ANN401
    for step in path:
        node = node[step]
    return node


def put(decision: dict[str, Any], value: object, *path: str | int) -> dict[str, Any]:
    at(decision, *path[:-1])[path[-1]] = value
    return decision


@pytest.mark.parametrize("name", REQUESTS)
def test_what_the_policy_decides_is_read(name: str) -> None:
    assert read(made(name), REQUESTS[name]).outcome == ("approved" if name == "contradicted" else name)


def test_whatever_the_policy_decides_is_read() -> None:
    draw = random.Random(0)
    documents = EMBEDDED.catalogue()["documents"]
    bounds = ("less_than", "at_most", "at_least", "more_than")

    def value(fact: dict[str, Any]) -> Any:  # noqa: ANN401
        if fact["type"] == "array":
            return draw.sample([*fact["values"]], draw.randint(0, 2))
        if fact["type"] in ("boolean", "string"):
            return draw.choice([*fact["values"]]) if fact["type"] == "string" else draw.random() < 0.5
        if fact["type"] == "date":
            return draw.choice(["2025-05-01", "2020-01-01"])
        number = draw.randint(1, 20) if fact["type"] == "integer" else draw.choice([0.1, 1.0, 5, 9.5, 1e-300])
        return {draw.choice(bounds): number} if draw.random() < 0.2 else number

    def drawn() -> dict[str, Any]:
        base = draw.choice([{}, ALL, INTERFANT])
        document = draw.choice(documents)
        version = draw.choice(document["versions"])
        known = [fact for fact in version["facts"] if draw.random() < 0.6]
        facts = {fact["name"]: value(fact) for fact in known}
        if document["document"] == "CC-0126":
            facts |= base
        gone = [fact["name"] for fact in version["facts"] if fact["name"] not in facts and draw.random() < 0.3]
        return {
            "document": document["document"],
            "date_of_service": version["effective_to"] or "2025-06-01",
            "facts": facts,
            "unavailable": gone,
        }

    answers = list(EMBEDDED.decide_many(drawn() for _ in range(1500)))
    assert [answer for answer in answers if not isinstance(answer, Decision)] == []
    assert (
        len({answer.outcome for answer in answers if isinstance(answer, Decision)}) == 4
    )  # a bound may leave nothing of a range


# Words, which nothing follows from; and the dates of a version, of which only the first day has another beside it.
FREE = {"summary", "title", "evidence", "question", "message", "last_reviewed", "history"}


def places(node: Any, *path: str | int, free: Container[str | int] = FREE) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401
    """Every value that is not free, and neither an object nor an array with something in it."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, item in items:
        if step not in free:
            yield from places(item, *path, step, free=free)
    if not items:
        yield path


@pytest.mark.parametrize("name", REQUESTS)
def test_no_value_can_be_changed_unnoticed(name: str) -> None:
    """Of all that is not free, each value is replaced, one at a time, by others of its kind."""
    whole = made(name)
    believed = []
    for path in places(whole):
        value = at(whole, *path)
        others: list[Any] = {
            "outcome": ["approved", "not_approved", "needs_information", "no_policy_in_force", "invalid_request"],
            "state": ["met", "not_met", "unknown"],
            "next_step": ["issue_approval", "clinical_review", "request_information", "correct_request"],
            "effective_to": ["2025-04-02"],
        }.get(str(path[-1]), [None, True, False, 0, 1, 2, "", "x", [], ["x"], {}, "2025-06-02", "20250601"])
        for other in others:
            if type(other) is not type(value) or other != value:
                try:
                    read(put(copy.deepcopy(whole), other, *path), REQUESTS[name])
                except ProtocolError:
                    continue
                believed.append((path, other))
    for path, other in believed:
        if path[0] == "criteria" and path[-1] == "state":  # whether a known value meets a leaf only the policy knows
            assert "fact" in at(whole, *path[:-1])
            assert "unknown" not in (other, at(whole, *path))
        elif name == "invalid_request" and path[0] in ("request_id", "date_of_service"):  # as when they are not valid
            assert other is None
        else:  # names and words, of what settles nothing
            assert {"text", "code", "path", "id", "fact", "criteria"} & set(path[-2:])
            assert path[0] in ("criteria", "advisories", "errors", "missing")


@pytest.mark.parametrize("name", REQUESTS)
def test_nothing_can_be_dropped_or_repeated_unnoticed(name: str) -> None:
    whole = made(name)
    for field in ("pathways_met", "reasons", "missing"):
        for number, item in enumerate(whole[field]):
            for items in ([*whole[field][:number], *whole[field][number + 1 :]], [*whole[field], item]):
                with pytest.raises(ProtocolError, match=rf"decision\.({field}|next_step|ask_first)"):
                    read({**whole, field: items}, REQUESTS[name])


@pytest.mark.parametrize("name", REQUESTS)
def test_a_field_of_another_outcome_is_refused(name: str) -> None:
    whole = made(name)
    for other in REQUESTS:
        theirs = made(other)
        for field in whole:
            if theirs[field] != whole[field] and field not in ("summary", "request_id", "advisories"):
                with pytest.raises(ProtocolError):
                    read({**whole, field: theirs[field]}, REQUESTS[name])


LEAF = ("criteria", "pathways", 0, "all_of", 0, "all_of", 0)


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ("TEST-0001", ("policy", "document"), "decision.policy.document is another"),
        ("2025-06-02", ("date_of_service",), "decision.date_of_service is that of another request"),
        ("r-2", ("request_id",), "decision.request_id is that of another request"),
        ("2025-05-31", ("policy", "effective_to"), "decision.policy was not in force"),
        ("2025-04-02", ("policy", "version"), "decision.policy.version is not the first day in force"),
        ("20250401", ("policy", "effective_from"), "decision.policy.effective_from is not a date"),
        ([], ("reasons",), "decision.reasons lack"),
        ("not_met", (*LEAF[:-2], "state"), r"criteria.pathways\[0\].all_of\[0\].state does not follow from the parts"),
        (None, (*LEAF, "value"), r"pathways\[0\].all_of\[0\].all_of\[0\].state does not follow from the value"),
        ([], (*LEAF[:-2], "all_of"), r"all_of\[0\].all_of is empty"),
        ([], (*LEAF[:-2], "any_of"), r"all_of\[0\] has both all_of and any_of"),
        ([], (*LEAF, "of"), "has both a fact and parts"),
        ("x", ("criteria", "pathways", 0, "fact"), "has both a fact and parts"),
        ({"id": "x", "text": "x", "state": "met"}, LEAF, "has neither a fact nor parts"),
        ({"id": "x", "text": "x", "state": "not_met", "fact": "x", "value": 1}, LEAF[:3], "has no clauses"),
        ([{"path": "", "message": "x"}], ("errors",), "decision.errors do not fit"),
        ([{"fact": "infant", "question": "?", "criteria": []}], ("missing",), "decision.missing does not fit"),
        ([{"code": "not_b_cell", "text": "x"}], ("advisories",), "decision.next_step does not fit"),
    ],
)
def test_an_approval_that_does_not_bear_itself_out(value: object, path: tuple[str | int, ...], message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        read(put(made("approved"), value, *path), REQUESTS["approved"])


def test_an_approval_of_another_patient() -> None:
    """Who has the same facts but one, which bears out just as well."""
    for fact, value in (("disease", "other"), ("cd19_positive", 1), ("mrd_percent", True), ("combined_with", ["x"])):
        request: dict[str, Any] = copy.deepcopy(REQUESTS["approved"])
        request["facts"][fact] = value
        with pytest.raises(ProtocolError, match=rf"decision.criteria does not hold facts.{fact} as it was sent"):
            read(made("approved"), request)
        del request["facts"][fact]
        with pytest.raises(ProtocolError, match=r"decision.criteria does not hold facts.\? as it was sent"):
            read(made("approved"), request)
    assert read(made("approved"), put(copy.deepcopy(REQUESTS["approved"]), 1.0, "facts", "mrd_percent"))
    assert read(made("approved"), put(copy.deepcopy(REQUESTS["approved"]), None, "facts", "treatment_phase"))


def test_what_is_no_request_has_no_decision() -> None:
    others: list[Any] = [[], "x", {"document": "CC-0126"}, {**REQUESTS["approved"], "facts": []}]
    for other in others:
        with pytest.raises(ProtocolError):
            read(made("approved"), other)
    anonymous = {**made("invalid_request"), "request_id": None, "date_of_service": None}
    assert read(anonymous, [])  # type: ignore[arg-type]


def test_the_version_that_was_asked_for_decides() -> None:
    whole = made("approved")
    early = {**REQUESTS["approved"], "date_of_service": "2025-01-01"}
    assert read({**whole, "date_of_service": "2025-01-01"}, early, "2025-04-01")
    for answer, version in ((whole, "2025-04-02"), (made("no_policy_in_force"), "2025-04-01")):
        with pytest.raises(ProtocolError):
            read({**answer, "date_of_service": "2025-01-01"}, early, version)


def test_nothing_is_asked_for_that_is_known_to_be_unavailable() -> None:
    whole, request = made("needs_information"), REQUESTS["needs_information"]
    gone = whole["ask_first"]["facts"][0]
    others = [item for item in whole["missing"] if item["fact"] != gone]
    without = {**request, "unavailable": [gone]}
    [answer] = EMBEDDED.decide_many([without])
    assert isinstance(answer, Decision)
    ask_first = answer.to_dict()["ask_first"]
    assert ask_first != whole["ask_first"]
    assert read({**whole, "missing": others, "ask_first": ask_first}, without)
    with pytest.raises(ProtocolError, match=r"decision.ask_first"):
        read({**whole, "missing": others}, without)
    with pytest.raises(ProtocolError, match=r"decision.missing"):
        read(whole, without)
    all_of_them = {**request, "unavailable": [item["fact"] for item in whole["missing"]]}
    whole |= {"missing": [], "ask_first": None}
    assert read({**whole, "next_step": "clinical_review"}, all_of_them)
    with pytest.raises(ProtocolError, match=r"decision.next_step"):
        read(whole, all_of_them)


def test_an_advisory_of_another_document_may_send_an_approval_to_a_person() -> None:
    whole = {**made("approved"), "advisories": [{"code": "other", "text": "x"}]}
    for next_step in ("issue_approval", "clinical_review"):
        assert read({**whole, "next_step": next_step}, REQUESTS["approved"]).next_step == next_step


def test_a_bound_may_settle_a_criterion_or_leave_it_open() -> None:
    whole = made("approved")
    request: dict[str, Any] = copy.deepcopy(REQUESTS["approved"])
    request["facts"]["mrd_percent"] = {"at_least": 0.1}
    residual = whole["criteria"]["pathways"][0]["all_of"][1]["any_of"][2]
    residual["all_of"][0]["value"] = {"at_least": 0.1}
    assert read(whole, request)
    residual["state"] = residual["all_of"][0]["state"] = "unknown"
    assert read(whole, request)
    residual["all_of"][0]["value"] = {"at_least": 0.2}
    with pytest.raises(ProtocolError, match=r"facts.mrd_percent"):
        read(whole, request)


def answers(node: dict[str, Any], met: bool) -> list[str] | None:
    """The fewest facts whose answers can make a criterion met, or not met; None when none can. No two leaves of a tree
    that is drawn have the same fact."""
    if "fact" in node:
        return [node["fact"]] if node["state"] == "unknown" else [] if (node["state"] == "met") is met else None
    [kind] = {"all_of", "any_of", "none_of", "of"} & node.keys()
    parts, least = node[kind], node.get("at_least", 0)
    count, wanted = {
        ("all_of", True): (len(parts), True),
        ("all_of", False): (1, False),
        ("any_of", True): (1, True),
        ("any_of", False): (len(parts), False),
        ("none_of", True): (len(parts), False),
        ("none_of", False): (1, True),
        ("of", True): (least, True),
        ("of", False): (len(parts) - least + 1, False),
    }[kind, met]
    ways = sorted((way for part in parts if (way := answers(part, wanted)) is not None), key=len)
    return [fact for way in ways[:count] for fact in way] if len(ways) >= count else None


class Drawn:
    """A tree at random, with the states that a second reading of strong Kleene logic gives it: unknown is a half."""

    STATES = ("not_met", "unknown", "met")

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.facts: dict[str, Any] = {}
        self.nodes: list[dict[str, Any]] = []

    def node(self, depth: int, *, compound: bool = False) -> dict[str, Any]:
        number = len(self.nodes)
        node: dict[str, Any] = {"id": f"n{number}", "text": f"node {number}"}
        self.nodes.append(node)
        if not compound and (depth == 0 or self.draw.random() < 0.3):
            value = self.draw.choice([None, True, False])
            fact = f"f{number}"
            self.facts[fact] = value
            return node | {
                "fact": fact,
                "value": value,
                "state": self.STATES[1 if value is None else 2 * value],
            }
        kind = "all_of" if compound else self.draw.choice(["all_of", "any_of", "none_of", "of"])
        parts = [self.node(depth - 1) for _ in range(self.draw.randint(1, 3))]
        ranks = sorted((self.STATES.index(part["state"]) for part in parts), reverse=True)
        if kind == "of":
            node["at_least"] = self.draw.randint(1, len(parts))
        rank = {
            "all_of": ranks[-1],
            "any_of": ranks[0],
            "none_of": 2 - ranks[0],
            "of": ranks[node.get("at_least", 1) - 1],
        }[kind]
        return node | {kind: parts, "state": self.STATES[rank]}

    def decision(self) -> dict[str, Any]:
        pathways = [self.node(4, compound=True) for _ in range(self.draw.randint(1, 3))]
        exclusions = [self.node(3) for _ in range(self.draw.randint(0, 2))]
        met = [pathway["id"] for pathway in pathways if pathway["state"] == "met"]
        best = max(self.STATES.index(pathway["state"]) for pathway in pathways)
        exclusions.append({"id": "fallback", "text": "fallback", "state": self.STATES[2 - best]})
        worst = max(self.STATES.index(exclusion["state"]) for exclusion in exclusions)
        outcome = "not_approved" if worst == 2 or best == 0 else "approved" if (best, worst) == (2, 0) else "needs"
        settled = {"approved": "met", "not_approved": "not_met", "needs": "unknown"}[outcome]
        settling = [
            clause
            for pathway in pathways
            if pathway["state"] == settled
            for clause in pathway["all_of"]
            if clause["state"] == settled
        ]
        if outcome == "not_approved":
            settling += [node for node in exclusions[:-1] if node["state"] == "met"]
        if outcome == "needs" and met:
            settling += [node for node in exclusions if node["state"] == "unknown"]
        missing: list[dict[str, Any]] = []
        ask_first = None

        def ask(node: dict[str, Any]) -> None:
            if node["state"] == "unknown" and "fact" in node:
                missing.append({"fact": node["fact"], "question": "?", "criteria": [node["id"]]})
            elif node["state"] == "unknown":
                for kind in {"all_of", "any_of", "none_of", "of"} & node.keys():
                    for part in node[kind]:
                        ask(part)

        if outcome == "needs":
            for node in [*pathways, *exclusions]:
                ask(node)
            besides = [fact for node in exclusions[:-1] for fact in answers(node, False) or []]
            ways = [(way + besides, node["id"]) for node in pathways if (way := answers(node, True)) is not None]
            facts, pathway = min(ways, key=lambda way: len(way[0]))
            ask_first = {"pathway": pathway, "facts": [item["fact"] for item in missing if item["fact"] in facts]}
        return {
            **made("approved"),
            "outcome": {"needs": "needs_information"}.get(outcome, outcome),
            "next_step": {"approved": "issue_approval", "needs": "request_information"}.get(outcome, "clinical_review"),
            "ask_first": ask_first,
            "pathways_met": met,
            "criteria": {"pathways": pathways, "exclusions": exclusions},
            "reasons": [{"criterion": node["id"], "state": node["state"], "text": node["text"]} for node in settling],
            "missing": missing,
        }


def states(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from states(item)
    if isinstance(node, dict) and "state" in node:
        yield node


def test_states_follow_from_the_parts_at_any_depth() -> None:
    seen = set()
    for seed in range(60):
        drawn = Drawn(seed)
        decision = drawn.decision()
        request = {**REQUESTS["approved"], "facts": drawn.facts}
        seen.add(read(decision, request).outcome.value)
        for number in range(len(list(states(decision["criteria"])))):
            broken = copy.deepcopy(decision)
            node = list(states(broken["criteria"]))[number]
            # Whether a leaf that is known is met only the policy knows.
            others = [*Drawn.STATES] if "fact" not in node or node["state"] == "unknown" else ["unknown"]
            node["state"] = drawn.draw.choice([state for state in others if state != node["state"]])
            with pytest.raises(ProtocolError):
                read(broken, request)
    assert seen == {"approved", "not_approved", "needs_information"}


@pytest.mark.parametrize("least", [0, 3, -1, True, 1.0, "1", None])
def test_at_least_so_many_is_a_number_of_the_parts(least: object) -> None:
    whole = made("approved")
    clause = whole["criteria"]["pathways"][2]["all_of"][0]
    clause["of"], clause["at_least"] = clause.pop("all_of")[:2], 2
    assert read(whole, REQUESTS["approved"])
    clause["at_least"] = least
    with pytest.raises(ProtocolError, match="at_least is no number from 1"):
        read(whole, REQUESTS["approved"])


def test_nesting_without_end_is_a_protocol_error() -> None:
    whole = made("approved")
    node = whole["criteria"]["pathways"][0]["all_of"][0]["all_of"][0]
    for _ in range(600):
        node = {"id": "x", "text": "x", "state": "met", "all_of": [node]}
    with pytest.raises(ProtocolError, match="nested too deeply"):
        decision_of(put(whole, [node], "criteria", "pathways"))
    for text in (b'{"result": ' + b"[" * 100_000, b'{"result": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"):
        with pytest.raises(ProtocolError):
            answer_of(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"result": {"outcome": "not_approved", "outcome": "approved"}}',
        '{"result": {}, "result": {}}',
        '{"result": NaN}',
        '{"result": [-Infinity]}',
        '{"result": 1e999}',
        '{"result": %s}' % ("9" * 5000),
        "\ufeff{}",
        "\udcff",
        "[]",
        "",
    ],
    ids=["outcome twice", "result twice", "NaN", "Infinity", "1e999", "long", "BOM", "no UTF-8", "array", "nothing"],
)
def test_json_is_read_strictly(text: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        answer_of(text.encode("utf-8", "surrogateescape"))
    assert raised.value.__context__ is None
    assert answer_of(json.dumps({"result": 1.5}).encode()) == {"result": 1.5}


class Unseen(Console):
    """What is to be shown has been read and put together by then; to draw it takes four fifths of the time."""

    def print(self, *shown: object, **_: object) -> None:
        assert shown == () or all(map(is_renderable, shown))


def test_the_catalogue_has_what_is_read_of_it() -> None:
    """Each value is dropped and replaced, one at a time: what is let through can be shown and compared."""
    whole = {"documents": EMBEDDED.catalogue()["documents"][:1]}
    at(whole, "documents", 0, "versions", 0, "criteria", "pathways", 0)["terms"] = {"text": "x", "duration": "P1W"}
    assert Canned(whole).catalogue() == whole
    refused = []
    for path in sorted({leaf[:depth] for leaf in places(whole, free=()) for depth in range(1, len(leaf) + 1)}, key=str):
        dropped = copy.deepcopy(whole)
        del at(dropped, *path[:-1])[path[-1]]
        for broken in (dropped, put(copy.deepcopy(whole), None, *path), put(copy.deepcopy(whole), 7, *path)):
            try:
                documents = Canned(broken).catalogue()["documents"]
            except ProtocolError as error:
                refused.append(str(error))
                continue
            show_catalogue(documents, None, Unseen())
            for document in documents:
                for held in document["versions"]:
                    diff(held, whole["documents"][0]["versions"][0])
    assert len(refused) > 400
    assert all(message.startswith("catalogue.documents") for message in refused)
    answers: list[object] = [None, [], {}, {"documents": {}}, {"documents": [{}]}]
    for answer in answers:
        with pytest.raises(ProtocolError, match="catalogue"):
            Canned(answer).catalogue()
