"""`EmbeddedPolicy` runs in process the policy that this package ships."""

from __future__ import annotations

import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from payer_policy.client import CallRecord, PolicyBase
from payer_policy.errors import MissingExtra, PolicyNotLoaded, PolicyUnreachable, ProtocolError
from payer_policy.model import Provenance

if TYPE_CHECKING:
    from payer_policy.client import _Recorded

# Of 64 KiB. Room for the constants of some hundred documents.
_MEMORY_PAGES = 256


class EmbeddedPolicy(PolicyBase):
    """Runs a policy compiled to WebAssembly in process: no server, no OPA, no network. Thread-safe.

    `bundle` is a file that `opa build -t wasm` wrote, or the `policy.wasm` in it; the default is the policy that this
    package ships. Headers go nowhere. Raises `MissingExtra` when opa-py-wasm is not installed, `PolicyNotLoaded` when
    the policy cannot be loaded.
    """

    def __init__(
        self, bundle: str | os.PathLike[str] | None = None, *, on_call: Callable[[CallRecord], None] | None = None
    ) -> None:
        super().__init__(on_call)
        try:
            from opapywasm import OpaWasmError, OpaWasmPolicy, PolicyConfig, runtime
        except ImportError:
            raise MissingExtra(
                "the embedded policy needs opa-py-wasm: pip install 'payer-policy-client[embedded]'"
            ) from None
        # opa-py-wasm offers a module two pages of memory to begin with and fails on one that demands more, as this one
        # does for its constants; there is no public setting for it.
        runtime._DEFAULT_MEMORY_PAGES = max(runtime._DEFAULT_MEMORY_PAGES, _MEMORY_PAGES)
        try:
            compiled = _compiled(bundle)
            self._policy = OpaWasmPolicy.from_wasm_bytes(
                compiled,
                PolicyConfig(
                    borrow_timeout_seconds=None,  # threads beyond the pool wait for their turn
                    parse_raw_json_input=False,  # it was written as JSON a moment ago
                ),
            )
        except (OSError, EOFError, zlib.error, KeyError, tarfile.TarError, OpaWasmError) as error:
            raise PolicyNotLoaded(f"the embedded policy cannot be loaded ({type(error).__name__})") from None
        self._provenance = Provenance(revisions={"policy.wasm": f"sha256:{hashlib.sha256(compiled).hexdigest()}"})

    def _evaluate(
        self, call: _Recorded, input: str | None, headers: Mapping[str, str] | None
    ) -> tuple[Any, Provenance]:
        from opapywasm import UNDEFINED, OpaWasmError
        from opapywasm.errors import OpaPolicyClosedError

        try:
            # Text, so that every number reaches the policy as it would over HTTP.
            result = self._policy.evaluate(input or "null", call.entry_point)
        except OpaPolicyClosedError:
            raise PolicyUnreachable("the embedded policy is closed") from None
        except OpaWasmError as error:
            raise ProtocolError(f"the embedded policy failed ({type(error).__name__})") from None
        if result is UNDEFINED:
            raise PolicyNotLoaded(f"the embedded policy does not define {call.entry_point}")
        return result, self._provenance

    def close(self) -> None:
        self._policy.close()


def _compiled(bundle: str | os.PathLike[str] | None) -> bytes:
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
