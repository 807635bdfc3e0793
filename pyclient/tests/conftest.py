"""What many tests share."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest
from payer_policy import EmbeddedPolicy


@pytest.fixture(scope="session")
def policy() -> Iterator[EmbeddedPolicy]:
    """That of this package, in process."""
    with EmbeddedPolicy() as policy:
        yield policy


@pytest.fixture(autouse=True)
def _compiled_once(policy: EmbeddedPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command decides with it too, rather than with one of its own for each call."""

    def embedded(bundle: str | os.PathLike[str] | None) -> AbstractContextManager[EmbeddedPolicy]:
        return nullcontext(policy) if bundle is None else EmbeddedPolicy(bundle)

    monkeypatch.setattr("payer_policy.command.EmbeddedPolicy", embedded)
