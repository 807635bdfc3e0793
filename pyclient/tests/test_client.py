"""The client against a server that misbehaves, and the model against decisions that break the contract."""

from __future__ import annotations

import copy
import json
import math
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, replace
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from payer_policy import (
    Criterion,
    Decision,
    EmbeddedPolicy,
    InvalidRequest,
    InvalidValue,
    NextStep,
    Outcome,
    PolicyClient,
    PolicyError,
    PolicyNotLoaded,
    PolicyRefused,
    PolicyUnreachable,
    ProtocolError,
    Request,
    State,
)
from payer_policy.cc0126 import Facts
from payer_policy.runtime.answers import decision_of

DIAGNOSIS = Facts(disease="all", lineage="b_cell_precursor", cd19_positive=True)
RELAPSED = Request(
    "CC-0126",
    date(2025, 6, 1),
    Facts(disease="all", lineage="b_cell_precursor", cd19_positive=True, disease_status="relapsed"),
    request_id="r-1",
)


class Server(HTTPServer):
    """Answers every request with `answer`: a status and a body."""

    answer: tuple[int, bytes] = (200, b"")
    seen: bytes = b""
    location: str | None = None


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.seen = self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.server.answer
        self.send_response(status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server: Server) -> Iterator[PolicyClient]:
    with PolicyClient(f"http://127.0.0.1:{server.server_port}/", attempts=2) as client:
        yield client


@pytest.fixture(scope="module")
def approved(policy: EmbeddedPolicy) -> dict[str, Any]:
    return policy.decide(RELAPSED).to_dict()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"{}", PolicyRefused),
        (403, b"", PolicyRefused),
        (404, b"404 page not found", PolicyNotLoaded),
        (200, b"{}", PolicyNotLoaded),
        (400, b'{"code": "invalid_parameter"}', ProtocolError),
        (500, b'{"code": "internal_error"}', PolicyUnreachable),
        (503, b"", PolicyUnreachable),
        (200, b"<html>", ProtocolError),
        (200, b"", ProtocolError),
        (200, b"[]", ProtocolError),
        (307, b"", ProtocolError),
        (200, b'{"result": {}}', ProtocolError),
        (200, b'{"result": null}', ProtocolError),
    ],
)
def test_failures_are_typed(
    server: Server, client: PolicyClient, status: int, body: bytes, error: type[PolicyError]
) -> None:
    server.answer = (status, body)
    with pytest.raises(error) as raised:
        client.decide(RELAPSED)
    assert type(raised.value) is error


def test_no_server_is_unreachable() -> None:
    with (
        PolicyClient("http://me:secret@127.0.0.1:9", attempts=1) as client,
        pytest.raises(PolicyUnreachable) as raised,
    ):
        client.decide(RELAPSED)
    assert "127.0.0.1:9" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_redirect_is_not_followed_with_health_data(server: Server, client: PolicyClient) -> None:
    with Server(("127.0.0.1", 0), Handler) as other:
        server.answer, server.location = (307, b""), f"http://127.0.0.1:{other.server_port}/"
        other.timeout = 0.2
        with pytest.raises(ProtocolError):
            client.decide(RELAPSED)
        other.handle_request()
        assert other.seen == b""


def test_client_sends_the_request_of_the_contract(
    server: Server, client: PolicyClient, approved: dict[str, Any]
) -> None:
    server.answer = (200, json.dumps({"result": approved}).encode())
    assert client.decide(RELAPSED).outcome is Outcome.APPROVED
    assert json.loads(server.seen) == {
        "input": {
            "document": "CC-0126",
            "date_of_service": "2025-06-01",
            "request_id": "r-1",
            "facts": {
                "disease": "all",
                "lineage": "b_cell_precursor",
                "cd19_positive": True,
                "disease_status": "relapsed",
            },
        }
    }


def test_an_approval_on_no_input_is_none(server: Server, client: PolicyClient, approved: dict[str, Any]) -> None:
    server.answer = (200, json.dumps({"result": approved, "warning": {"code": "api_usage_warning"}}).encode())
    with pytest.raises(ProtocolError):
        client.decide(RELAPSED)


