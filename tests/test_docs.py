"""What the guides say is run as it stands there, and no page says what the policy does not."""

import hashlib
import json
import math
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trustme
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from payer_policy import PolicyClient
from payer_policy.command import main, parser
from payer_policy.runtime.documents import module_name

from tests import ROOT
from tests.oracle.forms import CRITERIA, FACTS, VECTORS
from tests.readings import READINGS
from tests.stage.bundles import FILE, Store, bundle, wait_for
from tests.stage.clone import checkout, run
from tests.stage.opa import free_port
from tools import new, revise

GUIDES = [ROOT / "pyclient" / "README.md", *sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
SETTINGS = [ROOT / "docker-compose.yml", *sorted((ROOT / "deploy").rglob("*.y*ml"))]


READERS = dict(
    re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", (ROOT / "docs" / "index.md").read_text(), re.DOTALL | re.MULTILINE)
)


@pytest.mark.parametrize("reader", READERS)
def test_the_first_step_of_each_reader(reader: str, clone: Path) -> None:
    [step], [shown] = (
        re.findall(rf"^```{kind}\n(.*?)^```$", READERS[reader], re.DOTALL | re.MULTILINE) for kind in ("sh", "text")
    )
    printed = " ".join(run(step, clone).split())
    for line in shown.splitlines():
        assert " ".join(line.split()) in printed, f"{reader}: {line} is not in {printed}"
    for kept in clone.glob("*.jsonl"):  # health data
        assert kept.stat().st_mode & 0o777 == 0o600


def test_the_readme_starts_a_document(clone: Path) -> None:
    [block] = [block for block in blocks(ROOT / "README.md", "sh") if "payer-policy new" in block]
    assert "make policy" in run(block, clone)
    assert (clone / "policy" / "ncd190_11.rego").exists()


def brought(folder: Path) -> None:
    """The files of a reader's own that commands name."""
    example = (ROOT / "examples" / "01-relapsed.yaml").read_text(encoding="utf-8")
    for name in ("b.yaml", "request.yaml"):
        (folder / name).write_text(example, encoding="utf-8")
    request = {"document": "NCD-240.4", "date_of_service": "2009-01-01", "facts": {"age": 61}}
    for name in ("a.json", "request.json", "in.jsonl"):
        (folder / name).write_text(json.dumps(request) + "\n", encoding="utf-8")
    for name in ("bundle.json", "record.json"):
        shutil.copy(ROOT / "examples" / "fhir" / "relapsed-b-all.json", folder / name)
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "urn:payer-policy/Questionnaire/CC-0126|2025-04-01",
        "status": "completed",
        "subject": {"reference": "Patient/child"},
        "item": [{"linkId": "cd19_positive", "answer": [{"valueBoolean": True}]}],
    }
    (folder / "response.json").write_text(json.dumps(response), encoding="utf-8")
    rows = {name: [value if isinstance(value, str) else json.dumps(value)] for name, value in request.items()}
    for name in ("in.parquet", "claims.parquet"):
        pq.write_table(pa.table(rows), folder / name)


