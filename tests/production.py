"""OPA as `docker compose --profile production up --wait` starts it. Certificates and tokens are made at run time."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import ssl
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import trustme
from payer_policy import PolicyClient

ROOT = Path(__file__).resolve().parents[1]
COMPOSE_FILE = ROOT / "docker-compose.yml"


class Project:
    """One compose project of its own name, on a free port, so that it never meets one that a developer has running."""

    def __init__(self, image: str, *files: Path, profile: str | None = None, **environment: str) -> None:
        self.name = f"payer-policy-test-{uuid.uuid4().hex[:8]}"
        self.environment = {**os.environ, "OPA_IMAGE": image, "OPA_PORT": "0", **environment}
        self._options = [argument for file in files for argument in ("-f", str(file))]
        if profile:
            self._options += ["--profile", profile]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "compose", *self._options, "-p", self.name, *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)

    def container(self, engine: docker.DockerClient) -> dict[str, Any]:
        [container] = engine.containers.list(filters={"label": f"com.docker.compose.project={self.name}"})
        return container.attrs

    def logs(self) -> str:
        logs = self.run("logs", "--no-log-prefix")
        assert logs.returncode == 0
        return logs.stdout + logs.stderr

    def down(self) -> None:
        self.run("down", "-v", "--timeout", "5")


@dataclass
class Answer:
    status: int
    body: bytes


@dataclass
class Production:
    project: Project
    port: int
    tokens: dict[str, str]
    """By role."""
    ca: Path
    client_cert: Path
    """Certificate and key of a client, for mutual TLS."""
    stranger_cert: Path
    """The same from a CA that OPA does not know."""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def client(self, token: str | None = None, **arguments: Any) -> PolicyClient:  # noqa: ANN401
        """Of a service, unless it has another `token`."""
        return PolicyClient(self.url, token=token or self.tokens["service"], ca_file=self.ca, **arguments)

    def send(self, request: bytes, patience: float = 20) -> Answer:
        """What these very bytes are answered; an HTTP library would mend them first. Status 0: no answer."""
        context = ssl.create_default_context(cafile=self.ca)
        received = b""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=patience) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            with suppress(OSError):  # OPA may answer and hang up before the end of what is too long
                connection.sendall(request)
            with suppress(OSError):  # a time-out too
                while part := connection.recv(65536):
                    received += part
        head, _, body = received.partition(b"\r\n\r\n")
        return Answer(int(head.split(b" ")[1]) if head.startswith(b"HTTP/") else 0, body)

    def restarts(self) -> int:
        command = ["docker", "inspect", "--format", "{{.RestartCount}}", f"{self.project.name}-opa-production-1"]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@contextmanager
def production(image: str, *overlays: Path, services: Sequence[str] = (), **environment: str) -> Iterator[Production]:
    """With more compose files over it; of their `services`, only some."""
    tokens = {role: secrets.token_hex(32) for role in ("service", "operator")}
    hashes = {
        f"PAYER_POLICY_{role.upper()}_TOKEN_SHA256": hashlib.sha256(token.encode()).hexdigest()
        for role, token in tokens.items()
    }
    with tempfile.TemporaryDirectory() as name:
        tls, own = Path(name) / "tls", Path(name) / "own"
        tls.mkdir()
        own.mkdir()
        ca = trustme.CA()
        server = ca.issue_cert("127.0.0.1")
        server.private_key_pem.write_to_path(tls / "server.key")
        for number, part in enumerate(server.cert_chain_pems):
            part.write_to_path(tls / "server.pem", append=number > 0)
        clients = trustme.CA()
        clients.cert_pem.write_to_path(tls / "clients.pem")
        ca.cert_pem.write_to_path(own / "ca.pem")
        clients.issue_cert("service@example.org").private_key_and_cert_chain_pem.write_to_path(own / "client.pem")
        trustme.CA().issue_cert("x@example.org").private_key_and_cert_chain_pem.write_to_path(own / "stranger.pem")
        for file in tls.iterdir():
            file.chmod(0o644)  # OPA is another user in its container
        given = {
            "PAYER_POLICY_TLS": str(tls),
            "PAYER_POLICY_OPERATOR_TOKEN": tokens["operator"],
            **hashes,
            **environment,
        }
        project = Project(image, COMPOSE_FILE, *overlays, profile="production", **given)
        try:
            up = project.run("up", "--wait", *services)
            assert up.returncode == 0, f"docker compose up --wait failed:\n{up.stderr}\n{project.run('logs').stdout}"
            port = project.run("port", "opa-production", "8181").stdout.rpartition(":")[2]
            yield Production(project, int(port), tokens, own / "ca.pem", own / "client.pem", own / "stranger.pem")
        finally:
            project.down()
