"""What is installed for tests and tools is locked: every package with version and digests, and no address."""

import json
import re
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CLIENT: dict[str, Any] = tomllib.loads((ROOT / "pyclient" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# By lock: the extras of the client that it has beside what the file of the same name asks for.
LOCKS = {
    "tools/requirements.txt": ("embedded", "cli"),
    "tests/requirements.txt": ("embedded", "cli", "fhir"),
    "tests/spark.txt": ("spark", "embedded", "tables"),
    "bench/requirements.txt": (),
}
PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\]+))? \\\n"
    r"(?P<digests>(?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
)


def pinned(lock: str) -> list[re.Match[str]]:
    """All that stands in it, or the test fails."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert PIN.sub("", text) == "", "a line that is no package with its digests"
    return list(PIN.finditer(text))


def applies(marker: str | None) -> bool:
    return marker is None or Marker(marker).evaluate()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_locked_with_its_digests(lock: str) -> None:
    asked = list(CLIENT["dependencies"])
    for extra in LOCKS[lock]:
        asked += [each for each in CLIENT["optional-dependencies"][extra] if "payer-policy-client" not in each]
    if (file := Path(ROOT / lock).with_suffix(".in")).exists():
        asked += [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    held = {each["name"]: each["version"] for each in pinned(lock) if applies(each["marker"])}
    for each in map(Requirement, asked):
        assert each.specifier.contains(held[canonicalize_name(each.name)]), f"{lock}: {each}: make lock"


def test_what_is_here_is_what_is_locked() -> None:
    """Else what passes here is not what passes elsewhere."""
    here = {str(canonicalize_name(each.metadata["Name"])): each.version for each in distributions()}
    locked = {each["name"]: each["version"] for each in pinned("tests/requirements.txt") if applies(each["marker"])}
    assert {name: here.get(name) for name in locked} == locked


def test_nothing_is_installed_but_by_a_lock() -> None:
    """Else by `-e pyclient`, which is here, and asks for nothing that the locks have not."""
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r".*pip install.*", made) == [
        "PIP := $(BIN)/pip install -q --disable-pip-version-check --no-deps --no-compile"
    ]
    assert re.findall(r".*\$\(PIP\).*", made) == [
        "LOCKED := $(PIP) --require-hashes -r",
        "\t$(PIP) --no-build-isolation -e pyclient",
    ]


def test_what_npm_installs_is_locked() -> None:
    lock = json.loads((ROOT / "page" / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("resolved" not in package and package["integrity"] for package in packages)
