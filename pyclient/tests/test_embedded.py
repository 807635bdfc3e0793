"""The embedded policy below its methods: threads, forks, pickles, sizes, what is no policy, the cache of modules."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from payer_policy import (
    Decision,
    EmbeddedPolicy,
    PolicyNotLoaded,
    PolicyUnreachable,
    ProtocolError,
    RequestTooLarge,
)
from payer_policy.runtime import modules, wasm
from payer_policy.runtime.request import written
from wasmtime import Module, wat2wasm

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "pyclient" / "src" / "payer_policy" / "policy.wasm"


def request(disease: str = "all", **facts: object) -> dict[str, Any]:
    return {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": disease, **facts}}


REQUESTS = [request(disease) for disease in ("all", "dlbcl", "other")]


@pytest.fixture(scope="module")
def expected(policy: EmbeddedPolicy) -> list[Decision]:
    return [policy.decide(each) for each in REQUESTS]


@pytest.fixture
def busy(policy: EmbeddedPolicy) -> Iterator[None]:
    """Threads that decide meanwhile, and one that loads policies."""
    stop = threading.Event()

    def decide() -> None:
        while not stop.is_set():
            policy.decide(REQUESTS[0])

    def load() -> None:
        while not stop.is_set():
            EmbeddedPolicy().close()

    threads = [threading.Thread(target=run) for run in [decide] * 4 + [load]]
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join()


def test_threads_decide_each_its_own(policy: EmbeddedPolicy, expected: list[Decision]) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(policy.decide, REQUESTS * 100)) == expected * 100
    assert len(policy._policy._pool.idle) <= (os.cpu_count() or 1)


def of_child(work: Callable[[], bool]) -> str:
    """What became of work that a forked child does."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "right" if status == 0 else f"status {status}"
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # that there are threads is what is tested
@pytest.mark.no_cover  # on Python 3.10 a child inherits a lock of coverage that a thread held, in every tenth fork
@pytest.mark.usefixtures("busy")
def test_a_child_forked_while_threads_decide_decides(policy: EmbeddedPolicy, expected: list[Decision]) -> None:
    def work() -> bool:
        with ThreadPoolExecutor(4) as threads:
            inherited = list(threads.map(policy.decide, REQUESTS * 2)) == expected * 2
        with EmbeddedPolicy() as own:
            return inherited and [own.decide(each) for each in REQUESTS] == expected

    assert [of_child(work) for _ in range(10)] == ["right"] * 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_compiles_what_no_cache_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(SHIPPED))
    assert decides(tmp_path)
    assert of_child(lambda: decides(tmp_path)) == "right"


def outcome(policy: EmbeddedPolicy, asked: dict[str, Any]) -> str:
    return policy.decide(asked).outcome.value


