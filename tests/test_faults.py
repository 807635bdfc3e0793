"""What breaks in production, broken here: real OPAs, callers that go on asking through it, and every decision compared
with the known one. Nobody repairs anything but the cause. `make faults` prints the table."""

import base64
import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import docker
import pytest
import requests
from docker.models.containers import Container
from payer_policy import (
    Decision,
    PolicyClient,
    PolicyError,
    PolicyNotLoaded,
    PolicyUnreachable,
)
from rich.console import Console
from rich.table import Table

from tests import ROOT
from tests.stage.bundles import Polling, bundle, polling, revision_of, rewritten, wait_for
from tests.stage.load import Known, Load, known_decisions
from tests.stage.opa import eventually, free_port, refusals, serving, wait_for_refusals, wait_until_healthy

LATE = 3.0  # seconds over a call's deadline that a busy machine may add


@pytest.fixture(scope="module")
def known() -> Known:
    pairs = known_decisions()
    assert len(pairs) > 100
    assert len({decision["outcome"] for _, decision in pairs}) == 4
    return pairs


@dataclass(frozen=True)
class Answer:
    asked: float
    at: float
    error: PolicyError | None


class Callers:
    """Three callers of single decisions and one of an endless `decide_many`, each with the next request at once."""

    def __init__(self, urls: str | list[str], known: Known, **options: Any) -> None:  # noqa: ANN401
        self.client = PolicyClient(urls, **options)
        self.deadline = options.get("deadline", 30.0)
        self.answers: list[Answer] = []
        self.items = 0
        self.item_errors: list[PolicyError] = []
        self.broken: list[str] = []  # wrong decisions and whatever else no caller may see
        self._known = known
        self._stop = threading.Event()
        targets = [self._one_by_one] * 3 + [self._in_batches]
        self._threads = [threading.Thread(target=self._guarded, args=(target,), daemon=True) for target in targets]

    def _guarded(self, target: Callable[[], None]) -> None:
        try:
            target()
        except Exception as error:
            self.broken.append(repr(error))

    def _one_by_one(self) -> None:
        for request, right in itertools.cycle(self._known):
            if self._stop.is_set():
                return
            error: PolicyError | None = None
            asked = time.monotonic()
            try:
                decision = self.client.decide(request)
            except PolicyError as raised:
                error = raised
                time.sleep(0.05)
            else:
                self._compare(decision, right)
            self.answers.append(Answer(asked, time.monotonic(), error))

    def _in_batches(self) -> None:
        asked = 0

        def endless() -> Iterator[dict[str, Any]]:
            nonlocal asked
            for request, _ in itertools.cycle(self._known):
                if self._stop.is_set():
                    return
                asked += 1
                yield request

        answers = self.client.decide_many(endless())
        for answer, (_, right) in zip(answers, itertools.cycle(self._known), strict=False):
            self.items += 1
            if isinstance(answer, Decision):
                self._compare(answer, right)
            else:
                self.item_errors.append(answer)
        if self.items != asked:
            self.broken.append(f"{asked} items asked, {self.items} answered")

    def _compare(self, decision: Decision, right: dict[str, Any]) -> None:
        if decision.to_dict() != right:
            self.broken.append(f"wrong: {decision.outcome} for {right['outcome']}")

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        self.wait_for_answers()
        return self

    def wait_for_answers(self, number: int = 60) -> None:
        """Until so many more right decisions have come. That they come again is the recovery."""
        wanted = self.right() + number
        end = time.monotonic() + 60
        while self.right() < wanted:
            assert time.monotonic() < end, f"no answers any more; last error {self.errors()[-1:]}"
            time.sleep(0.02)

    def right(self) -> int:
        return sum(answer.error is None for answer in self.answers)

    def errors(self) -> list[PolicyError]:
        return [answer.error for answer in self.answers if answer.error] + self.item_errors

    def longest_silence(self) -> tuple[float, float]:
        """The longest time in which nobody got a decision: its length, and when it ended."""
        times = sorted(answer.at for answer in self.answers if answer.error is None)
        return max((after - before, after) for before, after in itertools.pairwise(times))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10 * self.deadline + LATE)  # for so long decide_many goes on halving
        alive = [thread for thread in self._threads if thread.is_alive()]
        self.client.close()
        if kind is None:
            assert alive == [], "a caller that never came back"
            assert self.broken == []
            assert self.items > 0
            slowest = max(answer.at - answer.asked for answer in self.answers)
            assert slowest < self.deadline + LATE


