"""The command `payer-policy`."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, astuple
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from payer_policy.batch import (
    Batch,
    BatchError,
    Line,
    lines_of,
    printable,
    private,
    record_line,
    recorded,
    records_of,
)
from payer_policy.client import PolicyBase, PolicyClient
from payer_policy.diff import diff
from payer_policy.documents import Documents
from payer_policy.embedded import EmbeddedPolicy
from payer_policy.errors import InvalidRequest, InvalidValue, MissingExtra, PolicyError
from payer_policy.fhir import Reading, Records, questionnaire
from payer_policy.impact import PAGE_START, Side, impact, page
from payer_policy.model import Outcome
from payer_policy.new import new
from payer_policy.reading import NotJson, Unreadable, hints, read_json, read_yaml
from payer_policy.replay import replay
from payer_policy.revise import revise

try:
    import yaml
    from payer_policy.terminal import (
        FileProgress,
        Terminal,
        plain,
        show_catalogue,
        show_changes,
        show_decision,
        show_evidence,
        show_impact,
        show_tally,
    )
    from rich.console import Console
    from rich.table import Table
except ImportError:  # _run() says what to install
    if not TYPE_CHECKING:
        yaml = None

_DECIDED, _DIFFERENT, _INVALID, _FAILED, _INTERRUPTED = 0, 1, 2, 3, 130

_SHOWN = 50  # differences; --json has them all

_PATIENCE = 2  # attempts: a person who waits would rather know

_EXAMPLES = """examples:
  payer-policy decide request.yaml                    decide with the policy that this package ships
  payer-policy decide a.json b.yaml --json            one record a line, for programs
  cat request.json | payer-policy decide -            from standard input
  payer-policy decide request.yaml --server http://127.0.0.1:8181
  payer-policy batch in.jsonl out.jsonl               many requests, one a line, or a CSV with a column per fact
  payer-policy batch in.jsonl out.jsonl --resume      go on after an interruption
  payer-policy request bundle.json --evidence         a patient's FHIR record becomes a request; decide takes one too
  payer-policy questionnaire CC-0126                  what the document asks, as a FHIR Questionnaire
  payer-policy answer response.json --date 2025-06-01 its answers become a request
  payer-policy catalogue CC-0126 --on 2026-01-01      what stands in it, and which version is in force on a day
  payer-policy replay out.jsonl                       decide stored decisions again under their versions
  payer-policy new XY-1 --effective 2026-04-01 --title "What it is about"      start a document in policy/
  payer-policy revise CC-0126 --effective 2026-04-01  begin a new version in policy/
  payer-policy diff CC-0126 2025-04-01 2026-04-01     what changed, in words
  payer-policy impact CC-0126 2025-04-01 2026-04-01 in.jsonl       what would change, by example

PAYER_POLICY_TOKEN, unless empty, is sent to the server as its bearer token; REQUESTS_CA_BUNDLE names a CA of your own.

exit status: 0 decided (replay, diff, impact: nothing differs), 1 something differs, 2 invalid request, unreadable input
or a file that must not be overwritten, 3 policy unreachable or failing, or the output cannot be written
"""

_BATCH_HELP = """CSV: columns document, date_of_service, request_id, hcpcs, icd10, unavailable and one for each fact of
any document; the first two are required. An empty cell is unknown, [] an empty list, <0.01 a bound; items are separated
by semicolons: J9039;J9038. The cell of a fact that the version in force does not have must be empty. Commas, semicolons
or tabs separate the cells, as the first line has them; where semicolons do, several items stand in quotes. Numbers have
a point. The text is UTF-8, or UTF-16 with its mark. A cell whose quote has no end stops the run with the number of its
line, since what follows cannot be told apart; mend it and go on with --resume.

