"""What many tests share."""

from collections.abc import Iterator

import pytest
from payer_policy import EmbeddedPolicy


@pytest.fixture(scope="session")
def policy() -> Iterator[EmbeddedPolicy]:
    """That of this package, in process."""
    with EmbeddedPolicy() as policy:
        yield policy