Row = Callable[[str, str, Callers, float], None]


@pytest.fixture(scope="module")
def row() -> Iterator[Row]:
    """Notes what a fault did to its callers; seen with `pytest -s` only."""
    table = Table("fault", "asserted", "right", "errors", "longest silence", "recovered in")

    def add(fault: str, asserted: str, callers: Callers, gone: float) -> None:
        """`gone`: when the cause was gone. For a fault that is not removed, when it came."""
        silence, ended = callers.longest_silence()
        right = f"{callers.right() + callers.items - len(callers.item_errors):,}"
        after = max(0.0, ended - gone) if silence > 0.25 else 0.0
        table.add_row(fault, asserted, right, str(len(callers.errors())), f"{silence:.2f} s", f"{after:.2f} s")

    yield add
    Console(width=160).print("", table)


Start = Callable[..., AbstractContextManager[Polling]]


@pytest.fixture
def production(engine: docker.DockerClient, opa_image: str, key: Path, good: Path, tmp_path: Path) -> Start:
    """OPA as production runs it: a signed bundle, kept on disk, and an engine that starts it again."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept").chmod(0o777)
    kept = {str(tmp_path / "kept"): {"bind": "/kept"}}

    @contextmanager
    def start(*options: str, **settings: Any) -> Iterator[Polling]:  # noqa: ANN401
        more = {"volumes": kept, "restart_policy": {"Name": "unless-stopped"}, **settings}
        keep = ["--set=persistence_directory=/kept", "--set=bundles.payer-policy.persist=true"]
        with polling(engine, opa_image, key, tmp_path / "served", *keep, *options, settings=more) as opa:
            opa.serve(good)
            with PolicyClient(opa.url) as client:
                wait_for("1", client)
            yield opa

    return start


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Path:
    file = tmp_path_factory.mktemp("good") / "good.tar.gz"
    bundle(ROOT / "policy", file, "1", key)
    return file


def kill_9(container: Container) -> None:
    """As the kernel would, behind the engine's back, so that the engine starts it again by itself."""
    container.reload()
    process = Path("/proc") / str(container.attrs["State"]["Pid"])
    try:
        # An engine in a machine of its own counts its processes apart: the number may be anybody's here.
        assert (process / "cmdline").read_bytes().startswith(b"/opa\0run\0")
        os.kill(int(process.name), signal.SIGKILL)
    except (AssertionError, OSError):
        container.kill("SIGKILL")
        container.start()


def is_ready(url: str) -> bool:
    """What a readiness probe asks."""
    try:
        return requests.get(f"{url}/health?bundles&plugins", timeout=2).ok
    except requests.RequestException:
        return False


def test_killed_and_restarted(production: Start, known: Known, row: Row) -> None:
    with production() as opa:
        with Callers(opa.url, known) as callers:
            at = time.monotonic()
            kill_9(opa.container)
            callers.wait_for_answers()
        assert callers.errors() == []
        row("kill -9 of the only OPA", "nothing fails; the engine restarts it", callers, at)

        with Callers(opa.url, known) as callers:
            at = time.monotonic()
            opa.container.restart()
            callers.wait_for_answers()
        assert callers.errors() == []
        row("restart of the only OPA", "nothing fails", callers, at)


def test_paused_past_the_time_out(production: Start, known: Known, row: Row) -> None:
    with (
        production() as opa,
        Callers(opa.url, known, timeout=(1, 1)) as patient,
        Callers(opa.url, known, timeout=(1, 1), deadline=2) as hasty,
    ):
        opa.container.pause()
        time.sleep(5)
        opa.container.unpause()
        gone = time.monotonic()
        patient.wait_for_answers()
        hasty.wait_for_answers()
    assert patient.errors() == []
    row("stopped for 5 s, deadline 30 s", "nothing fails", patient, gone)
    assert {type(error) for error in hasty.errors()} == {PolicyUnreachable}
    row("stopped for 5 s, deadline 2 s", "PolicyUnreachable within the deadline", hasty, gone)


