"""What PyPI would get: built, installed into an empty environment of every Python here that is supported, and used."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import ROOT

SUPPORTED = ("3.10", "3.11", "3.12", "3.13")

# What asks a server, writes letters and files; and what it says of the embedded policy, whose engine it does not need.
STANDS_ON = ["certifi", "charset-normalizer", "idna", "requests", "tenacity", "urllib3"]
THIN = """
from importlib.metadata import distributions
import payer_policy, payer_policy.cc0126, payer_policy.letter, payer_policy.workshop.batch
names = {each.metadata["Name"].lower().replace("_", "-") for each in distributions()}
print(*sorted(names, key=lambda name: (name != "payer-policy-client", name)))
try:
    payer_policy.EmbeddedPolicy()
except payer_policy.MissingExtra as error:
    print(error)
"""


def interpreters() -> dict[str, str]:
    """By version: this one, those on PATH that run, those of pyenv."""
    found = {"{}.{}".format(*sys.version_info): sys.executable}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for version in SUPPORTED:
        on_path = shutil.which(f"python{version}")
        for candidate in [on_path, *sorted(map(str, pyenv.glob(f"versions/{version}.*/bin/python")))]:
            runs = candidate and not subprocess.run([candidate, "-c", "import venv"], capture_output=True).returncode
            if candidate and runs:
                found.setdefault(version, candidate)
    return {version: found[version] for version in SUPPORTED if version in found}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(ROOT / "pyclient")],
        check=True,
        capture_output=True,
    )
    assert len(list(target.glob("*.tar.gz"))) == 1
    [wheel] = target.glob("*.whl")
    return wheel


def test_the_licence_goes_with_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as held:
        for name in ("LICENSE", "NOTICE"):
            [file] = [each for each in held.namelist() if each.endswith(f".dist-info/licenses/{name}")]
            assert held.read(file) == (ROOT / name).read_bytes(), f"cp {name} pyclient/"


def test_this_python_is_supported() -> None:
    assert "{}.{}".format(*sys.version_info) in SUPPORTED


@pytest.mark.parametrize("version", interpreters())
def test_wheel_decides_in_an_empty_environment(version: str, wheel: Path, tmp_path: Path) -> None:
    subprocess.run([interpreters()[version], "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    python = tmp_path / "bin" / "python"
    # pip chooses what the wheel asks for, but from what is locked alone.
    locked, pip = str(tmp_path / "locked"), [sys.executable, "-m", "pip", "--python", str(python)]
    fetch = ["download", "-q", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-d", locked, "-r"]
    subprocess.run([*pip, *fetch, str(ROOT / "tools" / "requirements.txt")], check=True)
    pip += ["install", "-q", "--disable-pip-version-check", "--no-compile", "--no-index", "--find-links", locked]
    subprocess.run([*pip, str(wheel)], check=True)
    done = subprocess.run([python, "-c", THIN], capture_output=True, text=True, check=True, cwd=tmp_path)
    installed, says = done.stdout.splitlines()
    assert installed.split() == ["payer-policy-client", *STANDS_ON]
    assert "payer-policy-client[embedded]" in says
    subprocess.run([*pip, f"{wheel}[embedded,cli]"], check=True)
    command: list[str | Path] = [
        tmp_path / "bin" / "payer-policy",
        "decide",
        ROOT / "examples" / "01-relapsed.yaml",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout)["decision"]["outcome"] == "approved"
