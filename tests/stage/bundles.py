"""Signed bundles, an HTTP server that holds them, and an OPA in a container that polls it: what production runs."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from payer_policy import PolicyClient, PolicyNotLoaded, PolicyUnreachable

from tests import ROOT
from tests.stage.opa import free_port

FILE = "payer-policy-bundle.tar.gz"
# Every second, rather than every half of a minute.
AT_ONCE = [f"--set=bundles.payer-policy.polling.{bound}_delay_seconds=1" for bound in ("min", "max")]


def bundle(folder: Path, output: Path, revision: str, key: Path) -> None:
    environment = {**os.environ, "BUNDLE_KEY": str(key)}
    subprocess.run([ROOT / "tools" / "bundle", folder, output, revision], check=True, env=environment)


class Handler(SimpleHTTPRequestHandler):
    """With an ETag, as object stores send one: what has not changed is not sent again."""

    date: str | None = None  # what the server says the time is, when it is not now
    token: str | None = None  # the bearer token that it asks for

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        content = path.read_bytes() if path.is_file() else None
        tag = f'"{hashlib.sha256(content or b"").hexdigest()}"'
        known = self.headers.get("If-None-Match") == tag
        if self.token and self.headers.get("Authorization") != f"Bearer {self.token}":
            self.send_error(401)
            return
        self.send_response(404 if content is None else 304 if known else 200)
        self.send_header("ETag", tag)
        if content and not known:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if content and not known:
            self.wfile.write(content)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.date or super().date_time_string(timestamp)

    def log_message(self, format: str, *arguments: object) -> None: ...


@dataclass
class Store:
    """The folder behind an HTTP server that keeps its port when it is stopped and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    handler: type[Handler] = field(default_factory=lambda: type("OwnHandler", (Handler,), {}))
    server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), partial(self.handler, directory=str(self.folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@dataclass
class Polling:
    """An OPA in a container that polls a store."""

    url: str
    container: Container
    store: Store

    def serve(self, file: Path) -> None:
        """At once and whole, as any server of static files should replace one."""
        shutil.copy(file, self.store.folder / "new")
        (self.store.folder / "new").rename(self.store.folder / FILE)


@contextmanager
def polling(
    engine: docker.DockerClient,
    image: str,
    key: Path,
    folder: Path,
    *options: str,
    config: Path = ROOT / "deploy" / "bundle.yaml",
    settings: Mapping[str, Any] | None = None,
) -> Iterator[Polling]:
    """More `options` of OPA, more `settings` of its container."""
    folder.mkdir()
    more = dict(settings or {})
    port = free_port()
    store = Store(folder)
    store.start()
    volumes = {
        str(config): {"bind": "/config.yaml", "mode": "ro"},
        str(key.with_suffix(".pub.pem")): {"bind": "/key.pem", "mode": "ro"},
        **more.pop("volumes", {}),
    }
    container = engine.containers.run(
        image,
        [
            *("run", "--server", f"--addr=127.0.0.1:{port}", "--skip-version-check", "--log-level=error"),
            *("--config-file=/config.yaml", "--set-file=keys.payer-policy.key=/key.pem", *AT_ONCE, *options),
        ],
        environment={
            "PAYER_POLICY_URL": f"http://127.0.0.1:{store.port}",
            **more.pop("environment", {}),
        },
        volumes=volumes,
        network_mode="host",
        user="1000:1000",
        detach=True,
        **more,
    )
    try:
        yield Polling(f"http://127.0.0.1:{port}", container, store)
    finally:
        container.remove(force=True, v=True)
        store.stop()


def revision_of(client: PolicyClient) -> str | None:
    """None while no bundle is active."""
    try:
        return client.health().revisions["payer-policy"]
    except (PolicyNotLoaded, PolicyUnreachable):
        return None


def wait_for(revision: str, client: PolicyClient, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while revision_of(client) != revision:
        assert time.monotonic() < deadline, f"{revision} did not become active"
        time.sleep(0.1)


def rewritten(source: Path, target: Path, name: str, change: tuple[bytes, bytes] | None) -> Path:
    """A bundle with one of its files changed, or left out."""
    with tarfile.open(source) as old, tarfile.open(target, "w:gz") as new:
        for member in old.getmembers():
            file = old.extractfile(member)
            content = file.read() if file else b""
            if member.name.endswith(name.removeprefix("/")):
                if change is None:
                    continue
                assert change[0] in content
                content = content.replace(*change)
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return target


def usurper(output: Path, roots: list[str], key: Path) -> Path:
    """A bundle with a guard of its own where its roots allow one, signed with the key of the policy."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "policy", folder, dirs_exist_ok=True)
        (Path(folder) / ".manifest").write_text(json.dumps({"roots": roots}))
        if {"", "system", "system/authz"} & set(roots):
            (Path(folder) / "authz.rego").write_text("package system.authz\n\nallow := true\n")
        signing = ["--signing-alg=RS256", f"--signing-key={key}"]
        opa = ROOT / ".tools" / "bin" / "opa"
        subprocess.run([opa, "build", "--bundle", ".", *signing, f"--output={output}"], cwd=folder, check=True)
    return output