def test_decision_is_typed(policy: EmbeddedPolicy) -> None:
    decision = policy.decide(RELAPSED)
    assert decision.outcome is Outcome.APPROVED
    assert decision.next_step is NextStep.ISSUE_APPROVAL
    assert decision.request_id == "r-1"
    assert decision.date_of_service == date(2025, 6, 1)
    assert decision.pathways_met == ("I+II",)
    assert decision.policy is not None
    assert (decision.policy.version, decision.policy.effective_from) == ("2025-04-01", date(2025, 4, 1))
    assert decision.criteria is not None
    diagnosis = decision.criteria.pathways[0].all_of[0]
    assert [(part.id, part.state, part.fact, part.value) for part in diagnosis.parts] == [
        ("I.disease", State.MET, "disease", "all"),
        ("I.lineage", State.MET, "lineage", "b_cell_precursor"),
        ("I.cd19_positive", State.MET, "cd19_positive", True),
    ]
    assert decision.criteria.pathways[0].all_of[1].evidence == ("Label", "NCCN 1", "NCCN 2A")
    assert decision_of(decision.to_dict()) == decision


def test_a_plain_dict_is_a_request_too(policy: EmbeddedPolicy) -> None:
    assert policy.decide(RELAPSED.to_dict()) == policy.decide(RELAPSED)


def test_missing_facts_come_with_their_question(policy: EmbeddedPolicy) -> None:
    decision = policy.decide(Request("CC-0126", "2025-06-01", DIAGNOSIS))
    assert decision.outcome is Outcome.NEEDS_INFORMATION
    [first, *_] = decision.missing
    assert (first.fact, first.criteria) == ("infant", ("V",))
    assert first.question.endswith("?")


TEXT = "\0é€\uffff\U0001f600\U00020000\U0010ffff"


def test_any_character_comes_back_as_it_was(policy: EmbeddedPolicy) -> None:
    assert policy.decide(Request("CC-0126", "2025-06-01", {}, request_id=TEXT)).request_id == TEXT


def test_any_character_is_sent_as_it_is(server: Server, client: PolicyClient, approved: dict[str, Any]) -> None:
    server.answer = (200, json.dumps({"result": {**approved, "request_id": TEXT}}).encode())
    client.decide(replace(RELAPSED, request_id=TEXT))
    assert json.loads(server.seen)["input"]["request_id"] == TEXT


