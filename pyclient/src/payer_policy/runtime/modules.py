"""Compiled modules, kept in the user's cache folder: to compile one takes a thousand times as long as to load it.

A module is code that will run, so it is taken only from where nobody but the user and root can have put it: the folder,
its parents and the file belong to them, and no one else may write there. Without such a place, as on Windows, where
nobody can tell, the module is compiled each time.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from wasmtime import Engine, Module, WasmtimeError

_KEPT = 16  # of which a user with several policies and versions of wasmtime has some to spare


def compiled(engine: Engine, wasm: bytes, digest: str) -> Module:
    """The module, from the cache where it is. `digest` is that of `wasm`. Raises `WasmtimeError` when it is none."""
    folder = _folder()
    if folder is None:
        return Module(engine, wasm)
    key = f"{digest}-{version('wasmtime')}-"
    for file in folder.glob(f"{key}*"):
        # Its name says what is in it, since wasmtime would run a file that a full disk cut short.
        with suppress(OSError, ValueError, WasmtimeError):
            if _sha256(file) == file.name.removeprefix(key):
                os.utime(file)
                return Module.deserialize_file(engine, str(file))
        with suppress(OSError):
            file.unlink()
    module = Module(engine, wasm)
    with suppress(OSError, WasmtimeError):
        _keep(folder, key, module.serialize())
    return module


def _folder() -> Path | None:
    """Where modules are kept, made if need be; None when others may write there or it cannot be had."""
    if not hasattr(os, "geteuid"):
        return None
    try:
        home = Path.home()
        caches = home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
        if os.path.isabs(named := os.environ.get("XDG_CACHE_HOME", "")):
            caches = Path(named)
        folder = caches / "payer-policy"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.resolve(strict=True)
        safe = _ours(folder.stat()) and all(_nobody_elses(parent.stat()) for parent in folder.parents)
    except (OSError, RuntimeError):
        return None
    return folder if safe else None


def _ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _nobody_elses(status: os.stat_result) -> bool:
    """Of a parent: what is in it can be moved away by nobody but the user and root."""
    shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
    return status.st_uid in (0, os.geteuid()) and not shared


def _sha256(file: Path) -> str:
    with open(file, "rb", opener=_no_link) as opened:
        status = os.fstat(opened.fileno())
        if not (stat.S_ISREG(status.st_mode) and _ours(status)):
            raise OSError
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return hashlib.sha256(content).hexdigest()


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _keep(folder: Path, key: str, content: bytes | bytearray) -> None:
    """Whole or not at all, and the oldest go."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, folder / f"{key}{hashlib.sha256(content).hexdigest()}")
    except BaseException:
        os.unlink(name)
        raise
    for old in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)