def test_store_gone(production: Start, good: Path, tmp_path: Path, key: Path, known: Known, row: Row) -> None:
    bundle(ROOT / "policy", tmp_path / "next.tar.gz", "2", key)
    with production() as opa, PolicyClient(opa.url) as client:
        with Callers(opa.url, known) as callers:
            opa.store.stop()
            wait_for_refusals(opa.url, 2)
            callers.wait_for_answers()
            assert is_ready(opa.url)
        assert callers.errors() == []
        row("bundle server down", "the old bundle serves on", callers, time.monotonic())

        with Callers(opa.url, known) as callers:
            at = time.monotonic()
            kill_9(opa.container)
            callers.wait_for_answers()
            assert revision_of(client) == "1"
        assert callers.errors() == []
        row("bundle server down, OPA killed", "it serves what it kept on disk", callers, at)

        opa.serve(tmp_path / "next.tar.gz")
        opa.store.start()
        wait_for("2", client)  # by itself


def test_store_gone_from_the_start(production: Start, known: Known) -> None:
    """Without a bundle on disk there is nothing to serve: never ready, never a decision, and well by itself later."""
    with production("--set=bundles.payer-policy.persist=false") as opa, PolicyClient(opa.url, attempts=2) as client:
        opa.store.stop()
        kill_9(opa.container)
        wait_for_refusals(opa.url, 1)
        assert not is_ready(opa.url)
        assert revision_of(client) is None
        with pytest.raises(PolicyNotLoaded):
            client.decide(known[0][0])
        opa.store.start()
        eventually(lambda: is_ready(opa.url))
        assert client.decide(known[0][0]).to_dict() == known[0][1]


def signed_without_a_check(output: Path, key: Path, broken: str) -> Path:
    """A bundle that `opa build` would refuse: a policy that does not compile, rightly signed."""
    staged = output.with_suffix(".d")
    shutil.copytree(ROOT / "policy", staged)
    (staged / "kleene.rego").write_text(broken, encoding="utf-8")
    (staged / ".manifest").write_text('{"revision": "broken", "roots": ["payer"]}')
    sign: list[str | Path] = [
        ROOT / ".tools/bin/opa",
        "sign",
        "--signing-alg=RS256",
        f"--signing-key={key}",
        "--bundle",
        ".",
    ]
    subprocess.run(sign, cwd=staged, check=True)
    with tarfile.open(output, "w:gz") as archive:
        for file in sorted(staged.iterdir()):
            archive.add(file, f"/{file.name}")
    return output


