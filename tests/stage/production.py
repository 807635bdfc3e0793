"""OPA as `docker compose --profile production up --wait` starts it, and as a pod of deploy/kubernetes would be.

Certificates, keys and tokens are made at run time."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import ssl
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import requests
import trustme
import yaml
from docker.models.containers import Container
from payer_policy import PolicyClient

from tests import ROOT
from tests.stage.bundles import AT_ONCE, FILE, Store, bundle
from tests.stage.opa import free_port, signing_key

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
class Guarded:
    """An OPA that asks for tokens, and speaks TLS."""

    port: int
    tokens: dict[str, str]
    """By role."""
    ca: Path

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
        raise NotImplementedError


@dataclass
class Production(Guarded):
    project: Project
    client_cert: Path
    """Certificate and key of a client, for mutual TLS."""
    stranger_cert: Path
    """The same from a CA that OPA does not know."""

    def restarts(self) -> int:
        command = ["docker", "inspect", "--format", "{{.RestartCount}}", f"{self.project.name}-opa-production-1"]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def roles() -> tuple[dict[str, str], dict[str, str]]:
    """A token for each, and its hash."""
    tokens = {role: secrets.token_hex(32) for role in ("service", "operator")}
    return tokens, {role: hashlib.sha256(token.encode()).hexdigest() for role, token in tokens.items()}


@contextmanager
def production(image: str, *overlays: Path, services: Sequence[str] = (), **environment: str) -> Iterator[Production]:
    """With more compose files over it; of their `services`, only some."""
    tokens, hashes = roles()
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
            **{f"PAYER_POLICY_{role.upper()}_TOKEN_SHA256": hashed for role, hashed in hashes.items()},
            **environment,
        }
        project = Project(image, COMPOSE_FILE, *overlays, profile="production", **given)
        try:
            up = project.run("up", "--wait", *services)
            assert up.returncode == 0, f"docker compose up --wait failed:\n{up.stderr}\n{project.run('logs').stdout}"
            port = project.run("port", "opa-production", "8181").stdout.rpartition(":")[2]
            yield Production(int(port), tokens, own / "ca.pem", project, own / "client.pem", own / "stranger.pem")
        finally:
            project.down()


Resource = dict[str, Any]


def built(folder: Path = ROOT / "deploy" / "kubernetes") -> dict[tuple[str, str], Resource]:
    """What kustomize makes of it, by kind and name."""
    kustomize = ROOT / ".tools" / "bin" / "kustomize"
    done = subprocess.run([kustomize, "build", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    documents = list(yaml.safe_load_all(done.stdout))
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def fill(volume: Path, files: Mapping[str, bytes]) -> None:
    """As the kubelet fills and renews a volume of a ConfigMap or Secret: links to a hidden folder, changed at once."""
    hidden = volume / f"..{uuid.uuid4().hex}"
    hidden.mkdir(parents=True)
    volume.chmod(0o755)
    hidden.chmod(0o755)
    for name, content in files.items():
        (hidden / name).write_bytes(content)
        (hidden / name).chmod(0o644)
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")
    (volume / "..new").symlink_to(hidden.name)
    (volume / "..new").rename(volume / "..data")


@dataclass
class Pod(Guarded):
    spec: Resource
    container: Container
    store: Store
    volumes: dict[str, Path]
    """By name."""
    diagnostic_port: int
    key: Path

    @property
    def opa(self) -> Resource:
        [container] = self.spec["containers"]
        return container  # type: ignore[no-any-return]

    def diagnostic(self, path: str, role: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        url = f"https://127.0.0.1:{self.diagnostic_port}{path}"
        return requests.get(url, headers=headers, timeout=3, verify=str(self.ca))

    def probe(self, name: str) -> bool:
        get = self.opa[name]["httpGet"]
        assert (get["port"], get["scheme"]) == ("diagnostic", "HTTPS")
        try:
            return self.diagnostic(get["path"]).ok
        except requests.RequestException:
            return False

    def until(self, probe: str) -> None:
        deadline = time.monotonic() + 30
        while not self.probe(probe):
            assert time.monotonic() < deadline, f"{probe} fails:\n{self.container.logs().decode()}"
            time.sleep(0.1)

    def publish(self, revision: str) -> None:
        bundle(ROOT / "policy", self.store.folder / FILE, revision, self.key)

    def certify(self) -> None:
        """A certificate of a new authority."""
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        pair = {"tls.crt": certificate.cert_chain_pems[0].bytes(), "tls.key": certificate.private_key_pem.bytes()}
        fill(self.volumes["tls"], pair)
        authority.cert_pem.write_to_path(str(self.ca))

    def restarts(self) -> int:
        self.container.reload()
        return int(self.container.attrs["RestartCount"])


@contextmanager
def pod(image: str) -> Iterator[Pod]:
    """OPA with the arguments, configuration, mounts and limits that the base has, but for the addresses it listens at
    and how often it looks for what is new. Its store is not started yet."""
    resources = built()
    spec: Resource = resources["Deployment", "payer-policy"]["spec"]["template"]["spec"]
    [opa] = spec["containers"]
    tokens, hashes = roles()
    ports = {"0.0.0.0:8181": free_port(), "0.0.0.0:8282": free_port()}
    with tempfile.TemporaryDirectory() as name, closing(docker.from_env()) as engine:
        folder = Path(name)
        (folder / "store").mkdir()
        store = Store(folder / "store")
        store.handler.token = "t0ken"
        key = signing_key(folder)
        given = {
            "payer-policy-tokens": hashes,
            "payer-policy-bundle-key": {"payer-policy.pub.pem": key.with_suffix(".pub.pem").read_text()},
            "payer-policy-store-token": {"token": "t0ken"},
            "payer-policy-tls": {"tls.crt": "", "tls.key": ""},
        }
        environment: dict[str, str] = {}
        for source in opa["envFrom"]:
            environment |= resources["ConfigMap", source["configMapRef"]["name"]]["data"]
        for variable in opa["env"]:
            held = variable.get("valueFrom", {}).get("secretKeyRef")
            environment[variable["name"]] = given[held["name"]][held["key"]] if held else variable["value"]
        volumes, binds, memory = {}, {}, {}
        places = {mount["name"]: mount for mount in opa["volumeMounts"]}
        for volume in spec["volumes"]:
            mount = places.pop(volume["name"])
            if "emptyDir" in volume:
                size = volume["emptyDir"]["sizeLimit"].removesuffix("i")
                user, group = spec["securityContext"]["runAsUser"], spec["securityContext"]["fsGroup"]
                memory[mount["mountPath"]] = f"size={size},uid={user},gid={group}"
                continue
            files = (
                resources["ConfigMap", volume["configMap"]["name"]]["data"]
                if "configMap" in volume
                else given[volume["secret"]["secretName"]]
            )
            volumes[volume["name"]] = folder / volume["name"]
            fill(volumes[volume["name"]], {name: content.encode() for name, content in files.items()})
            assert mount["readOnly"] is True
            binds[str(volumes[volume["name"]])] = {"bind": mount["mountPath"], "mode": "ro"}
        assert not places
        arguments = []
        for argument in opa["args"]:
            for address, port in ports.items():
                argument = argument.replace(address, f"127.0.0.1:{port}")
            arguments.append(argument.replace("--tls-cert-refresh-period=1m", "--tls-cert-refresh-period=1s"))
        container = engine.containers.create(
            image,
            [*arguments, *AT_ONCE],
            environment={**environment, "PAYER_POLICY_URL": f"http://127.0.0.1:{store.port}"},
            volumes=binds,
            tmpfs=memory,
            network_mode="host",
            user=f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}",
            read_only=opa["securityContext"]["readOnlyRootFilesystem"],
            cap_drop=opa["securityContext"]["capabilities"]["drop"],
            security_opt=["no-new-privileges:true"],
            mem_limit=opa["resources"]["limits"]["memory"].removesuffix("i"),
            restart_policy={"Name": "always"},
        )
        port, diagnostic = ports.values()
        running = Pod(port, tokens, folder / "ca.pem", spec, container, store, volumes, diagnostic, key)
        running.certify()
        try:
            container.start()
            running.until("startupProbe")
            yield running
        finally:
            container.remove(force=True, v=True)
            store.stop()
