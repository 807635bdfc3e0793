"""`PolicyClient` asks OPA servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import Any

from payer_policy.runtime.answers import answer_of, provenance_of
from payer_policy.runtime.errors import InvalidValue, PolicyNotLoaded, ProtocolError, RevisionRefused
from payer_policy.runtime.policy import CallRecord, PolicyBase, Recorded
from payer_policy.runtime.transport import Question, Transport
from payer_policy.runtime.values import Provenance

# In bytes, unpacked. A decision of CC-0126 has some 7,000, its part of the catalogue 12,000.
_LONGEST, _LONGEST_DECISION, _LONGEST_CATALOGUE = 1 << 20, 1 << 18, 1 << 26


class PolicyClient(PolicyBase):
    """Asks OPA over one pooled keep-alive session. Thread-safe: create one and keep it.

    - `base_url`: of one server, or of several; the one that answered last is asked first, the next when it fails.
    - `token`: sent as `Authorization: Bearer`; a callable is called for every attempt, so tokens may rotate.
    - `ca_file`: trusted certificates (PEM), or a folder of such by their hashes; the default is what requests trusts.
      `client_cert`: a PEM file with certificate and key, or two files.
    - `timeout`: seconds to connect and seconds until the whole reply is there; `deadline`: seconds for a whole call,
      all attempts and pauses included; `attempts`: how many there may be. Asked again are connections refused, reset
      or dropped, time-outs, truncated replies and statuses 429, 502, 503 and 504, after a pause that grows, in part
      at random, or that the server names (Retry-After). A server that fails in any other way (another status, no
      policy, no JSON) is not asked again in this call, and the next one is. Only the resolution of a name is not
      limited: the operating system offers no way.
    - A reply may have 1 MiB and 256 KiB for each decision, the catalogue 64 MiB, unpacked; a longer one is refused.
    - `revisions`: by the name of a bundle the revisions of it that may decide, `{"payer-policy": {"0.1.0+1a2b3c"}}`. A
      server with any other, or without the bundle, is left for the next. Without it any decides: also an older one,
      which is validly signed. The mapping is read at every answer, so what it holds may change.
    - `on_call`: called with a `CallRecord` after every call, on the thread that made it.

    Proxies, CA bundle and netrc are taken from the environment as requests does, when a path is first asked for.
    Raises `InvalidValue` for an argument that cannot be used, a file of certificates among them.
    """

    def __init__(
        self,
        base_url: str | Sequence[str],
        *,
        token: str | Callable[[], str] | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
        timeout: tuple[float, float] = (3.0, 10.0),
        deadline: float = 30.0,
        attempts: int = 10,
        revisions: Mapping[str, Container[str]] | None = None,
        on_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        super().__init__(on_call)
        if revisions is not None and (not revisions or any(isinstance(some, str) for some in revisions.values())):
            raise InvalidValue("revisions must have a set of revisions for each bundle that it names, and name one")
        self._revisions = {} if revisions is None else revisions
        self._patience = 10 * deadline
        self._transport = Transport(
            [base_url] if isinstance(base_url, str) else list(base_url),
            token=token,
            ca_file=ca_file,
            client_cert=client_cert,
            timeout=timeout,
            deadline=deadline,
            attempts=attempts,
        )

    def close(self) -> None:
        self._transport.close()

    def _evaluate(self, call: Recorded, input: str | None, headers: Mapping[str, str] | None) -> tuple[Any, Provenance]:
        question = Question(
            f"v1/data/{call.entry_point}?provenance=true",
            None if input is None else f'{{"input":{input}}}'.encode(),
            _LONGEST_CATALOGUE if call.entry_point == "payer/catalogue" else _LONGEST + call.size * _LONGEST_DECISION,
            headers,
            call.once,
        )
        try:
            return self._transport.send(question, partial(self._result, call.entry_point))
        finally:
            call.retries = question.retries

    def _result(self, entry_point: str, text: bytes) -> tuple[Any, Provenance]:
        """What OPA answered at an entry point, and who did."""
        answer = answer_of(text)
        if "warning" in answer:
            raise ProtocolError("the answer has a warning: the server saw no input")
        if "result" not in answer:
            raise PolicyNotLoaded(f"no policy is held for {entry_point}")
        provenance = provenance_of(answer)
        for bundle, accepted in self._revisions.items():
            # Which one it is stays unsaid: it comes from a server that is not trusted yet, and could be of the request.
            if bundle not in provenance.revisions or provenance.revisions[bundle] not in accepted:
                raise RevisionRefused(f"the bundle {bundle} has no revision that is accepted")
        return answer["result"], provenance
