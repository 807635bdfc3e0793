"""What the guides say is run as it stands there, or read by the program that it is for."""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from bundles import FILE, Store, bundle, wait_for
from conftest import ROOT, free_port
from payer_policy import PolicyClient
from payer_policy.cli import _parser, main

GUIDES = [ROOT / "pyclient" / "README.md", *sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SETTINGS = [ROOT / "docker-compose.yml", *sorted((ROOT / "deploy").rglob("*.y*ml"))]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """This checkout, with what is not committed yet; the tools are those of the original."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    for name in files.stdout.splitlines():
        if (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    for name in (".venv", ".tools"):
        (tmp_path / name).symlink_to(ROOT / name)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *identity, "commit", "-qm", "As it was"], cwd=tmp_path, check=True)
    return tmp_path


def test_the_guide_to_revising(clone: Path) -> None:
    guide = (clone / "docs" / "revising.md").read_text(encoding="utf-8")
    steps = re.findall(r"^```sh\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    assert len(steps) == 7
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(clone / "pyclient" / "src"),  # the client and the wasm policy of the clone
    }
    printed = []
    for step in steps:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step], cwd=clone, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
        printed.append(done.stdout)
    _, _, changed, impact, _, _, replayed = printed
    example = guide.split("```\nthreshold")[1].split("```")[0]
    assert f"threshold{example}" in changed
    assert "1 of 3 requests change outcome" in impact
    assert "3 decisions replayed, 0 differ" in replayed
    assert (clone / "build" / "impact.html").exists()
    assert len(list((clone / "policy_tests" / "golden").glob("*2026-04-01.jsonl"))) == 1


def blocks(guide: Path, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [block for language, block in found if language in languages]


def commands() -> Iterator[str]:
    """Every line for a shell, be it in a block, within a sentence or in a comment of a configuration."""
    for guide in GUIDES:
        for block in blocks(guide, "sh") if guide.name != "revising.md" else []:  # those are run, above
            yield from block.replace("\\\n", " ").splitlines()
        for block in blocks(guide, "console", ""):
            yield from re.findall(r"^\$ (.*)", block, re.MULTILINE)
        prose = re.sub(r"^```.*?^```$", "", guide.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        yield from spans(prose)
    for file in SETTINGS:
        comments = "\n".join(re.findall(r"^ *# ?(.*)", file.read_text(encoding="utf-8"), re.MULTILINE))
        yield from re.findall(r"^  (\S.*)", comments.replace("\\\n", " "), re.MULTILINE)
        yield from spans(comments)


def spans(text: str) -> Iterator[str]:
    for span in re.findall(r"(?<!`)`([^`]+)`", text):
        yield from (
            part for part in " ".join(span.split()).split(" && ") if re.match(rf"({'|'.join(PROGRAMS)}) \w", part)
        )


def make(arguments: list[str]) -> None:
    """Its targets are there."""
    rules = re.findall(r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    known = {target for rule in rules for target in rule.split()}
    assert {argument for argument in arguments if "=" not in argument} <= known


def docker(arguments: list[str]) -> None:
    """Compose reads the files, and what is behind its profile."""
    up = arguments.index("up")
    assert arguments[up:] in (["up"], ["up", "--wait"])
    environment = {**os.environ, "PAYER_POLICY_OPERATOR_TOKEN": "x"}
    command = ["docker", *arguments[:up], "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 or "tokens.env" in done.stderr, done.stderr  # that file is the reader's


def payer_policy(arguments: list[str]) -> None:
    """It takes the arguments, or knows the command that a sentence only names."""
    if len(arguments) == 1 or "--help" in arguments:
        with pytest.raises(SystemExit, match=r"^0$"):
            _parser().parse_args([arguments[0], "--help"])
    else:
        _parser().parse_args(arguments)


PROGRAMS = {"make": make, "docker": docker, "payer-policy": payer_policy}
# A test of its own runs them, or they are none of this project's.
OTHERS = {"opa", "curl", "pip", "cat", "cp", "git", "sed", "test", "export"}


def test_every_command_is_taken() -> None:
    seen = set()
    for command in commands():
        for part in re.split(r" \|\|? ", command) if "$(" not in command else []:
            program, _, arguments = re.sub(r"^(\w+=\S* )*", "", part).partition(" ")
            if program not in OTHERS:
                assert program in PROGRAMS, command
                PROGRAMS[program](shlex.split(arguments, comments=True))
                seen.add(part)
    assert len(seen) > 30


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Path:
    """Where the commands expect what `make bundle` made, and certificates."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "deploy").symlink_to(ROOT / "deploy")
    (folder / "build").mkdir()
    (folder / "build" / "development-key.pub.pem").write_bytes(key.with_suffix(".pub.pem").read_bytes())
    (folder / "tls").mkdir()
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "tls" / "server.key"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "tls" / "server.pem"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "store").mkdir()
    bundle(ROOT / "policy", folder / "store" / FILE, "1", key)
    return folder


