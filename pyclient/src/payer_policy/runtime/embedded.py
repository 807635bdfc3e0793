"""`EmbeddedPolicy` runs in process the policy that this package ships."""

from __future__ import annotations

import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from payer_policy.runtime.errors import MissingExtra, PolicyNotLoaded
from payer_policy.runtime.policy import CallRecord, PolicyBase, Recorded
from payer_policy.runtime.values import Provenance


class EmbeddedPolicy(PolicyBase):
    """Runs a policy compiled to WebAssembly in process: no server, no OPA, no network. Thread-safe, and a process that
    is forked decides too; pickled, it is loaded again where it is unpickled, from the same file.

    `bundle` is a file that `opa build -t wasm` wrote, or the `policy.wasm` in it; the default is the policy that this
    package ships. Headers go nowhere. A request, and a batch, may have 512 KiB, as the server has it in `deploy/`; a
    larger one raises `RequestTooLarge`, and `decide_many` halves the batch. Raises `MissingExtra` when wasmtime is not
    installed, `PolicyNotLoaded` when the policy cannot be loaded.
    """

    def __init__(
        self, bundle: str | os.PathLike[str] | None = None, *, on_call: Callable[[CallRecord], None] | None = None
    ) -> None:
        super().__init__(on_call)
        try:
            from payer_policy.runtime.wasm import WasmPolicy
        except ImportError:
            raise MissingExtra(
                "the embedded policy needs wasmtime: pip install 'payer-policy-client[embedded]'"
            ) from None
        self._bundle = None if bundle is None else os.path.abspath(bundle)
        try:
            wasm = read_wasm(bundle)
        except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:  # ValueError: no name of a file
            why = getattr(error, "strerror", None) or type(error).__name__
            raise PolicyNotLoaded(f"the policy in {str(bundle)!r} cannot be loaded: {why}") from None
        except KeyError:
            raise PolicyNotLoaded(f"{str(bundle)!r} has no policy.wasm, as opa build -t wasm makes one") from None
        digest = hashlib.sha256(wasm).hexdigest()
        self._policy = WasmPolicy(wasm, digest)
        self._provenance = Provenance(revisions={"policy.wasm": f"sha256:{digest}"})

    def _evaluate(self, call: Recorded, input: str | None, headers: Mapping[str, str] | None) -> tuple[Any, Provenance]:
        # Text, so that every number reaches the policy as it would over HTTP.
        return self._policy.evaluate(input or "null", call.entry_point), self._provenance

    def close(self) -> None:
        self._policy.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self._bundle, self._on_call, self._provenance)


def _unpickled(
    kind: type[EmbeddedPolicy],
    bundle: str | None,
    on_call: Callable[[CallRecord], None] | None,
    provenance: Provenance,
) -> EmbeddedPolicy:
    policy = kind(bundle, on_call=on_call)
    if policy._provenance != provenance:
        raise PolicyNotLoaded("the file of the embedded policy is another than when it was pickled")
    return policy


def read_wasm(bundle: str | os.PathLike[str] | None) -> bytes:
    """The module that a bundle holds; of none, that of this package."""
    if bundle is None:
        return (files("payer_policy") / "policy.wasm").read_bytes()
    if not tarfile.is_tarfile(bundle):
        with open(bundle, "rb") as file:
            return file.read()
    with tarfile.open(bundle) as archive:
        member = archive.extractfile("/policy.wasm")
        if member is None:
            raise KeyError("policy.wasm")
        return member.read()
