"""OPA's server with a constant rule beside the policy, and what it takes."""

import http.client
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.resident import mebibytes
from tests import ROOT
from tests.stage.opa import process

JSON = {"Content-Type": "application/json"}


@dataclass
class Server:
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mebibytes(self) -> float:
        return mebibytes(self.process.pid)

    def processor_seconds(self) -> float:
        """Since its start: others may keep this machine busy."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def ask(self, path: str, request: object) -> Callable[[], Any]:
        """By http.client over one connection, the floor of any client."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        body = json.dumps({"input": request})

        def call() -> Any:  # noqa: ANN401
            connection.request("POST", f"/v1/data/{path}", body, JSON)
            return json.loads(connection.getresponse().read())

        return call

    def get(self, path: str) -> Callable[[], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)

        def call() -> bytes:
            connection.request("GET", path)
            return connection.getresponse().read()

        return call


@contextmanager
def serving(policy: Path) -> Iterator[Server]:
    """Until it has decided."""
    with process(policy, ROOT / "bench" / "constant.rego") as started:
        yield Server(*started)