A line that holds no request goes to the rejects with its number, and the rest goes on. When the policy is unreachable
the run stops with status 3; --resume then does what is left, and OUT is the same as without the interruption. It is
refused when what was read of IN has changed, or when another policy decides. OUT and the rejects hold health data: only
their owner may read them.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(printable(message))  # it quotes arguments


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the caller; the next file opened would take its place
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    try:
        status = _run(_parser().parse_args(arguments))
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader, head say, has seen enough
        return _FAILED
    except PolicyError as error:
        _say(str(error))
        return _INVALID if isinstance(error, InvalidValue) else _FAILED
    except BatchError as error:
        _say(str(error))
        return _INVALID
    except OSError as error:  # of writing, a full disk say: what cannot be read is told where it is read
        _say(": ".join(str(part) for part in (error.filename, error.strerror) if part))
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:  # Python would complain once more when it closes it, with a status of its own
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(message: str) -> None:
    """What is wrong, on standard error; whether anyone reads it there changes nothing."""
    with suppress(OSError):
        print(f"payer-policy: {printable(message)}", file=sys.stderr)


def _run(options: argparse.Namespace) -> int:
    if yaml is None:
        raise MissingExtra("the command needs rich and pyyaml: pip install 'payer-policy-client[embedded,cli]'")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal has the marks; the words beside them suffice
    # A pipe has no width of its own.
    console = Terminal(highlight=False, width=None if sys.stdout.isatty() else 120)
    status: int
    if options.run in (_new, _revise):  # they decide nothing
        status = options.run(options)
    else:
        with _policy(options) as policy:
            status = options.run(policy, options, console)
    return status


def _policy(options: argparse.Namespace) -> PolicyBase:
    return _client(options.server, options.attempts) if options.server else EmbeddedPolicy(options.bundle)


