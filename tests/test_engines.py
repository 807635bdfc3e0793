"""Every vector through each engine: OPA in a container, by plain HTTP and by the client, and the embedded policy."""

import copy
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
import yaml
from payer_policy import EmbeddedPolicy, InvalidRequest, PolicyClient

from tests import ROOT
from tests.oracle.vectors import VECTORS, difference, in_process, states

# By document, its versions, the latest first, and the JSON Schema of a request under each.
SCHEMAS: dict[str, list[tuple[str, Any]]] = defaultdict(list)
for file in sorted((ROOT / "schemas").glob("*.json"), reverse=True):
    schema = json.loads(file.read_text(encoding="utf-8"))
    [document] = schema["properties"]["document"]["enum"]
    SCHEMAS[document].append(("-".join(file.stem.rsplit("_", 3)[1:]), schema))


@pytest.fixture(scope="module")
def client(opa_url: str) -> Iterator[PolicyClient]:
    with PolicyClient(opa_url) as policy:
        yield policy


def ask(url: str, entry_point: str, question: object) -> Any:  # noqa: ANN401
    response = requests.post(f"{url}/v1/data/payer/{entry_point}", data=json.dumps({"input": question}), timeout=30)
    assert response.status_code == 200
    return response.json()["result"]


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name: str, opa_url: str, served: EmbeddedPolicy) -> None:
    vector = VECTORS[name]
    decision = ask(opa_url, "decision", vector["input"])
    assert difference(decision, vector["expect"]) == {}
    assert in_process(served, "decision", vector["input"]) == decision


def test_batch_gives_the_single_decisions_in_order(opa_url: str, served: EmbeddedPolicy) -> None:
    requests_ = [vector["input"] for vector in VECTORS.values()]
    for start in range(0, len(requests_), 1_000):  # the most that a batch may hold
        batch = requests_[start : start + 1_000]
        decisions = ask(opa_url, "decisions", {"requests": batch})
        assert decisions == [ask(opa_url, "decision", request) for request in batch]
        assert in_process(served, "decisions", {"requests": batch}) == decisions


@pytest.mark.parametrize(
    ("envelope", "path"),
    [
        ({}, "requests"),
        ({"requests": {}}, "requests"),
        ({"requests": [{}] * 1001}, "requests"),
        ([], ""),
        (None, ""),
        ("x", ""),
    ],
)
def test_bad_envelope_is_one_invalid_decision(
    envelope: object, path: str, opa_url: str, served: EmbeddedPolicy
) -> None:
    [decision] = ask(opa_url, "decisions", envelope)
    assert decision["outcome"] == "invalid_request"
    assert [error["path"] for error in decision["errors"]] == [path]
    assert in_process(served, "decisions", envelope) == [decision]


def test_absent_input_is_an_invalid_request(opa_url: str) -> None:
    for entry_point in ("decision", "decisions"):
        result = requests.post(f"{opa_url}/v1/data/payer/{entry_point}", json={}, timeout=30).json()["result"]
        [decision] = result if isinstance(result, list) else [result]
        assert [error["path"] for error in decision["errors"]] == [""]


def test_catalogue_is_the_same(opa_url: str, served: EmbeddedPolicy) -> None:
    catalogue = requests.get(f"{opa_url}/v1/data/payer/catalogue", timeout=30).json()["result"]
    assert served.catalogue() == catalogue
    held = {
        entry["document"]: [version["version"] for version in entry["versions"]] for entry in catalogue["documents"]
    }
    assert held["CC-0126"] == ["2025-04-01"]
    assert held.keys() == SCHEMAS.keys()


@pytest.mark.parametrize("document", ["CC-0126", "CC-0127", "\U00020000"])
def test_catalogue_of_one_document_is_the_same(document: str, client: PolicyClient, served: EmbeddedPolicy) -> None:
    held = [entry for entry in client.catalogue()["documents"] if entry["document"] == document]
    assert client.catalogue(document)["documents"] == served.catalogue(document)["documents"] == held


def test_same_request_same_bytes(opa_url: str) -> None:
    for vector in VECTORS.values():
        body = json.dumps({"input": vector["input"]})
        url = f"{opa_url}/v1/data/payer/decision"
        assert requests.post(url, data=body, timeout=30).content == requests.post(url, data=body, timeout=30).content


