"""A policy that OPA compiled to WebAssembly, run by wasmtime as OPA's ABI says (https://www.openpolicyagent.org/docs/wasm,
version 1.2 or later): one call a decision.

A host function of wasmtime is a Python function in a table that no lock guards, so `_Host` makes them once a process.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from payer_policy.runtime.errors import PolicyNotLoaded, PolicyUnreachable, ProtocolError, RequestTooLarge
from payer_policy.runtime.modules import compiled
from wasmtime import (
    Caller,
    Config,
    Engine,
    Func,
    FuncType,
    Global,
    GlobalType,
    Instance,
    Limits,
    Linker,
    Memory,
    MemoryType,
    Module,
    Store,
    Trap,
    Val,
    ValType,
    WasmtimeError,
)

_PAGE = 1 << 16
# A request or a batch, in bytes: what OPA takes as deploy/production.yaml has it, less `{"input":}` around it.
LONGEST = (1 << 19) - len('{"input":}')
# What an evaluation may take besides 64 times what the policy has, which the catalogue of hundreds of documents needs,
# and what an instance may have taken and still be kept: its memory never shrinks.
_MOST_PAGES, _KEPT_PAGES = (1 << 30) // _PAGE, (1 << 26) // _PAGE

# Calls opa_eval, since wasmtime's package takes a third of a decision to hand over seven arguments. They lie in memory
# instead, at $place: the entry point, the length of the input, the input. What an evaluation takes begins at $heap.
_CALL = """
(module
  (import "" "memory" (memory 0))
  (import "" "opa_eval" (func $opa_eval (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "" "place" (global $place i32))
  (import "" "heap" (global $heap i32))
  (func (export "call") (result i32)
    (call $opa_eval
      (i32.const 0) (i32.load (global.get $place)) (i32.const 0)
      (i32.add (global.get $place) (i32.const 8)) (i32.load offset=4 (global.get $place))
      (global.get $heap) (i32.const 0))))
"""
_FIRST = struct.Struct("<II")


class _Stopped(Exception):
    """The policy called `opa_abort`: wasmtime unwinds it when a host function raises."""


# Of wasmtime, of the policy, and of an address that is none or a text that is no JSON.
_FAILURES = (WasmtimeError, Trap, _Stopped, ValueError)


class _Host:
    """What the policies of a process share: the engine, the functions that every policy imports, and what calls it."""

    def __init__(self) -> None:
        config = Config()
        config.parallel_compilation = not _is_child
        self.engine = Engine(config)
        self.call = Module(self.engine, _CALL)
        self.linker = Linker(self.engine)
        i32 = ValType.i32()
        self.linker.define_func("env", "opa_abort", FuncType([i32], []), _abort, access_caller=True)
        self.linker.define_func("env", "opa_println", FuncType([i32], []), lambda _: None)
        for arguments in range(5):  # none is ever called: a policy that needs a built-in of its host is not loaded
            signature = FuncType([i32] * (2 + arguments), [i32])
            self.linker.define_func("env", f"opa_builtin{arguments}", signature, lambda *_: 0)


# Held while wasmtime changes what its threads share, and by who forks, so that no child finds it half done.
_changing = threading.Lock()
_host: _Host | None = None
_is_child = False  # then threads that compile may be missing, and would be waited for for ever
_policies: weakref.WeakSet[WasmPolicy] = weakref.WeakSet()
# Why the policy that runs on this thread stopped: what wasmtime raises may be of another thread.
_said = threading.local()


def _abort(caller: Caller, address: int) -> None:
    memory = caller["memory"]
    assert isinstance(memory, Memory)
    _said.abort = _text(memory, caller, address)
    raise _Stopped


def _text(memory: Memory, store: Store | Caller, address: int) -> bytes:
    """That begins at an address and ends with a zero, the last byte of the memory at the latest."""
    base, size = ctypes.addressof(memory.data_ptr(store).contents), memory.data_len(store)
    address &= (1 << 32) - 1  # wasmtime takes it for signed
    if address >= size:
        raise ValueError("out of bounds")
    ctypes.memset(base + size - 1, 0, 1)  # nothing stands there: what is taken for a text leaves room behind it
    return ctypes.string_at(base + address)


def _forked() -> None:
    """A child has none of the threads that may have had an instance or a place in the pool."""
    global _host, _is_child
    _host, _is_child = None, True
    for policy in _policies:
        policy._pool = _Pool()
    _changing.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_changing.acquire, after_in_parent=_changing.release, after_in_child=_forked)


class _Instance:
    """Of one thread at a time."""

    def __init__(self, host: _Host, module: Module, pages: Limits) -> None:
        self._store = Store(host.engine)
        self._memory = Memory(self._store, MemoryType(pages))
        imports = [
            self._memory if item.name == "memory" else host.linker.get(self._store, item.module, item.name or "")
            for item in module.imports
        ]
        policy = Instance(self._store, module, imports)
        self._functions = _functions(policy, self._store)
        self.entry_points = self._held("entrypoints")
        self.built_ins = self._held("builtins")
        # A place for any input, once: opa_eval takes for itself what comes after it, anew for each call.
        self._place = self._functions["opa_malloc"](_FIRST.size + LONGEST)
        if not 0 <= self._place <= self._memory.data_len(self._store) - _FIRST.size - LONGEST:
            raise ValueError("out of bounds")
        addresses = [
            Global(self._store, GlobalType(ValType.i32(), mutable=False), Val.i32(address))
            for address in (self._place, self._functions["opa_heap_ptr_get"]())
        ]
        opa_eval = policy.exports(self._store)["opa_eval"]
        call = Instance(self._store, host.call, [self._memory, opa_eval, *addresses])
        self._call = _functions(call, self._store)["call"]

    @property
    def pages(self) -> int:
        return self._memory.size(self._store)

    def evaluate(self, entry_point: int, input: bytes) -> bytes:
        """The result set, in JSON."""
        base = ctypes.addressof(self._memory.data_ptr(self._store).contents)
        handed = _FIRST.pack(entry_point, len(input)) + input
        ctypes.memmove(base + self._place, handed, len(handed))
        return _text(self._memory, self._store, self._call())

    def _held(self, name: str) -> dict[str, int]:
        address = self._functions["opa_json_dump"](self._functions[name]())
        held: dict[str, int] = json.loads(_text(self._memory, self._store, address))
        return held


def _functions(instance: Instance, store: Store) -> dict[str, Callable[..., Any]]:
    return {name: partial(item, store) for name, item in instance.exports(store).items() if isinstance(item, Func)}


@dataclass
class _Pool:
    """Instances that nobody uses, and how many threads may have one: more would wait for the processors."""

    turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(os.cpu_count() or 1))
    idle: list[_Instance] = field(default_factory=list)


class WasmPolicy:
    """Thread-safe. A child that is forked has instances of its own. Raises `PolicyNotLoaded`."""

    def __init__(self, wasm: bytes, digest: str) -> None:
        global _host
        self._closed = False
        self._pool = _Pool()
        try:
            with _changing:
                self._host = _host = _host or _Host()
                self._module = compiled(_host.engine, wasm, digest)
                _policies.add(self)
            memory = next(item.type for item in self._module.imports if isinstance(item.type, MemoryType))
            # What the module says it needs does not count its constants, which cannot be longer than itself.
            pages = memory.limits.min + len(wasm) // _PAGE + 1
            self._pages = Limits(pages, min(_MOST_PAGES + 64 * pages, (1 << 32) // _PAGE))
            first = self._made()
        except (*_FAILURES, StopIteration, KeyError):
            raise PolicyNotLoaded("the embedded policy is no WebAssembly as OPA makes it") from None
        if first.built_ins:
            needed = ", ".join(sorted(first.built_ins))
            raise PolicyNotLoaded(f"the embedded policy needs built-ins that are not here: {needed}")
        self._entry_points = first.entry_points
        self._pool.idle.append(first)

    def evaluate(self, input: str, entry_point: str) -> Any:  # noqa: ANN401
        """The value of an entry point for an input in JSON. Raises `RequestTooLarge`, `PolicyNotLoaded` when it is not
        defined, `ProtocolError` when the policy fails, `PolicyUnreachable` once it is closed."""
        encoded = input.encode()
        if len(encoded) > LONGEST:
            raise RequestTooLarge(f"the request is too large: {len(encoded):,} bytes, and {LONGEST:,} may be")
        if entry_point not in self._entry_points:
            raise PolicyNotLoaded(f"the embedded policy does not define {entry_point}")
        results = json.loads(self._evaluate(self._entry_points[entry_point], encoded))
        if not results:
            raise PolicyNotLoaded(f"the embedded policy does not define {entry_point}")
        return results[0]["result"]

    def _evaluate(self, entry_point: int, input: bytes) -> bytes:
        pool = self._pool
        with pool.turns:
            if self._closed:
                raise PolicyUnreachable("the embedded policy is closed")
            try:
                instance = pool.idle.pop()
            except IndexError:
                instance = self._made()
            _said.abort = b""
            try:
                result = instance.evaluate(entry_point, input)
            except _FAILURES:  # its memory is in an unknown state, so it is not used again
                failure = _said.abort
            else:
                if instance.pages <= max(_KEPT_PAGES, 2 * self._pages.min) and not self._closed:
                    pool.idle.append(instance)
                return result
        if failure == b"opa_malloc: failed":
            raise RequestTooLarge(f"the request needs more than {(self._pages.max or 0) * _PAGE >> 20:,} MiB of memory")
        raise ProtocolError("the embedded policy failed")

    def close(self) -> None:
        self._closed = True
        self._pool.idle.clear()

    def _made(self) -> _Instance:
        with _changing:
            return _Instance(self._host, self._module, self._pages)