def _client(url: str, attempts: int) -> PolicyClient:
    return PolicyClient(url, token=os.environ.get("PAYER_POLICY_TOKEN") or None, attempts=attempts)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="payer-policy",
        description="Decide prior-authorisation requests by a payer's clinical criteria.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('payer-policy-client')}")
    shared = _Parser(add_help=False)
    where = shared.add_mutually_exclusive_group()
    where.add_argument("--server", metavar="URL", help="an OPA that serves the policy, instead of the embedded one")
    where.add_argument(
        "--bundle", metavar="FILE", help="a policy compiled by opa build -t wasm, instead of the shipped"
    )
    shared.add_argument("--json", action="store_true", help="JSON, for programs")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    decide = commands.add_parser(
        "decide",
        parents=[shared],
        help="decide the requests in files",
        description="Decide every request in the files: JSON or YAML, one request, a list, several YAML documents, or "
        "a patient's FHIR record, a Bundle.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    decide.add_argument("files", nargs="+", metavar="FILE", help="a file, or - for standard input")
    decide.set_defaults(run=_decide, attempts=_PATIENCE)
    batch = commands.add_parser(
        "batch",
        parents=[shared],
        help="decide a file of many requests, one a line",
        description="Decide every line of IN (JSON lines, or a CSV with one column per fact) into OUT, in order.",
        epilog=_BATCH_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    batch.add_argument("source", type=Path, metavar="IN", help="requests: JSON lines, or CSV by the suffix .csv")
    batch.add_argument("target", type=Path, metavar="OUT", help="records: JSON lines of request, decision, provenance")
    batch.add_argument("--rejects", type=Path, metavar="FILE", help="what could not be decided; default OUT.rejects")
    batch.add_argument("--resume", action="store_true", help="keep what is in OUT and do the rest")
    batch.add_argument("--in-flight", type=int, default=2, metavar="N", help="batches decided at a time; default 2")
    batch.set_defaults(run=_batch, attempts=10 * _PATIENCE)
    catalogue = commands.add_parser("catalogue", parents=[shared], help="list documents, versions, facts and criteria")
    catalogue.add_argument("document", nargs="?", metavar="DOCUMENT", help="only this one")
    catalogue.add_argument(
        "--on",
        type=date.fromisoformat,
        metavar="DATE",
        help="say which version is superseded, in force or to come on that day",
    )
    catalogue.set_defaults(run=_catalogue, attempts=_PATIENCE)
    for name, run, what in (
        ("request", _request, "a patient's FHIR record, a Bundle of R4, becomes a request"),
        ("answer", _answer, "a FHIR QuestionnaireResponse becomes a request"),
    ):
        command = commands.add_parser(name, parents=[shared], help=what)
        command.add_argument("file", metavar="FILE", help="a file, or - for standard input")
        day = "the date of service" + ", when the record does not say" * (name == "request")
        command.add_argument("--date", metavar="DATE", required=name == "answer", help=day)
        if name == "request":
            command.add_argument("--document", metavar="DOCUMENT", help="when the record does not say")
        command.add_argument(
            "--evidence", action="store_true", help="and on standard error, where each fact comes from"
        )
        command.set_defaults(run=run, attempts=_PATIENCE)
    form = commands.add_parser(
        "questionnaire", parents=[shared], help="the facts of a document as a FHIR Questionnaire"
    )
    form.add_argument("document", metavar="DOCUMENT")
    form.add_argument("--version", metavar="VERSION", help="default the latest")
    form.add_argument("--base", default="urn:payer-policy", metavar="URL", help="begins its canonical; %(default)s")
    form.set_defaults(run=_questionnaire, attempts=_PATIENCE)
    replay = commands.add_parser(
        "replay",
        parents=[shared],
        help="decide stored decisions again",
        description="Decide each request in DECISIONS again under the version its decision names; show what differs.",
    )
    replay.add_argument("decisions", type=Path, metavar="DECISIONS", help="as batch and decide --json write them")
    replay.set_defaults(run=_replay, attempts=10 * _PATIENCE)
    diff = commands.add_parser("diff", parents=[shared], help="what changed between two versions, in words")
    for name in ("document", "old", "new"):
        diff.add_argument(name, metavar=name.upper())
    diff.set_defaults(run=_diff, attempts=_PATIENCE)
    impact = commands.add_parser(
        "impact",
        parents=[shared],
        help="which requests would be decided otherwise",
        description="Decide every request of DOCUMENT under OLD and NEW: versions by their first day in force, policies"
        " compiled by opa build -t wasm, or URLs of servers. Shows how many change outcome, from what to what, by which"
        " clause. A fact that a version does not have is left out for it, and counted.",
    )
    impact.add_argument("document", metavar="DOCUMENT", help="whose requests are decided; others are counted apart")
    impact.add_argument("old", metavar="OLD")
    impact.add_argument("new", metavar="NEW")
    impact.add_argument("requests", type=Path, metavar="REQUESTS", help="JSON lines, or CSV by the suffix .csv")
    impact.add_argument("--html", type=Path, metavar="FILE", help="write a page of its own, the flows drawn")
    impact.set_defaults(run=_impact, attempts=10 * _PATIENCE)
    new = commands.add_parser("new", help="start a document in the folder of a policy, and what goes with it")
    new.add_argument("--title", required=True, metavar="TEXT", help="what it is about")
    new.set_defaults(run=_new)
    revise = commands.add_parser("revise", help="begin a new version of a document in the folder of its policy")
    revise.set_defaults(run=_revise)
    for command in (new, revise):
        command.add_argument("document", metavar="DOCUMENT")
        command.add_argument(
            "--effective", type=date.fromisoformat, required=True, metavar="DATE", help="its first day in force"
        )
        command.add_argument("--policy", type=Path, default=Path("policy"), metavar="FOLDER", help="default policy")
        command.set_defaults(server=None, bundle=None)
    return parser


def _decide(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    status, asked = _DECIDED, 0
    records: Records | None = None
    for name in options.files:
        try:
            requests = _requests(name)
        except Unreadable as error:
            _say(f"{name}: {error}")
            status = max(status, _INVALID)
            continue
        for number, request in enumerate(requests, 1):
            asked += 1
            try:
                if isinstance(request, dict) and request.get("resourceType") == "Bundle":
                    records = records or Records(policy)
                    request = records.read(request).request.to_dict()
                decision = policy.decide(request)
            except InvalidRequest as invalid:
                decision = invalid.decision
                status = max(status, _INVALID)
                for hint in hints(request, invalid.errors):
                    _say(f"{name}: request {number}: {hint}")
            except PolicyError as error:
                _say(f"{name}: request {number}: {error}")
                status = max(status, _INVALID if isinstance(error, InvalidValue) else _FAILED)
                continue
            if options.json:
                print(record_line(**recorded(asked, request, decision)), end="")
            else:
                show_decision(decision, name, console)
    return status


def _request(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    bundle = _resource(options.file)
    return _show(Records(policy).read(bundle, document=options.document, date_of_service=options.date), options)


def _answer(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    response = _resource(options.file)
    return _show(Records(policy).facts_from_response(response, date_of_service=options.date), options)


def _resource(name: str) -> Any:  # noqa: ANN401
    try:
        found = _requests(name)
    except Unreadable as error:
        raise InvalidValue(f"{name}: {error}") from None
    if len(found) != 1:
        raise InvalidValue(f"{name}: must hold one resource")
    return found[0]


def _show(reading: Reading, options: argparse.Namespace) -> int:
    print(json.dumps(reading.request.to_dict(), ensure_ascii=False))
    if options.evidence:
        show_evidence(reading, Terminal(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 200))
    for skipped in reading.skipped:
        _say(f"{skipped.path} {skipped.reason}")
    return _DECIDED


def _questionnaire(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    made = questionnaire(policy, options.document, options.version, base=options.base)
    print(json.dumps(made, ensure_ascii=False, indent=2))
    return _DECIDED


def _batch(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    rejects = options.rejects or Path(f"{options.target}.rejects")
    with FileProgress(options.source, "lines") as progress:

        def on_line(line: Line, problem: str | None) -> None:
            if problem is not None:
                progress.console.print(f"line {line.number}: {plain(problem)}")
            progress.advance(line.position)

        batch = Batch(policy, options.source, options.target, rejects, options.in_flight, on_line)
        tally = batch.run(resume=options.resume)
    if options.json:
        print(json.dumps({"outcomes": tally.outcomes, "open_facts": tally.open_facts, "rejected": tally.rejected}))
    else:
        show_tally(tally, rejects, console)
    return _INVALID if tally.rejected or tally.outcomes[Outcome.INVALID_REQUEST.value] else _DECIDED


def _replay(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    table = Table("line", "version", "outcome", "outcome now", "what differs")
    total = different = superseded = 0
    with ExitStack() as files:
        for result in replay(policy, records_of(options.decisions, files)):
            total += 1
            superseded += result.superseded
            if result.same:
                continue
            different += 1
            if options.json:
                print(json.dumps(asdict(result)))
            elif different <= _SHOWN:
                what = result.error or ", ".join(result.differences[:5])
                cells = (str(result.line), result.version, result.outcome, result.outcome_now, what)
                table.add_row(*(plain(cell or "") for cell in cells))
    if different and not options.json:
        console.print(table)
    print(
        f"{total:,} decisions replayed, {different:,} differ"
        + (f"; {superseded:,} by a version that has since been superseded" if superseded else ""),
        file=sys.stderr if options.json else sys.stdout,
    )
    return _DIFFERENT if different else _DECIDED


def _diff(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    documents = Documents(policy)
    changes = diff(*(documents.version(options.document, name) for name in (options.old, options.new)))
    if options.json:
        print(json.dumps([asdict(change) for change in changes], ensure_ascii=False))
    else:
        show_changes(changes, console)
    return _DIFFERENT if changes else _DECIDED


def _impact(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    if options.html:
        _check_page(options.html)
    with ExitStack() as stack:
        old, new = (_side(name, policy, options, stack) for name in (options.old, options.new))
        progress = stack.enter_context(FileProgress(options.requests, "requests"))
        requests = lines_of(policy, options.requests, stack)

        def numbered() -> Iterator[tuple[int, Any]]:
            for line in requests:
                if line.problem is not None:
                    raise BatchError(f"{options.requests}: line {line.number}: {line.problem}")
                progress.advance(line.position)
                yield line.number, line.request

        result = impact(options.document, old, new, numbered())
    if options.html:
        with open(options.html, "w", encoding="utf-8", opener=private) as file:
            file.write(page(result, printable(options.old), printable(options.new)))
    if options.json:
        print(json.dumps(result.to_dict()))
    else:
        show_impact(result, options.old, options.new, console)
    if undecided := sum(n for flow, n in result.flows.items() if not {*flow} <= {each.value for each in Outcome}):
        _say(f"{undecided:,} requests could not be decided by both")
        return _FAILED
    return _DIFFERENT if result.turned else _DECIDED


def _check_page(file: Path) -> None:
    """Before the work begins: is there room for a page, or one to write anew? Raises `BatchError`."""
    if not file.parent.is_dir():
        raise BatchError(f"{file.parent} is no folder")
    if file.is_dir() or (file.is_symlink() and not file.exists()):
        raise BatchError(f"{file} is a folder, or a link to nowhere")
    if file.is_file():
        try:
            with file.open("rb") as held:
                start = held.read(len(PAGE_START))
        except OSError as error:
            raise BatchError(f"{file}: {error.strerror}") from None
        if start not in (b"", PAGE_START):
            raise BatchError(f"{file} is no page of impact: move it away, or name another file")


def _side(name: str, policy: PolicyBase, options: argparse.Namespace, stack: ExitStack) -> Side:
    if name.startswith(("http://", "https://")):
        return Side(stack.enter_context(_client(name, options.attempts)))
    if os.path.exists(name):
        return Side(stack.enter_context(EmbeddedPolicy(name)))
    try:
        Documents(policy).version(options.document, name)
    except InvalidValue as error:
        raise InvalidValue(f"{name} is no file, and {error}") from None
    return Side(policy, version=name)


def _new(options: argparse.Namespace) -> int:
    draft = new(options.policy, options.document, options.effective, options.title)
    for path in astuple(draft):
        print(f"edit     {printable(str(path))}")
    print(f"""
Steps left; make policy says after each what is wrong or missing:
  1. In {printable(str(draft.facts))}: the facts, in the order in which they are asked for.
  2. In {printable(str(draft.criteria))}: a rule for each sentence, its text in METADATA; codes, last_reviewed.
  3. In {printable(str(draft.vectors.parent))}: every clause met, not met and unknown, and every limit.
  4. In {printable(str(draft.reading))}: the document read once more, from its text and not from the Rego.
  5. docs/readings.md: how the text is read, under ## {printable(options.document)}; examples/: a request or more.
  6. make schemas docs, then make test. Until it is published the document is a draft, and decides nothing.
  7. make publish, which says what it lacks, and locks the version for good.""")
    return _DECIDED


def _revise(options: argparse.Namespace) -> int:
    revision = revise(options.policy, options.document, options.effective)
    for kept in revision.filed:
        print(f"kept     {printable(str(kept))}: version {revision.old}, every byte as it was")
    for current in revision.current:
        print(f"edit     {printable(str(current))}: version {revision.new}")
    print(f"""
Steps left:
  1. In {printable(str(revision.current[0]))}: change the criteria, their texts in METADATA, last_reviewed and history.
  2. In {printable(str(revision.current[1]))}: change the facts, if they change.
  3. make schemas wasm docs
  4. Add vectors to policy_tests/vectors/, dated from {revision.new} on: every clause met, not met and unknown.
  5. payer-policy diff {revision.document} {revision.old} {revision.new}
  6. payer-policy impact {revision.document} {revision.old} {revision.new} requests.jsonl
  7. make test, then make publish, which locks the version for good.""")
    return _DECIDED


def _requests(name: str) -> list[Any]:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise Unreadable(error.strerror) from None
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8 text") from None
    try:
        # JSON first: YAML reads most of it, but not all of it.
        documents = [read_json(text)]
    except NotJson:
        if name.endswith(".json"):
            raise
        documents = read_yaml(text)
    found = [item for document in documents for item in (document if isinstance(document, list) else [document])]
    if all(request is None for request in found):
        raise Unreadable("holds no request")
    return found


def _catalogue(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    documents = policy.catalogue(options.document)["documents"]
    if not documents:
        _say(f"{options.document} is not held")
        return _INVALID
    if options.json:
        print(json.dumps({"documents": documents}, ensure_ascii=False))
        return _DECIDED
    show_catalogue(documents, options.on, console)
    return _DECIDED


if __name__ == "__main__":
    sys.exit(main())