def test_corrupt_bundles(production: Start, good: Path, key: Path, tmp_path: Path, known: Known, row: Row) -> None:
    stranger = tmp_path / "stranger.pem"
    subprocess.run(["openssl", "genrsa", "-out", stranger, "2048"], check=True, capture_output=True)
    bundle(ROOT / "policy", tmp_path / "strange.tar.gz", "3", stranger)
    content = good.read_bytes()
    (tmp_path / "truncated").write_bytes(content[: len(content) // 2])
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "page").write_bytes(b"<html>Please log in</html>")
    corrupt = {
        "half a bundle": tmp_path / "truncated",
        "noise": tmp_path / "noise",
        "nothing": tmp_path / "empty",
        "a proxy's page": tmp_path / "page",
        "unsigned": rewritten(good, tmp_path / "unsigned", "/.signatures.json", None),
        "tampered with": rewritten(
            good, tmp_path / "tampered", "/cc0126.rego", (b'"mrd_percent", 0.1)', b'"mrd_percent", 0.0)')
        ),
        "signed by another key": tmp_path / "strange.tar.gz",
        "signed, no Rego": signed_without_a_check(tmp_path / "no-rego.tar.gz", key, "package payer.kleene\n\nx := {"),
        "signed, does not compile": signed_without_a_check(
            tmp_path / "no-compile.tar.gz", key, "package payer.kleene\n\nx := data.payer.kleene.y\n\ny := x\n"
        ),
    }
    with production() as opa, PolicyClient(opa.url) as client, Callers(opa.url, known) as callers:
        for name, file in corrupt.items():
            refused = refusals(opa.url) + 1
            opa.serve(file)
            wait_for_refusals(opa.url, refused)
            assert revision_of(client) == "1", name
            assert is_ready(opa.url)
        callers.wait_for_answers()
    assert callers.errors() == []
    row(f"{len(corrupt)} broken bundles", "each refused, the old one serves on", callers, time.monotonic())


def test_rolled_back(production: Start, good: Path, key: Path, tmp_path: Path, known: Known, row: Row) -> None:
    bundle(ROOT / "policy", tmp_path / "next.tar.gz", "2", key)
    with production() as opa, PolicyClient(opa.url) as client, Callers(opa.url, known) as callers:
        opa.serve(tmp_path / "next.tar.gz")
        wait_for("2", client)
        opa.serve(good)
        wait_for("1", client)
        callers.wait_for_answers()
    assert callers.errors() == []
    row("a new bundle, and back to the old", "nothing fails", callers, time.monotonic())


def test_broken_folder(engine: docker.DockerClient, opa_image: str, tmp_path: Path, known: Known, row: Row) -> None:
    """The compose file serves a folder, read once. Broken, it does no harm until a restart, which then does not come up
    with half a policy; mended, OPA comes back by itself."""
    folder = tmp_path / "policy"
    shutil.copytree(ROOT / "policy", folder)
    port = free_port()
    with serving(engine, opa_image, port, policy=folder, restart="unless-stopped") as container:
        url = wait_until_healthy(container)
        with Callers(url, known) as callers:
            (folder / "engine" / "kleene.rego").write_text("no Rego {", encoding="utf-8")
            callers.wait_for_answers(300)
            kill_9(container)
            time.sleep(2)
            with PolicyClient(url, deadline=1) as client, pytest.raises(PolicyUnreachable):
                client.decide(known[0][0])
            shutil.copy(ROOT / "policy" / "engine" / "kleene.rego", folder / "engine")
            gone = time.monotonic()
            callers.wait_for_answers()
        assert callers.errors() == []
    row("folder broken, then killed", "old policy, then no answer; mended, the next restart", callers, gone)


def test_a_watched_folder_can_decide_wrongly(engine: docker.DockerClient, opa_image: str, tmp_path: Path) -> None:
    """Why nothing here says `--watch`: a broken file keeps the old policy, a missing one is taken for a new policy."""
    folder = tmp_path / "policy"
    shutil.copytree(ROOT / "policy", folder)
    request = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": "dlbcl"}}
    with serving(engine, opa_image, 0, "--watch", policy=folder) as container:
        url = wait_until_healthy(container)

        def outcome() -> str:
            reply = requests.post(f"{url}/v1/data/payer/decision", json={"input": request}, timeout=5).json()
            return str(reply["result"]["outcome"])

        assert outcome() == "not_approved"
        (folder / "engine" / "kleene.rego").write_text("no Rego {", encoding="utf-8")
        time.sleep(1)
        assert outcome() == "not_approved"
        shutil.copy(ROOT / "policy" / "engine" / "kleene.rego", folder / "engine")
        (folder / "cc0126.rego").unlink()
        eventually(lambda: outcome() == "invalid_request")
        assert requests.get(f"{url}/health?bundles&plugins", timeout=5).ok
    for file in [ROOT / "docker-compose.yml", *(ROOT / "deploy").rglob("*.yaml")]:
        assert "--watch" not in file.read_text(encoding="utf-8")


@pytest.fixture
def full(engine: docker.DockerClient) -> Iterator[dict[str, dict[str, str]]]:
    """Two volumes of 16 KiB and 4 KiB: far less than a log of requests, and less than a bundle."""
    volumes = [
        engine.volumes.create(
            driver="local",
            driver_opts={"type": "tmpfs", "device": "tmpfs", "o": f"size={size}k,uid=1000,gid=1000"},
        )
        for size in (16, 4)
    ]
    yield {volume.name: {"bind": bind} for volume, bind in zip(volumes, ("/log", "/kept"), strict=True)}
    for volume in volumes:
        volume.remove(force=True)


def files_in(container: Container, path: str) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(container.get_archive(path)[0]))) as archive:
        return archive.getmembers()