@pytest.mark.parametrize("start", [way for way in multiprocessing.get_all_start_methods() if way != "forkserver"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_policy_is_sent_to_other_processes(start: str, policy: EmbeddedPolicy, expected: list[Decision]) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(start)) as pool:
        found = list(pool.map(outcome, [policy] * 3, REQUESTS))
    assert found == [decision.outcome.value for decision in expected]


def test_a_pickled_policy_is_the_same_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "policy.wasm"
    shutil.copy(SHIPPED, bundle)
    monkeypatch.chdir(tmp_path)
    with EmbeddedPolicy("policy.wasm") as policy:
        pickled, provenance = pickle.dumps(policy), policy.health()
    monkeypatch.chdir("/")
    with pickle.loads(pickled) as again:
        assert again.health() == provenance
    bundle.write_bytes(wat2wasm(module()))
    with pytest.raises(PolicyNotLoaded, match="another than when it was pickled"):
        pickle.loads(pickled)


def test_its_limit_is_that_of_the_server() -> None:
    production = yaml.safe_load((ROOT / "deploy" / "production.yaml").read_text(encoding="utf-8"))
    assert wasm.LONGEST + len('{"input":}') == production["server"]["decoding"]["max_length"]


def sized(length: int) -> dict[str, Any]:
    asked = request(note="")
    asked["facts"]["note"] = "x" * (length - len(written(asked).text))
    return asked


def test_a_request_too_large_is_told_so_and_the_next_is_decided(
    policy: EmbeddedPolicy, expected: list[Decision]
) -> None:
    [largest] = policy.decide_many([sized(wasm.LONGEST - len('{"requests":[]}'))])
    assert isinstance(largest, Decision)
    assert largest.outcome.value == "invalid_request"
    for larger in (wasm.LONGEST + 1, 1 << 24):
        with pytest.raises(RequestTooLarge, match=f"too large: {larger:,} bytes, and 524,278 may be"):
            policy.decide(sized(larger))
        assert policy.decide(REQUESTS[0]) == expected[0]


def test_a_batch_too_large_is_halved(policy: EmbeddedPolicy) -> None:
    asked = [REQUESTS[0], *[sized(100_000)] * 7, sized(1 << 20), REQUESTS[0]]
    answers = [
        type(answer).__name__ if isinstance(answer, Exception) else answer.outcome.value
        for answer in policy.decide_many(asked)
    ]
    refused = ["invalid_request"] * 7
    assert answers == ["needs_information", *refused, "RequestTooLarge", "needs_information"]


def test_memory_is_bounded_and_given_back(monkeypatch: pytest.MonkeyPatch, expected: list[Decision]) -> None:
    hungry = [{**REQUESTS[0], "codes": {"icd10": ["C91.00"] * 200}}] * 100
    with EmbeddedPolicy() as policy:
        monkeypatch.setattr(wasm, "_KEPT_PAGES", 100)
        assert len(list(policy.decide_many(hungry, batch_size=100, in_flight=1))) == 100
        assert policy._policy._pool.idle == []
        assert policy.decide(REQUESTS[0]) == expected[0]
        least = policy._policy._pages.min
    monkeypatch.setattr(wasm, "_MOST_PAGES", 20 - 64 * least)
    with EmbeddedPolicy() as policy:
        with pytest.raises(RequestTooLarge, match="needs more than 1 MiB of memory"):
            policy.catalogue()
        assert policy.decide(REQUESTS[0]) == expected[0]


def module(
    built_ins: str = "{}", result: str = "[]", evaluation: str = "i32.const 768", version: str = "opa_eval"
) -> str:
    """A policy by OPA's ABI that does as it is told."""

    def text(address: int, value: str) -> str:
        return f'(data (i32.const {address}) "{value.replace(chr(34), chr(92) + chr(34))}\\00")'

    signature = "(param i32 i32 i32 i32 i32 i32 i32) (result i32)"
    return f"""(module
        (import "env" "opa_abort" (func $abort (param i32)))
        (import "env" "memory" (memory 9))
        {text(256, built_ins)} {text(512, '{"payer/decision": 0}')} {text(768, result)} {text(1024, "a secret")}
        (export "memory" (memory 0))
        (func (export "builtins") (result i32) i32.const 256)
        (func (export "entrypoints") (result i32) i32.const 512)
        (func (export "opa_json_dump") (param i32) (result i32) local.get 0)
        (func (export "opa_malloc") (param i32) (result i32) i32.const 2048)
        (func (export "opa_heap_ptr_get") (result i32) i32.const 600000)
        (func (export "{version}") {signature} {evaluation}))"""


def loaded(folder: Path, text: str) -> EmbeddedPolicy:
    file = folder / "policy.wasm"
    file.write_bytes(wat2wasm(text))
    return EmbeddedPolicy(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (module(built_ins='{"sprintf": 0, "http.send": 1}'), "built-ins that are not here: http.send, sprintf"),
        (module(version="opa_eval_not"), "no WebAssembly as OPA makes it"),
        (module(built_ins="no JSON"), "no WebAssembly as OPA makes it"),
        (module().replace("i32.const 2048", "i32.const 200000"), "no WebAssembly as OPA makes it"),
        (module().replace("i32.const 256)", "i32.const 1024 call $abort unreachable)"), "no WebAssembly as OPA"),
        ("(module)", "no WebAssembly as OPA makes it"),
        ('(module (import "env" "strange" (func)))', "no WebAssembly as OPA makes it"),
    ],
)
def test_what_is_no_policy_is_not_loaded(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyNotLoaded, match=says):
        loaded(tmp_path, text)


def test_a_file_that_holds_no_policy_is_named(tmp_path: Path) -> None:
    rego = tmp_path / "bundle.tar.gz"
    with tarfile.open(rego, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("/payer.rego"))
    for file, says in (
        ("", "the policy in '' cannot be loaded: ValueError"),  # as an environment variable that is not set gives it
        (tmp_path, f"the policy in '{tmp_path}' cannot be loaded: Is a directory"),
        (tmp_path / "none", f"the policy in '{tmp_path}/none' cannot be loaded: No such file or directory"),
        (rego, f"'{rego}' has no policy.wasm, as opa build -t wasm makes one"),
    ):
        with pytest.raises(PolicyNotLoaded) as raised:
            EmbeddedPolicy(file)
        assert str(raised.value) == says