STARTS = [command for command in commands() if " opa run " in command]


@pytest.mark.parametrize("command", STARTS)
def test_opa_starts_as_shown(command: str, built: Path) -> None:
    """But for the addresses of the store and of OPA."""
    store, port = Store(built / "store"), free_port()
    command = re.sub(r"PAYER_POLICY_URL=\S+", f"PAYER_POLICY_URL=http://127.0.0.1:{store.port}", command)
    scheme = "https" if "--addr=https://" in command else "http"
    command = re.sub(r"--addr=\S+", "", command) + f" --addr={scheme}://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "PATH": f"{ROOT / '.tools' / 'bin'}:{os.environ['PATH']}",
        "PAYER_POLICY_SERVICE_TOKEN_SHA256": hashlib.sha256(b"token").hexdigest(),
    }
    store.start()
    opa = subprocess.Popen(["bash", "-c", f"exec env {command}"], cwd=built, env=environment, stderr=subprocess.PIPE)
    try:
        with PolicyClient(f"{scheme}://127.0.0.1:{port}", token="token", ca_file=built / "ca.pem") as client:
            wait_for("1", client)
    finally:
        opa.kill()
        opa.communicate()
        store.stop()


def test_opa_is_started_twice() -> None:
    """For a try, and in production."""
    assert ["--authorization=basic" in command for command in STARTS] == [True, False]


def test_the_hash_of_a_token() -> None:
    [block] = [block for block in blocks(ROOT / "docs" / "security.md", "sh") if "openssl rand" in block]
    script = f"{block}\nprintf '%s %s' $token $PAYER_POLICY_SERVICE_TOKEN_SHA256"
    token, hashed = subprocess.run(["bash", "-euc", script], check=True, capture_output=True, text=True).stdout.split()
    assert hashed == hashlib.sha256(token.encode()).hexdigest()
    assert len(token) == 64


def test_the_readme_decides_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    shown = next(block for block in blocks(ROOT / "README.md", "") if "examples/01-relapsed.yaml" in block)
    assert main(["decide", str(ROOT / "examples" / "01-relapsed.yaml")]) == 0
    printed = capsys.readouterr().out
    for text in (shown, printed):  # the title has the path
        assert "examples/01-relapsed.yaml" in text.splitlines()[0]
    assert printed.strip().splitlines()[1:] == shown.strip().splitlines()[1:]
    [python] = blocks(ROOT / "README.md", "python")
    exec(compile(python, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("needs_information ['")


def test_the_readme_asks_opa(opa_url: str) -> None:
    block = next(block for block in blocks(ROOT / "README.md", "") if "$ curl" in block)
    asked = block[block.index("$ curl") + 2 : block.index('{"result"')]
    shown = block[block.index('{"result"') :].replace("\n  ", "").split("…")
    command = asked.replace("127.0.0.1:8181", opa_url)
    answer = subprocess.run(["bash", "-euc", command], check=True, capture_output=True, text=True).stdout
    for part in shown[1:-1]:
        assert part.strip().strip(",") in answer
