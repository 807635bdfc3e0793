"""What many tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException
from payer_policy import EmbeddedPolicy

from tests.stage.clone import copied
from tests.stage.opa import fail, serving, signing_key, wait_until_healthy
from tools.publish import with_drafts


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        fail(f"No container engine answers ({error}). Run `make test`, or start one with `tools/setup engine`.")
    yield client
    client.close()


@pytest.fixture(scope="session")
def opa_image() -> str:
    image = os.environ.get("OPA_IMAGE")
    if not image:
        fail("OPA_IMAGE is not set. Run `make test`, or `export OPA_IMAGE=$(tools/setup image)`.")
    return image


@pytest.fixture(scope="session")
def opa_url(engine: docker.DockerClient, opa_image: str) -> Iterator[str]:
    with serving(engine, opa_image) as container:
        yield wait_until_healthy(container)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signing_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def policy() -> Iterator[EmbeddedPolicy]:
    """That of the client, in process."""
    with EmbeddedPolicy() as policy:
        yield policy


@pytest.fixture(scope="session")
def served() -> Iterator[EmbeddedPolicy]:
    """That of OPA at `opa_url`, drafts included, in process."""
    with with_drafts() as policy:
        yield policy