def test_the_guide_to_revising(clone: Path) -> None:
    guide = (clone / "docs" / "revising.md").read_text(encoding="utf-8")
    steps = re.findall(r"^```sh\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    assert len(steps) == 8
    printed = [run(step, clone) for step in steps[:2]]
    assert "in force on 2028-02-29 wants" in run("make publish || test $? = 2", clone)  # the vectors' time is to come
    assert "2026-04-01" not in (clone / "published.json").read_text()
    printed += [run(steps[2], clone)]
    reading = clone / "tests" / "readings" / "cc0126.py"
    right = reading.read_text(encoding="utf-8")
    reading.write_text(right.replace("pathways(0.01)", "pathways(0.02)"), encoding="utf-8")
    assert "decide otherwise: what differs" in run("python -m tools.publish publish || test $? = 1", clone)
    assert "2026-04-01" not in (clone / "published.json").read_text()
    reading.write_text(right)
    printed += [run(step, clone) for step in steps[3:]]
    _, _, _, changed, impact, _, _, replayed = printed
    example = guide.split("```\nthreshold")[1].split("```")[0]
    assert f"threshold{example}" in changed
    assert "1 of 3 requests of CC-0126 change outcome" in impact
    assert "3 decisions replayed, 0 differ" in replayed
    assert (clone / "build" / "impact.html").exists()
    assert len(list((clone / "policy_tests" / "golden").glob("*2026-04-01.jsonl"))) == 1


def test_what_is_shipped_says_what_it_is_made_of_and_where_it_comes_from(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_WORKFLOW_REF", raising=False)
    [block] = [block for block in blocks(ROOT / "docs" / "security.md", "sh") if "tools.attest" in block]
    printed = run(block, clone)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, check=True, capture_output=True, text=True).stdout
    bundle, wheel = clone / "build" / "payer-policy-bundle.tar.gz", next((clone / "build" / "dist").glob("*.whl"))
    source = next((clone / "build" / "dist").glob("*.tar.gz"))
    for file in (bundle, wheel, source):
        assert f"{file.name}: source, commit {commit.strip()}, by urn:payer-policy:by-hand\n" in printed
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(Path(f"{file}.cdx.json").read_text()) is None
    published = clone / "build" / "published"
    rego = {str(file.relative_to(published)) for file in published.rglob("*.rego")}
    stands_on = {"certifi", "charset-normalizer", "idna", "requests", "tenacity", "urllib3"}  # and what its extras need
    stands_on |= {"wasmtime", "rich", "markdown-it-py", "mdurl", "pygments", "pyyaml"}
    for file, parts in ((bundle, rego), (wheel, stands_on | {"payer_policy/policy.wasm"})):
        materials = json.loads(Path(f"{file}.cdx.json").read_text())
        assert {part["name"] for part in materials["components"]} == parts
        assert materials["metadata"]["component"]["hashes"][0]["content"] == sha256(file)

    made = {file: sha256(file) for file in (clone / "build" / "dist").iterdir()}
    run("make wheel", clone)
    assert {file: sha256(file) for file in (clone / "build" / "dist").iterdir()} == made
    wasm = clone / "pyclient" / "src" / "payer_policy" / "policy.wasm"
    current = wasm.read_bytes()
    wasm.write_bytes(current + b"\0")
    assert "policy.wasm is not built from policy/: make wasm" in run("make wheel || test $? = 2", clone)
    wasm.write_bytes(current)
    verify = f"python -m tools.attest verify build/development-key.pub.pem {bundle} || test $? = 1"
    changed = Path(f"{bundle}.cdx.json")
    changed.write_text(changed.read_text().replace("engine/payer.rego", "engine/other.rego"))
    assert f"{changed.name} is not what its provenance is of" in run(verify, clone)
    run("rm build/development-key* && make build/development-key.pem", clone)
    assert "its provenance is not signed by build/development-key.pub.pem" in run(verify, clone)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def pages(clone: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.docs"]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)


def test_a_page_for_each_version_says_every_form_in_words(clone: Path) -> None:
    for version, folder in {"2020-01-01": "superseded", "2021-01-01": "."}.items():
        name = f"test2_0_{version.replace('-', '_')}" if folder == "superseded" else "test2_0"
        (clone / "policy" / folder / f"{name}.rego").write_text(CRITERIA.format(version=version))
        (clone / "policy" / folder / f"{name}_facts.rego").write_text(FACTS.format(version=version))
    vectors = clone / "policy_tests" / "vectors" / "test2_0" / "test.yaml"
    vectors.parent.mkdir()
    vectors.write_text(VECTORS)
    made = pages(clone)
    assert made.returncode == 0, made.stderr
    page, old = ((clone / "docs" / f"test2_0{ending}.md").read_text() for ending in ("", "_2020_01_01"))
    for row in (
        "| `two` | Two or more of the three hold. | `at_least_n_of(2, [_heavy, _free, clause_not])` | "
        "2 or more of `two.weight`, `two.drugs`, `not` are met | fewer than 2 of them are met or unknown | "
        "fewer than 2 of them are met, but with the unknown ones 2 or more |",
        '| `two.weight` | The weight is above 90 kg. | `more_than("weight", 90)` | `weight`: more than 90 kg | '
        "`weight`: 90 kg or less | `weight`: not known, or a bound that leaves it open |",
        '| `two.drugs` | The list names no drug of the two. | `holds_none("drugs", _two)` | '
        "`drugs`: none of `a`, `b` | `drugs`: any of `a`, `b` | `drugs`: not known |",
        "| `not` | The weight is not from 50 to 95 kg. | `none_of([_middle])` | "
        "`not.weight` is not met | `not.weight` is met | `not.weight` is unknown |",
        "- `two` met: test heavy",
        "| 2021-01-01, this page, a draft | the next version | 2020-01-01 |",
        "| [2020-01-01](test2_0_2020_01_01.md), a draft | 2020-12-31 | 2020-01-01 |",
        "**This is a draft**: it is not published, and decides nothing in production.",
    ):
        assert row in page
    assert "- `two` met: none\n" in old
    assert "- `two` unknown: test open\n" in old
    assert "| [2021-01-01](test2_0.md), a draft | the next version | 2020-01-01 |" in old
    assert "a draft" not in (clone / "docs" / "cc0126.md").read_text().casefold()


@pytest.mark.parametrize(
    ("function", "right", "wrong"),
    [
        ("at_least", "_state[value >= limit]", "_state[value > limit]"),
        ("any_of", "object.get(kleene.any_of,", "object.get(kleene.all_of,"),
    ],
)
def test_no_page_says_what_the_policy_does_not(clone: Path, function: str, right: str, wrong: str) -> None:
    engine = clone / "policy" / "engine" / "criterion.rego"
    text = engine.read_text()
    assert text.count(right) == 1, function
    engine.write_text(text.replace(right, wrong))
    made = pages(clone)
    assert made.returncode == 1
    assert re.search(r"^policy/\S+\.rego: the page would say \{.*\}, the policy says \{.*\}: vector '", made.stderr)


def test_a_reading_of_no_clause_is_named(clone: Path) -> None:
    readings = clone / "docs" / "readings.md"
    readings.write_text(readings.read_text().replace("| II.B |", "| II.Z |", 1))
    made = pages(clone)
    assert made.returncode == 1
    assert "CC-0126 has no II.Z: - Reading 3" in made.stderr


def blocks(guide: Path, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [block for language, block in found if language in languages]


def commands() -> Iterator[list[str]]:
    """Every line for a shell, be it in a block, whose lines stay together, within a sentence or in a comment of a
    configuration."""
    for guide in GUIDES:
        for block in blocks(guide, "sh") if guide.name not in ("revising.md", "index.md") else []:  # run, above
            yield block.replace("\\\n", " ").splitlines()
        for block in blocks(guide, "console", ""):
            yield re.findall(r"^\$ (.*)", block, re.MULTILINE)
        prose = re.sub(r"^```.*?^```$", "", guide.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        yield from ([span] for span in spans(prose))
    for file in SETTINGS:
        comments = "\n".join(re.findall(r"^ *# ?(.*)", file.read_text(encoding="utf-8"), re.MULTILINE))
        yield re.findall(r"^  (\S.*)", comments.replace("\\\n", " "), re.MULTILINE)
        yield from ([span] for span in spans(comments))


def spans(text: str) -> Iterator[str]:
    for span in re.findall(r"(?<!`)`([^`]+)`", text):
        yield from (
            part
            for part in " ".join(span.split()).split(" && ")
            if re.match(rf"(\.venv/bin/)?({'|'.join(PROGRAMS)}) \w", part)
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
    tool = {"new": new, "revise": revise}.get(arguments[0])
    takes, command = (parser(), arguments[:1]) if tool is None else (tool.takes(), [])
    if len(arguments) == 1 or "--help" in arguments:
        with pytest.raises(SystemExit, match=r"^0$"):
            takes.parse_args([*command, "--help"])
    else:
        takes.parse_args([*command, *arguments[1:]])


def test_the_workflows_pin_their_actions_and_make_what_is_there() -> None:
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        text = file.read_text(encoding="utf-8")
        actions = re.findall(r"uses: (.*)", text)
        assert actions
        for action in actions:  # a tag may come to be of another commit
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action), f"{file.name}: {action}"
        targets = re.findall(r"\bmake (?:-k )?([a-z][a-z-]*)", text)
        assert "test" in targets
        make(targets)
        for job in yaml.safe_load(text)["jobs"].values():
            for step in job["steps"]:
                subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, check=True)


def test_the_workflows_have_the_oldest_and_the_newest_that_the_client_takes() -> None:
    """Python, and Spark as docs/scale.md says how to install it."""
    ci, newest = (ROOT / ".github" / "workflows" / f"{name}.yml" for name in ("ci", "newest"))
    client = (ROOT / "pyclient" / "pyproject.toml").read_text(encoding="utf-8")
    pythons = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', client)
    unit = yaml.safe_load(ci.read_text(encoding="utf-8"))["jobs"]["unit"]
    assert unit["strategy"]["matrix"]["python"] == [pythons[0], pythons[-1]]
    [spark] = re.findall(r"pip install (.*pyspark.*)", newest.read_text(encoding="utf-8"))
    assert f"`{spark}`" in (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert spark.split()[0].replace("==", ">=").replace(".*", "").strip("'") in client


PROGRAMS = {"make": make, "docker": docker, "payer-policy": payer_policy}
# A test of its own runs them, or they are none of this project's.
OTHERS = {"opa", "python", "curl", "pip", "cat", "cp", "git", "sed", "test", "export"}


def test_every_command_is_taken() -> None:
    seen = set()
    for command in chain.from_iterable(commands()):
        for part in re.split(r" \|\|? ", command) if "$(" not in command else []:
            program, _, arguments = re.sub(r"^(\w+=\S* )*(\.venv/bin/)?", "", part).partition(" ")
            if program not in OTHERS:
                assert program in PROGRAMS, command
                PROGRAMS[program](shlex.split(arguments, comments=True))
                seen.add(part)
    assert len(seen) > 30


def test_what_a_command_decides_is_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opa_url: str) -> None:
    """As it stands but for the server's address, on files that are here, a reader's own, or made by its block."""
    ran = 0
    for number, block in enumerate(commands()):
        asked = [command for command in block if re.search(r"payer-policy (?!new|revise)\w+ (?!--help)\S", command)]
        if not asked:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        for held in FOLDERS:
            (folder / held).symlink_to(ROOT / held)
        brought(folder)
        monkeypatch.chdir(folder)
        for command in asked:
            command = command.replace("http://127.0.0.1:8181", opa_url)
            _, *arguments = words = shlex.split(command, comments=True)
            if {"|", ">"} & {*words}:
                run(command, folder)
            else:  # 1: there is a difference
                assert main(arguments) in ((0, 1) if arguments[0] in ("diff", "impact") else (0,)), command
            ran += 1
    assert ran >= 24


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


STARTS = [command for command in chain.from_iterable(commands()) if " opa run " in command]


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
    *lines, rest = shown.strip().splitlines()
    assert rest == "…"
    assert printed.strip().splitlines()[1 : len(lines)] == lines[1:]
    [python] = blocks(ROOT / "README.md", "python")
    exec(compile(python, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("needs_information ['")


def test_the_readme_says_in_two_screens_what_this_is() -> None:
    first, _, _ = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Where things are")
    assert sum(math.ceil(max(len(line), 1) / 132) for line in first.splitlines()) <= 80


def test_the_readme_asks_opa(opa_url: str) -> None:
    block = next(block for block in blocks(ROOT / "README.md", "") if "$ curl" in block)
    asked = block[block.index("$ curl") + 2 : block.index('{"result"')]
    shown = block[block.index('{"result"') :].replace("\n  ", "").split("…")
    command = asked.replace("127.0.0.1:8181", opa_url)
    answer = subprocess.run(["bash", "-euc", command], check=True, capture_output=True, text=True).stdout
    for part in shown[1:-1]:
        assert part.strip().strip(",") in answer


PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./-]*")


def defines(files: list[Path], name: str) -> bool:
    """Whether one of them has a rule, function, class, field or word of that name."""
    defined = rf"^\s*(?:def |class |async def )?{name}\b(?=.*[:=({{]| contains| if)|\b{name}:|\"{name}\""
    return any(re.search(defined, file.read_text(encoding="utf-8"), re.MULTILINE) for file in files)


def code_names(text: str) -> tuple[list[Path], list[str]]:
    """The files and the names of code that stand in it."""
    found = re.findall(r"(?<!`)`([^`]+)`", text)
    files = [span for span in found if PATH.fullmatch(span)]
    return [ROOT / file for file in files], [span for span in found if re.fullmatch(r"\w+", span)]


def test_every_reading_points_to_what_is_there() -> None:
    text = (ROOT / "docs" / "readings.md").read_text(encoding="utf-8")
    checked = 0
    for document, table in re.findall(r"^## (\S+)$(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL):
        module = document.lower().replace("-", "").replace(".", "_")
        for row in re.findall(r"^\| \d+ \|.*", table, re.MULTILINE):
            where = row.strip("| ").split("|")[-1]
            files, names = code_names(where)
            assert files or names or where.strip() == "none, on purpose", row
            files += (ROOT / "policy").glob(f"{module}*.rego")
            for name in names:
                assert defines(files, name), f"{document}: {name} is in none of {[file.name for file in files]}"
                checked += 1
    assert checked > 40


def test_every_file_and_every_name_in_a_file_that_a_page_gives_is_there() -> None:
    files, names = 0, 0
    for guide in GUIDES:
        if guide.name == "revising.md":  # of the files that its steps make, which a test runs
            continue
        prose = re.sub(r"^```.*?^```$", "", guide.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for span in re.findall(r"(?<!`)`([^`]+)`", prose):
            if PATH.fullmatch(span) and not span.startswith("build/"):
                assert (ROOT / span).exists(), f"{guide.name}: {span}"
                files += 1
        for name, file in re.findall(r"`(\w+)` (?:in|of) `([^`]+\.(?:rego|py))`", prose):
            assert defines([ROOT / file], name), f"{guide.name}: {name} in {file}"
            names += 1
    assert files > 60
    assert names > 3


# What is named in the manner of code, `decide_table`, `PolicyClient(token=…)` or `decision.terms`, and what of it is
# another's.
CODE = re.compile(r"(?=.*[_.(A-Z])[A-Za-z_][\w.]*(\(.*\))?")
FOREIGN = {"NaT", "pandas.NA", "resolv.conf", "spark.sql.adaptive.skewJoin.enabled", "to_date"}
PACKAGES = map(pkgutil.resolve_name, ("payer_policy", "payer_policy.fhir"))
CLASSES = {name.lower(): kind for package in PACKAGES for name, kind in vars(package).items() if isinstance(kind, type)}
SOURCES = ("", ".mjs", ".py", ".rego", ".yaml", ".yml")


def test_every_name_of_code_that_a_page_gives_is_there() -> None:
    """Its words stand in the code, and what is of the package, or of one of its classes, where the page says."""
    held, words = checkout(), set()
    for file in held:
        if file.suffix in SOURCES and not {"docs", "policy_tests", "tests"} & {*file.parts}:
            words |= {*re.findall(r"\w+", (ROOT / file).read_text(encoding="utf-8"))}
    files, checked, resolved = {file.name for file in held}, 0, 0
    for guide in GUIDES:
        text = guide.read_text(encoding="utf-8")
        if guide.name == "CHANGELOG.md" or text.startswith("<!-- Made by"):  # what was; what is made
            continue
        prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
        for span in (" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`", prose)):
            if not CODE.fullmatch(span) or span in FOREIGN | files:
                continue
            named = re.findall(r"[A-Za-z_]\w*", re.sub(r'"[^"]*"', "", span))
            assert {*named} <= words, f"{guide.name}: {span}"
            checked += 1
            if (owner := CLASSES.get(named[0].lower())) and "." in span.partition("(")[0]:
                assert named[1] in {*dir(owner), *owner.__annotations__}, f"{guide.name}: {span}"
                resolved += 1
            elif named[0] == "payer_policy":
                pkgutil.resolve_name(".".join(named))
                resolved += 1
    assert checked > 250
    assert resolved > 15


def anchors(guide: Path) -> set[str]:
    """Of its headings, as they are made for links."""
    headings = re.findall(r"^#+ (.*)$", guide.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_goes_somewhere() -> None:
    seen = 0
    for guide in GUIDES:
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", guide.read_text(encoding="utf-8")):
            name, _, anchor = link.partition("#")
            target = guide.parent / name if name else guide
            assert target.exists(), f"{guide.name}: {link}"
            assert not anchor or anchor in anchors(target), f"{guide.name}: {link}"
            seen += 1
    assert seen > 40


def test_the_picture_of_the_architecture() -> None:
    [picture] = blocks(ROOT / "docs" / "architecture.md", "mermaid")
    rooms = {}
    for room, file, names in re.findall(r'^ *(\w+)\["(\S+?)<br/>(.*?)"\]$', picture, re.MULTILINE):
        rooms[room] = file
        for name in names.split(", "):
            assert defines([ROOT / file], name), f"{name} is not in {file}"
    arrows = re.findall(r"^ *(\w+) --(?: (.*) --)?> (\w+)$", picture, re.MULTILINE)
    assert len(arrows) == len(re.findall("-->", picture))
    assert {end for one, _, other in arrows for end in (one, other)} == set(rooms)
    for one, words, other in arrows:
        file = Path(rooms[other])
        module = f"{'.'.join(file.with_suffix('').parts[2:])} " if file.suffix == ".py" else f"data.payer.{file.stem}"
        text = (ROOT / rooms[one]).read_text(encoding="utf-8")
        assert words or module in text, f"{rooms[one]} does not ask {rooms[other]}"
    engine = {file.name for file in (ROOT / "policy" / "engine").glob("*.rego")}
    engine -= {"fhir.rego", "holdings.rego"}  # the catalogue's
    assert engine <= {Path(file).name for file in rooms.values()}


def test_the_rooms_of_the_client() -> None:
    [tree] = blocks(ROOT / "docs" / "architecture.md", "text")
    held = {path.name + "/" * path.is_dir() for path in (ROOT / "pyclient" / "src" / "payer_policy").iterdir()}
    documents = {f"{module_name(reading.document)}.py" for reading in READINGS} - {"cc0126.py"}  # which stands for all
    assert {line.split()[0] for line in tree.splitlines()} == held - documents - {"__pycache__/"}