@pytest.mark.parametrize("evaluation", ["i32.const 1024 call $abort unreachable", "unreachable", "i32.const -1"])
def test_a_policy_that_fails_says_so_and_nothing_else(evaluation: str, tmp_path: Path) -> None:
    with loaded(tmp_path, module(evaluation=evaluation)) as policy:
        for _ in range(2):
            with pytest.raises(ProtocolError, match=r"^the embedded policy failed$"):
                policy.decide(REQUESTS[0])


def test_what_is_not_defined_is_not_loaded(tmp_path: Path) -> None:
    with loaded(tmp_path, module()) as policy:
        with pytest.raises(PolicyNotLoaded, match="does not define payer/decision"):
            policy.decide(REQUESTS[0])
        with pytest.raises(PolicyNotLoaded, match="does not define payer/catalogue"):
            policy.catalogue()


def test_threads_that_wait_when_it_is_closed_are_told_so() -> None:
    policy = EmbeddedPolicy()
    pool = policy._policy._pool
    for _ in range(os.cpu_count() or 1):
        pool.turns.acquire()
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(policy.decide, REQUESTS[0])
        policy.close()
        pool.turns.release()
        with pytest.raises(PolicyUnreachable, match="closed"):
            waits.result(60)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "payer-policy"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what was compiled."""
    sizes: list[int] = []

    class Counting(Module):
        def __init__(self, engine: Any, source: Any) -> None:  # noqa: ANN401
            sizes.append(len(source))
            super().__init__(engine, source)

    monkeypatch.setattr(modules, "Module", Counting)
    return sizes


def decides(folder: Path) -> bool:
    with loaded(folder, module(result='[{"result": 7}]')) as policy:
        return bool(policy._policy.evaluate("null", "payer/decision") == 7)


def test_a_module_is_compiled_once(cache: Path, compiled: list[int], tmp_path: Path) -> None:
    assert [decides(tmp_path) for _ in range(3)] == [True] * 3
    assert len(compiled) == 1
    [file] = cache.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def spoilt(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def linked(file: Path) -> None:
    file.rename(file.parent.parent / "elsewhere")
    file.symlink_to(file.parent.parent / "elsewhere")


def cut(file: Path) -> None:
    os.truncate(file, 1000)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def opened(file: Path) -> None:
    file.chmod(0o666)


@pytest.mark.parametrize("harm", [spoilt, linked, cut, emptied, opened])
def test_a_module_that_may_be_another_is_compiled_anew(
    harm: Callable[[Path], None], cache: Path, compiled: list[int], tmp_path: Path
) -> None:
    assert decides(tmp_path)
    [file] = cache.iterdir()
    harm(file)
    assert decides(tmp_path)
    assert len(compiled) == 2
    assert decides(tmp_path)  # the new one stands in its place
    assert len(compiled) == 2


@pytest.mark.parametrize("place", ["payer-policy", "."])
@pytest.mark.parametrize("mode", [0o770, 0o777])
def test_a_folder_that_others_write_to_is_not_trusted(
    place: str, mode: int, cache: Path, compiled: list[int], tmp_path: Path
) -> None:
    assert decides(tmp_path)
    (cache.parent / place).chmod(mode)
    assert decides(tmp_path)
    assert len(compiled) == 2


def test_a_folder_of_another_user_is_not_trusted(
    cache: Path, compiled: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert decides(tmp_path)
    [file] = cache.iterdir()
    kept = file.stat().st_mtime_ns
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    assert decides(tmp_path)
    assert len(compiled) == 2
    assert file.stat().st_mtime_ns == kept  # nor is anything put there


def test_without_a_cache_it_decides(
    cache: Path, compiled: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("no folder")
    assert decides(tmp_path)
    monkeypatch.delattr(os, "geteuid")
    assert decides(tmp_path)
    assert len(compiled) == 2


def test_the_cache_stays_small(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "_KEPT", 2)
    for number in range(4):
        loaded(tmp_path, module(result=f"[{number}]")).close()
    assert len(list(cache.iterdir())) == 2