def test_order_of_keys_and_drugs_changes_nothing(opa_url: str) -> None:
    for vector in VECTORS.values():
        request = vector["input"]
        if not isinstance(request, dict) or vector["expect"]["outcome"] == "invalid_request":
            continue
        turned = copy.deepcopy(dict(reversed(request.items())))
        turned["facts"] = {
            name: value[::-1] if isinstance(value, list) else value for name, value in reversed(turned["facts"].items())
        }
        first, second = ask(opa_url, "decision", request), ask(opa_url, "decision", turned)
        for decision in (first, second):
            decision["criteria"] = None  # shows values as given, in the order given
        assert first == second


# As text, since what reads YAML or JSON into doubles would round them.
@pytest.mark.parametrize(
    ("fact", "text", "says"),
    [
        ("mrd_percent", "0.099999999999999999", "must have at most 15 significant digits"),
        ("mrd_percent", "0.09999999999999995", "must have at most 15 significant digits"),
        ("mrd_percent", "0.0999999999999999", "not_met"),
        ("mrd_percent", "0.100000000000000000000", "met"),
        ("mrd_percent", "1e-1", "met"),
        ("mrd_percent", "1e400", "must be a number from 0 to 100"),
        ("mrd_percent", "1e-400", "must be 0 or at least 1e-300"),
        ("mrd_percent", "0." + "0" * 99, "must be written in at most 100 characters"),
        ("mrd_percent", "1." + "0" * 400_000, "must be written in at most 100 characters"),
        ("complete_response", "20e-1", "met"),
        ("complete_response", "0.1e1", "met"),
        ("complete_response", "30e-1", "not_met"),
        ("complete_response", "1e-400", "must be 0 or at least 1e-300"),
        ("complete_response", "1.000000000000001", "must have at most 15 significant digits"),
    ],
)
def test_a_number_means_the_same_to_each_engine(
    fact: str, text: str, says: str, opa_url: str, served: EmbeddedPolicy
) -> None:
    request = f'{{"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {{"{fact}": {text}}}}}'
    answer = requests.post(f"{opa_url}/v1/data/payer/decision", data=f'{{"input": {request}}}', timeout=30).json()
    decision = answer["result"]
    assert served._policy.evaluate(request, "payer/decision") == decision
    if decision["errors"]:
        assert decision["errors"] == [{"path": f"facts.{fact}", "message": says}]
    else:
        assert states(decision["criteria"])[f"II.C.{fact}"] == says


def schema_of(request: Any) -> Any:  # noqa: ANN401
    """Of the version that a request falls under; one of any version for what falls under none, which is invalid."""
    if not isinstance(request, dict):
        return SCHEMAS["CC-0126"][0][1]
    held = SCHEMAS.get(str(request.get("document")), SCHEMAS["CC-0126"])
    date = request.get("date_of_service")
    return next((schema for version, schema in held if isinstance(date, str) and version <= date), held[0][1])


# Requests before the first version are not the business of a schema; nor can it count digits or compare
# `unavailable` with what is given.
@pytest.mark.parametrize(
    "name",
    [
        name
        for name, vector in VECTORS.items()
        if vector["expect"]["outcome"] != "no_policy_in_force"
        and not name.startswith("no version in force")
        and not name.endswith("sixteen digits")
        and "unavailable though given" not in name
    ],
)
def test_schema_accepts_what_the_policy_accepts(name: str) -> None:
    vector = VECTORS[name]
    validator = jsonschema.Draft202012Validator(schema_of(vector["input"]), format_checker=jsonschema.FormatChecker())
    errors = list(validator.iter_errors(vector["input"]))
    assert bool(errors) == (vector["expect"]["outcome"] == "invalid_request"), errors


def test_client_and_embedded_give_equal_decisions(client: PolicyClient, served: EmbeddedPolicy) -> None:
    for vector in VECTORS.values():
        if not isinstance(vector["input"], dict):
            continue
        outcomes = []
        for engine in (client, served):
            try:
                outcomes.append(engine.decide(vector["input"]))
            except InvalidRequest as invalid:
                outcomes.append(invalid.decision)
        assert outcomes[0] == outcomes[1]
        assert outcomes[0].outcome == vector["expect"]["outcome"]


def test_examples_of_the_repository(client: PolicyClient) -> None:
    files = sorted(Path(ROOT / "examples").rglob("*.yaml"))
    decisions = list(client.decide_many(yaml.safe_load(file.read_text(encoding="utf-8")) for file in files))
    assert len(decisions) == len(files) >= 10
