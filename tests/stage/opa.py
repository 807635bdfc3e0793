"""A real OPA, in a real container or without one. What is missing is an error, never a skip: a skipped proof looks like
a green one."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import docker
import pytest
import requests
import yaml
from docker.models.containers import Container

from tests import ROOT

OPA = ROOT / ".tools" / "bin" / "opa"

_SERVICE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["opa"]
GOGC: str = _SERVICE["environment"]["GOGC"]


def fail(message: str) -> NoReturn:
    pytest.fail(message, pytrace=False)


def java() -> str:
    """The command of a Java that is new enough; what is missing is an error, never a skip."""
    done = subprocess.run([ROOT / "tools" / "setup", "java"], capture_output=True, text=True)
    if done.returncode:
        fail(done.stderr)
    return done.stdout.strip()


def signing_key(folder: Path) -> Path:
    """To sign bundles; made here, at run time, and the public one stands beside it."""
    private = folder / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    public: list[str | Path] = ["openssl", "rsa", "-in", private, "-pubout", "-out", private.with_suffix(".pub.pem")]
    subprocess.run(public, check=True, capture_output=True)
    private.with_suffix(".pub.pem").chmod(0o644)
    return private


@contextmanager
def serving(
    engine: docker.DockerClient,
    opa_image: str,
    port: int = 0,
    *options: str,
    policy: Path = ROOT / "policy",
    restart: str = "no",
) -> Iterator[Container]:
    """A policy, that of this checkout, with the very settings of docker-compose.yml and more `options` of OPA.

    Port 0 leaves the choice to the engine: no race for it, but another one after a restart.
    """
    hardening = ("environment", "user", "read_only", "cap_drop", "security_opt", "mem_limit", "pids_limit")
    settings: dict[str, Any] = {name: _SERVICE[name] for name in hardening}
    settings["restart_policy"] = {"Name": restart}
    container = engine.containers.create(
        opa_image,
        [*_SERVICE["command"], *options],
        volumes={str(policy): {"bind": "/policy", "mode": "ro"}},
        ports={"8181/tcp": ("127.0.0.1", port)},
        **settings,
    )
    try:
        container.start()
        yield container
    finally:
        container.remove(force=True, v=True)


@contextmanager
def process(*policy: Path, seconds: float = 300) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Its port, once it has decided. As deployed, but for a container whose memory 300 documents would not fit into."""
    port = free_port()
    options = (f"--addr=127.0.0.1:{port}", "--log-level=error", "--skip-version-check")
    started = subprocess.Popen([OPA, "run", "--server", *options, *policy], env={**os.environ, "GOGC": GOGC})

    def decides() -> bool:
        if started.poll() is not None:
            fail(f"OPA ended with status {started.returncode}")
        try:
            answer = requests.post(f"http://127.0.0.1:{port}/v1/data/payer/decision", '{"input":{}}', timeout=seconds)
        except requests.ConnectionError:
            return False
        return "result" in answer.json()

    try:
        eventually(decides, seconds)
        yield port, started
    finally:
        started.terminate()
        started.wait()


def free_port() -> int:
    """For what must keep its port: one that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def wait_until_healthy(container: Container, seconds: float = 30) -> str:
    deadline = time.monotonic() + seconds
    problem = "it never ran"
    while time.monotonic() < deadline:
        container.reload()
        if container.status == "exited":
            problem = "it exited"
            break
        if bindings := container.ports.get("8181/tcp"):
            url = f"http://127.0.0.1:{bindings[0]['HostPort']}"
            try:
                requests.get(f"{url}/health", timeout=2).raise_for_status()
            except requests.RequestException as error:
                problem = str(error)
            else:
                return url
        time.sleep(0.1)
    fail(f"OPA did not become healthy: {problem}. Its log:\n{container.logs().decode()}")


def eventually(what: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def refusals(url: str) -> float:
    """How often OPA refused or missed its bundle, by the metric that the alert reads; 0 while it does not answer."""
    try:
        lines = requests.get(f"{url}/metrics", timeout=5).text.splitlines()
    except requests.RequestException:
        return 0
    return sum(float(line.split()[-1]) for line in lines if line.startswith("bundle_failed_load_counter{"))


def wait_for_refusals(url: str, number: float) -> None:
    eventually(lambda: refusals(url) >= number)