def test_disk_full(
    production: Start, full: dict[str, dict[str, str]], tmp_path: Path, key: Path, known: Known, row: Row
) -> None:
    """The log of requests goes to a volume that is soon full, and the kept bundle to one that is too small for it."""
    log = ["--log-level=info", "--set=server.logger_plugin=file_logger", "--set=plugins.file_logger.path=/log/opa.log"]
    bundle(ROOT / "policy", tmp_path / "next.tar.gz", "2", key)
    with production(*log, volumes=full) as opa, PolicyClient(opa.url) as client:
        with Callers(opa.url, known) as callers:
            callers.wait_for_answers(300)
            opa.serve(tmp_path / "next.tar.gz")
            wait_for("2", client)
            callers.wait_for_answers()
        assert callers.errors() == []
        [log_file] = [file for file in files_in(opa.container, "/log") if file.isfile()]
        assert 12 * 1024 < log_file.size <= 16 * 1024, "the disk did not fill"
        assert not [file for file in files_in(opa.container, "/kept") if file.isfile()], "half a bundle was kept"
        assert refusals(opa.url) > 0  # that it cannot be kept raises the alert
    row("disk full for log and kept bundle", "decisions and new bundles go on", callers, time.monotonic())


def test_two_of_three(engine: docker.DockerClient, opa_image: str, known: Known, row: Row) -> None:
    ports = [free_port() for _ in range(3)]
    with ExitStack() as stack:
        replicas = [stack.enter_context(serving(engine, opa_image, port)) for port in ports]
        urls = [wait_until_healthy(replica) for replica in replicas]
        with Callers(urls, known, timeout=(1, 1)) as callers:
            at = time.monotonic()
            replicas[0].kill("SIGKILL")
            callers.wait_for_answers()
        assert callers.errors() == []
        row("one of three killed", "nothing fails", callers, at)
        with Callers(urls, known, timeout=(1, 1)) as callers:
            at = time.monotonic()
            replicas[1].pause()
            callers.wait_for_answers()
            replicas[1].unpause()
        assert callers.errors() == []
        row("one of three killed, one silent", "nothing fails", callers, at)


def test_clock_jumps(production: Start, good: Path, tmp_path: Path, key: Path, known: Known, row: Row) -> None:
    """OPA's own clock cannot be set here: a static binary, and one clock for all containers. What depends on a clock
    is taken instead: none in the policy, none in the signature, the store's, and the callers' own."""
    capabilities = json.loads((ROOT / "build" / "capabilities.json").read_text())
    names = {builtin["name"] for builtin in capabilities["builtins"]}
    assert not {"time.now_ns", "http.send", "opa.runtime", "rand.intn", "uuid.rfc4122"} & names
    with tarfile.open(good) as archive:
        member = archive.extractfile("/.signatures.json")
        assert member
        [token] = json.loads(member.read())["signatures"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert not {"exp", "nbf", "iat"} & set(claims)

    with production() as opa, PolicyClient(opa.url) as client, Callers(opa.url, known) as callers:
        for number, date in enumerate(["Fri, 01 Jan 1999 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"], 2):
            opa.store.handler.date = date
            bundle(ROOT / "policy", tmp_path / "next.tar.gz", str(number), key)
            opa.serve(tmp_path / "next.tar.gz")
            wait_for(str(number), client)
        with pytest.MonkeyPatch.context() as patch:
            now = time.time
            for years in (-20, 20):
                patch.setattr(time, "time", lambda years=years: now() + years * 365 * 86400)
                callers.wait_for_answers()
    assert callers.errors() == []
    row("clock of store and callers jumps", "nothing fails, bundles still come", callers, time.monotonic())


def test_steady_load(engine: docker.DockerClient, opa_image: str, known: Known) -> None:
    """`make load` for 10 seconds; times and memory are judged there, not here."""
    load = Load(4)
    with serving(engine, opa_image) as container:
        load.run(wait_until_healthy(container), container, known, 10)
    assert load.errors == []
    assert len(load.seconds) > 100
    assert load.growth() > 0
    assert load.percentile(50) <= load.percentile(99)
