"""`docker compose up --wait` as a user types it: hardened, healthy, answering; failing when there is no policy."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
import yaml

from tests import ROOT
from tests.stage.opa import fail
from tests.stage.production import COMPOSE_FILE, Project


@pytest.fixture(scope="module")
def project(engine: docker.DockerClient, opa_image: str) -> Iterator[Project]:
    project = Project(opa_image, COMPOSE_FILE)
    if project.run("version").returncode != 0:
        fail("There is no docker compose. Run `make test`, or install it with `tools/setup compose`.")
    try:
        up = project.run("up", "--wait")
        if up.returncode != 0:
            fail(f"docker compose up --wait failed:\n{up.stderr}\n{project.run('logs').stdout}")
        yield project
    finally:
        project.down()


@pytest.fixture(scope="module")
def container(project: Project, engine: docker.DockerClient) -> dict[str, Any]:
    return project.container(engine)


@pytest.fixture(scope="module")
def url(container: dict[str, Any]) -> str:
    return f"http://127.0.0.1:{container['NetworkSettings']['Ports']['8181/tcp'][0]['HostPort']}"


def test_is_healthy(container: dict[str, Any]) -> None:
    assert container["State"]["Health"]["Status"] == "healthy"


def test_runs_with_no_privilege(container: dict[str, Any]) -> None:
    host = container["HostConfig"]
    assert container["Config"]["User"] == "1000:1000"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Privileged"] is False
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0


def test_mounts_the_policy_read_only_and_nothing_else(container: dict[str, Any]) -> None:
    assert [(mount["Source"], mount["Destination"], mount["RW"]) for mount in container["Mounts"]] == [
        (str(ROOT / "policy"), "/policy", False)
    ]


def test_is_published_on_this_machine_only(container: dict[str, Any]) -> None:
    ports = container["NetworkSettings"]["Ports"]
    assert list(ports) == ["8181/tcp"]
    assert [binding["HostIp"] for binding in ports["8181/tcp"]] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("method", "entry_point", "body"),
    [
        ("POST", "decision", {"input": {}}),
        ("POST", "decisions", {"input": {"requests": []}}),
        ("GET", "catalogue", None),
    ],
)
def test_answers(url: str, method: str, entry_point: str, body: dict[str, Any] | None) -> None:
    response = requests.request(method, f"{url}/v1/data/payer/{entry_point}", json=body, timeout=10)
    assert response.status_code == 200
    assert "result" in response.json()


@pytest.mark.parametrize(
    ("facts", "outcome", "errors"),
    [
        ({}, "needs_information", []),
        ({"mrd_percent": "0.5"}, "invalid_request", ["facts.mrd_percent"]),
        ({"diseese": "all"}, "invalid_request", ["facts.diseese"]),
    ],
)
def test_decides_as_the_contract_says(url: str, facts: dict[str, Any], outcome: str, errors: list[str]) -> None:
    request = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": facts}
    post = {"decision": request, "decisions": {"requests": [request]}}
    one, [many] = (
        requests.post(f"{url}/v1/data/payer/{entry_point}", json={"input": question}, timeout=10).json()["result"]
        for entry_point, question in post.items()
    )
    assert one == many
    assert one["outcome"] == outcome
    assert [error["path"] for error in one["errors"]] == errors


def test_logs_nothing_of_a_request(project: Project, url: str) -> None:
    secret = f"secret-{uuid.uuid4().hex}"
    body = {"input": {"document": secret, "facts": {"disease": secret}}}
    requests.post(f"{url}/v1/data/payer/decision", json=body, timeout=10).raise_for_status()
    requests.post(f"{url}/v1/data/payer/decision", json=body["input"], timeout=10).raise_for_status()  # no `input` key
    requests.post(f"{url}/v1/data/payer/decision", data=f"{{{secret}", timeout=10)  # not JSON
    logs = project.run("logs")
    assert logs.returncode == 0
    assert secret not in logs.stdout + logs.stderr


def test_up_fails_when_the_policy_is_not_loaded(engine: docker.DockerClient, opa_image: str, tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    tmp_path.chmod(0o755)
    override = {
        "volumes": [{"type": "bind", "source": str(tmp_path / "policy"), "target": "/policy", "read_only": True}],
        "healthcheck": {"interval": "1s", "retries": 2, "start_period": "0s"},  # sooner than a user would wait
    }
    (tmp_path / "override.yml").write_text(yaml.safe_dump({"services": {"opa": override}}))
    project = Project(opa_image, COMPOSE_FILE, tmp_path / "override.yml")
    try:
        up = project.run("up", "--wait")
        assert up.returncode != 0
        assert project.container(engine)["State"]["Health"]["Status"] == "unhealthy"
    finally:
        project.down()


def test_default_image_is_the_opa_of_the_tools(opa_image: str) -> None:
    project = Project(opa_image, COMPOSE_FILE)
    del project.environment["OPA_IMAGE"]
    [version] = [
        line.split()[1].removeprefix("v")
        for line in (ROOT / "tools" / "go.mod").read_text().splitlines()
        if line.split()[:1] == ["github.com/open-policy-agent/opa"]
    ]
    assert project.run("config", "--images").stdout.strip() == f"openpolicyagent/opa:{version}-static"
