"""What the commands have in common: exit statuses, what is said on standard error, requests read from a file."""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from payer_policy.runtime.client import PolicyClient
from payer_policy.runtime.errors import InvalidValue
from payer_policy.runtime.reading import NotJson, Unreadable, read_json, read_yaml

DECIDED, DIFFERENT, INVALID, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

PATIENCE = 2  # attempts: a person who waits would rather know

EXAMPLES = """examples:
  payer-policy decide request.yaml                    decide with the policy that this package ships
  payer-policy decide a.json b.yaml --json            one record a line, for programs
  cat request.json | payer-policy decide -            from standard input
  payer-policy decide request.yaml --server http://127.0.0.1:8181
  payer-policy batch in.jsonl out.jsonl               many requests, one a line, or a CSV with a column per fact
  payer-policy batch in.jsonl out.jsonl --resume      go on after an interruption
  payer-policy batch in.parquet out.parquet           a table, on all cores: its columns, and those of the decisions
  payer-policy request bundle.json --evidence         a patient's FHIR record becomes a request; decide takes one too
  payer-policy questionnaire CC-0126                  what the document asks, as a FHIR Questionnaire
  payer-policy answer response.json --date 2025-06-01 its answers become a request
  payer-policy catalogue CC-0126 --on 2026-01-01      what stands in it, and which version is in force on a day
  payer-policy replay out.jsonl                       decide stored decisions again under their versions
  payer-policy show out.jsonl                         stored decisions for a person to read
  payer-policy new XY-1 --effective 2026-04-01 --title "What it is about"      start a document in policy/
  payer-policy revise CC-0126 --effective 2026-04-01  begin a new version in policy/
  payer-policy diff CC-0126 2025-04-01 2026-04-01     what changed, in words
  payer-policy impact CC-0126 2025-04-01 2026-04-01 in.jsonl       what would change, by example

PAYER_POLICY_TOKEN, unless empty, is sent to the server as its bearer token; REQUESTS_CA_BUNDLE names a CA of your own.

exit status: 0 decided (replay, diff, impact: nothing differs), 1 something differs, 2 invalid request, unreadable input
or a file that must not be overwritten, 3 policy unreachable or failing, or the output cannot be written
"""


def printable(text: str) -> str:
    """Text of a caller, names of files and fields too, for a terminal: no control characters."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(printable(message))  # it quotes arguments


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def day(text: str) -> date:
    """An argument. Python 3.11 and newer would take 20260401 and 2026-W14-3 too."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise argparse.ArgumentTypeError("write a day of the calendar as 2026-04-01")


def add_facts(command: Parser) -> None:
    command.add_argument(
        "--facts",
        metavar="COLUMN[,COLUMN…]",
        help="of Parquet, the column of the facts, or the columns of one fact each, a single one with a comma behind;"
        " default facts",
    )


def facts_of(options: argparse.Namespace, requests: Path) -> str | list[str] | None:
    """The column or the columns of the facts of Parquet; None when the requests are lines."""
    if requests.suffix.lower() != ".parquet" and not requests.is_dir():
        if options.facts is not None:
            raise InvalidValue("--facts is of Parquet")
        return None
    named = (options.facts or "facts").split(",")
    return [name for name in named if name] if len(named) > 1 else named[0]


def say(message: str) -> None:
    """What is wrong, on standard error; whether anyone reads it there changes nothing."""
    with suppress(OSError):
        print(f"payer-policy: {printable(message)}", file=sys.stderr)


def client(url: str, attempts: int) -> PolicyClient:
    return PolicyClient(url, token=os.environ.get("PAYER_POLICY_TOKEN") or None, attempts=attempts)


def _is_lines(text: str) -> bool:
    """Whether a text that is not JSON begins with two lines that are, as an object each."""
    first, _, rest = text.lstrip().partition("\n")
    with suppress(Unreadable):
        return isinstance(read_json(first), dict) and rest.lstrip().startswith("{")
    return False


def requests_in(name: str) -> list[Any]:
    """What a file holds, or standard input by the name -. Raises `Unreadable`."""
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
        if text.startswith("\x1e"):
            raise Unreadable(
                "has record separators (RFC 7464): tr -d '\\036' makes JSON lines, which payer-policy batch decides"
            ) from None
        if _is_lines(text):
            raise Unreadable("is JSON lines, which payer-policy batch decides") from None
        if name.endswith(".json"):
            raise
        if name.lower().endswith((".jsonl", ".csv")):  # as YAML, the cells of a CSV are one text
            raise Unreadable("holds no JSON; payer-policy batch decides JSON lines and CSV") from None
        documents = read_yaml(text)
    found = [item for document in documents for item in (document if isinstance(document, list) else [document])]
    if all(request is None for request in found):
        raise Unreadable("holds no request")
    return found