def test_an_invalid_request_is_raised_with_every_error(policy: EmbeddedPolicy) -> None:
    with pytest.raises(InvalidRequest) as raised:
        policy.decide({"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"mrd_percent": "0.5"}, "x": 1})
    assert [error.path for error in raised.value.errors] == ["facts.mrd_percent", "x"]
    assert raised.value.decision.outcome is Outcome.INVALID_REQUEST


def test_an_invalid_request_crosses_processes(policy: EmbeddedPolicy) -> None:
    with pytest.raises(InvalidRequest) as raised:
        policy.decide({})
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.errors, str(again)) == (raised.value.errors, str(raised.value))


def test_more_threads_than_engines_wait_their_turn(policy: EmbeddedPolicy) -> None:
    requests = [Request("CC-0126", "2025-06-01", DIAGNOSIS, request_id=f"r-{number}") for number in range(200)]
    with ThreadPoolExecutor(16) as threads:
        decisions = list(threads.map(policy.decide, requests))
    assert [decision.request_id for decision in decisions] == [request.request_id for request in requests]


def test_many_are_decided_in_order_and_an_invalid_one_is_yielded(policy: EmbeddedPolicy) -> None:
    wanted = [f"r-{number}" for number in range(120)]
    stream = (
        {"document": "CC-0126", "date_of_service": "2025-06-01", "request_id": name, "facts": {}} for name in wanted
    )
    decisions = [answer for answer in policy.decide_many(stream) if isinstance(answer, Decision)]
    assert [decision.request_id for decision in decisions] == wanted
    one: Any
    for one in (Request("CC-0126", date(2025, 6, 1), {}), {"document": "CC-0126"}, "CC-0126"):
        with pytest.raises(InvalidValue, match="one alone stands in a list"):
            policy.decide_many(one)
    [bad] = policy.decide_many([{}])
    assert isinstance(bad, Decision)
    assert bad.outcome is Outcome.INVALID_REQUEST


@pytest.mark.parametrize(
    ("facts", "path"),
    [
        ({"mrd_percent": math.nan}, "facts.mrd_percent"),
        ({"mrd_percent": math.inf}, "facts.mrd_percent"),
        ({"combined_with": [object()]}, r"facts.combined_with\[0\]"),
        ({"disease": b"all"}, "facts.disease"),
        ({"disease": datetime(2025, 6, 1)}, "facts.disease"),
        ({1: "all"}, "facts"),
        ({"\udcff": "all"}, "facts has a name"),
        ({"disease": "\ud800"}, "facts.disease"),
        ({"combined_with": {object(), 1}}, r"facts.combined_with\["),
        ({"mrd_percent": 10**5000}, "facts.mrd_percent"),
    ],
)
def test_what_json_cannot_hold_is_refused_by_name(policy: EmbeddedPolicy, facts: dict[Any, Any], path: str) -> None:
    with pytest.raises(InvalidValue, match=path):
        policy.decide(Request("CC-0126", "2025-06-01", facts))
    with pytest.raises(InvalidValue, match=path):
        policy.decide({"document": "CC-0126", "date_of_service": "2025-06-01", "facts": facts})


def _without(decision: dict[str, Any], *path: str | int) -> dict[str, Any]:
    broken = copy.deepcopy(decision)
    node: Any = broken
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    return broken


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (("outcome",), "decision.outcome"),
        (("errors",), "decision.errors"),
        (("policy", "version"), "decision.policy.version"),
        (("criteria", "exclusions"), "decision.criteria.exclusions"),
        (("criteria", "pathways", 0, "state"), r"decision.criteria.pathways\[0\].state"),
        (("reasons", 0, "criterion"), r"decision.reasons\[0\].criterion"),
    ],
)
def test_a_field_absent_is_named(approved: dict[str, Any], path: tuple[str | int, ...], field: str) -> None:
    with pytest.raises(ProtocolError, match=field):
        decision_of(_without(approved, *path))


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "Approved"},
        {"outcome": True},
        {"next_step": "approve"},
        {"pathways_met": []},
        {"pathways_met": ["I+II", "V"]},
        {"pathways_met": [1]},
        {"policy": None},
        {"criteria": []},
        {"date_of_service": "soon"},
        {"request_id": 0},
        {"request_id": False},
    ],
)
def test_a_decision_that_breaks_the_contract_never_approves(approved: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        decision_of({**approved, **change})


@pytest.mark.parametrize(("kind", "state"), [("pathways", "not_met"), ("exclusions", "met"), ("exclusions", "unknown")])
def test_an_approval_that_its_criteria_do_not_bear_out_is_none(approved: dict[str, Any], kind: str, state: str) -> None:
    broken = copy.deepcopy(approved)
    broken["criteria"][kind][0]["state"] = state
    with pytest.raises(ProtocolError):
        decision_of(broken)


@pytest.mark.parametrize(
    ("node", "field", "value", "message"),
    [
        ((), "pathways", {}, "decision.criteria.pathways is not an array"),
        (("pathways", 0), "all_of", "I", "decision.criteria.pathways[0].all_of is not an array"),
        (("pathways", 0, "all_of"), 1, None, "decision.criteria.pathways[0].all_of[1] is not an object"),
        (("pathways", 0, "all_of", 1), "any_of", {}, "decision.criteria.pathways[0].all_of[1].any_of is not an array"),
        (
            ("pathways", 0, "all_of", 1, "any_of", 2, "all_of", 0),
            "text",
            1,
            "decision.criteria.pathways[0].all_of[1].any_of[2].all_of[0].text is not a string",
        ),
    ],
)
def test_where_a_decision_breaks_the_contract(
    approved: dict[str, Any], node: tuple[str | int, ...], field: str | int, value: object, message: str
) -> None:
    broken = copy.deepcopy(approved)
    at: Any = broken["criteria"]
    for step in node:
        at = at[step]
    at[field] = value
    with pytest.raises(ProtocolError) as raised:
        decision_of(broken)
    assert str(raised.value) == message
    assert raised.value.__context__ is None or raised.value.__suppress_context__


def test_a_criterion_is_a_frozen_dataclass_like_any_other(approved: dict[str, Any]) -> None:
    criteria = decision_of(approved).criteria
    assert criteria is not None
    pathway = criteria.pathways[0]
    leaf = pathway.parts[0].parts[0]
    assert leaf == Criterion(leaf.id, leaf.text, leaf.state, leaf.fact, leaf.value)
    assert hash(leaf) == hash(pickle.loads(pickle.dumps(leaf)))
    assert replace(leaf, text="") != leaf
    assert asdict(leaf)["all_of"] == ()
    with pytest.raises(FrozenInstanceError):
        leaf.state = State.MET  # type: ignore[misc]


def test_what_the_contract_may_add_is_ignored(approved: dict[str, Any]) -> None:
    assert decision_of({**approved, "more": 1}).outcome is Outcome.APPROVED


def test_health_data_stays_out_of_reprs_and_errors(policy: EmbeddedPolicy, server: Server) -> None:
    canary = "canary-7c1"
    request = Request(
        "CC-0126", canary, {"disease": canary, "mrd_percent": canary}, request_id=canary, codes={"hcpcs": canary * 9}
    )
    texts = [repr(request), repr(DIAGNOSIS)]
    with pytest.raises(InvalidRequest) as invalid:
        policy.decide(request)
    texts += [str(invalid.value), repr(invalid.value)]
    for answer in [(200, canary.encode()), (500, canary.encode()), (200, json.dumps({"warning": canary}).encode())]:
        server.answer = answer
        with (
            PolicyClient(f"http://127.0.0.1:{server.server_port}", attempts=1) as client,
            pytest.raises(PolicyError) as raised,
        ):
            client.decide(request)
        texts += [str(raised.value), repr(raised.value)]
    assert canary not in "".join(texts)
    assert "b_cell_precursor" not in "".join(texts)


def test_reprs_name_document_and_outcome_alone(policy: EmbeddedPolicy) -> None:
    assert repr(RELAPSED) == "Request(document='CC-0126')"
    decision = policy.decide(RELAPSED)
    assert repr(decision) == "Decision(document='CC-0126', outcome='approved')"
    assert repr(policy.decide(Request("CC-0126", "2024-01-01", {}))).endswith("outcome='no_policy_in_force')")
    parts = repr(decision.criteria) + repr(decision.reasons)
    assert "state" not in parts
    assert "value" not in parts


def test_the_decision_as_received_is_kept(approved: dict[str, Any]) -> None:
    assert decision_of(approved).to_dict() is approved


def test_a_moment_is_no_date_of_service(policy: EmbeddedPolicy) -> None:
    with pytest.raises(InvalidValue, match="date_of_service"):
        policy.decide(Request("CC-0126", datetime(2025, 6, 1), Facts()))


def test_a_policy_that_cannot_be_loaded_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("payer_policy.runtime.embedded.files", lambda _: tmp_path)
    with pytest.raises(PolicyNotLoaded):
        EmbeddedPolicy()
    (tmp_path / "policy.wasm").write_bytes(b"\0asm")
    with pytest.raises(PolicyNotLoaded):
        EmbeddedPolicy()


def test_a_closed_policy_says_so() -> None:
    policy = EmbeddedPolicy()
    policy.close()
    policy.close()
    with pytest.raises(PolicyUnreachable):
        policy.decide(RELAPSED)


def test_the_readme_is_true() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in readme.split("```python\n")[1:]]
    code = "\n".join(block for block in blocks if ".internal" not in block)
    assert code.count("assert") >= 3
    exec(compile(code, "README.md", "exec"), {})
