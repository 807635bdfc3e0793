"""The client against a real OPA that dies, comes back, and says who decided."""

import re
import threading
import time
from collections.abc import Iterator

import docker
import pytest
from payer_policy import Decision, PolicyClient, PolicyUnreachable, Request

from tests.stage.opa import free_port, serving, wait_until_healthy

REQUESTS = 8_000


def requests() -> Iterator[Request]:
    for number in range(REQUESTS):
        yield Request("CC-0126", "2025-06-01", {"disease": "all"}, request_id=f"r-{number}")


@pytest.fixture
def port() -> int:
    """A port that stays the same when the container is started again."""
    return free_port()


def test_opa_killed_and_restarted_loses_nothing_and_doubles_nothing(
    engine: docker.DockerClient, opa_image: str, port: int
) -> None:
    with serving(engine, opa_image, port) as container, PolicyClient(f"http://127.0.0.1:{port}") as client:
        wait_until_healthy(container)
        kills = []

        def kill() -> None:
            container.kill("SIGKILL")
            time.sleep(1)
            container.start()
            kills.append(time.monotonic())

        for number, answer in enumerate(client.decide_many(requests())):
            assert isinstance(answer, Decision), (number, answer)
            assert answer.request_id == f"r-{number}"
            if number in (1_000, 4_000):
                threading.Thread(target=kill).start()
        assert number == REQUESTS - 1
        assert len(kills) == 2


def test_a_server_that_stays_down_ends_every_item_in_an_error(
    engine: docker.DockerClient, opa_image: str, port: int
) -> None:
    with (
        serving(engine, opa_image, port) as container,
        PolicyClient(f"http://127.0.0.1:{port}", deadline=2) as client,
    ):
        wait_until_healthy(container)
        answers = []
        for number, request in zip(range(300), client.decide_many(requests()), strict=False):
            if number == 100:
                container.kill("SIGKILL")
            answers.append(request)
    errors = [answer for answer in answers if not isinstance(answer, Decision)]
    assert errors
    assert {type(error) for error in errors} == {PolicyUnreachable}
    for number, answer in enumerate(answers):
        assert not isinstance(answer, Decision) or answer.request_id == f"r-{number}"


def test_one_of_two_servers_is_enough(engine: docker.DockerClient, opa_image: str, port: int, opa_url: str) -> None:
    with (
        serving(engine, opa_image, port) as container,
        PolicyClient([f"http://127.0.0.1:{port}", opa_url]) as client,
    ):
        wait_until_healthy(container)
        for number, request in zip(range(200), requests(), strict=False):
            if number == 100:
                container.kill("SIGKILL")
            assert client.decide(request).request_id == request.request_id


def test_provenance_names_version_and_decision(engine: docker.DockerClient, opa_image: str, opa_url: str) -> None:
    request = next(requests())
    with (
        serving(engine, opa_image, 0, "--set=decision_logs.console=true", "--log-level=info") as container,
        PolicyClient(wait_until_healthy(container)) as client,
    ):
        provenance = client.decide(request).provenance
        assert provenance.opa_version == client.health().opa_version
        assert re.fullmatch(r"\d+\.\d+\.\d+", provenance.opa_version or "")
        assert provenance.decision_id is not None
        assert provenance.decision_id in container.logs().decode()
    with PolicyClient(opa_url) as client:
        assert client.decide(request).provenance.decision_id is None
