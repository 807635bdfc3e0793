"""`payer-policy request`, `answer` and `questionnaire`: FHIR in and out."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from payer_policy.command.common import DECIDED, PATIENCE, Commands, Parser, requests_in, say
from payer_policy.command.terminal import Terminal, show_evidence
from payer_policy.fhir import Reading, Records, questionnaire
from payer_policy.fhir.record import ESTABLISHED
from payer_policy.runtime.errors import InvalidValue
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.reading import Unreadable
from rich.console import Console


def add(commands: Commands, shared: Parser) -> None:
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
        command.set_defaults(run=run, attempts=PATIENCE)
    form = commands.add_parser(
        "questionnaire", parents=[shared], help="the facts of a document as a FHIR Questionnaire"
    )
    form.add_argument("document", metavar="DOCUMENT")
    form.add_argument("--version", metavar="VERSION", help="default the latest")
    form.add_argument("--base", default="urn:payer-policy", metavar="URL", help="begins its canonical; %(default)s")
    form.set_defaults(run=_questionnaire, attempts=PATIENCE)


def _request(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    bundle = _resource_in(options.file)
    return _show(Records(policy).read(bundle, document=options.document, date_of_service=options.date), options)


def _answer(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    response = _resource_in(options.file)
    reading = Records(policy).facts_from_response(response, date_of_service=options.date)
    for each in reading.evidence:
        if each.standing != ESTABLISHED:  # somebody has given this answer, and it does not count
            say(f"{each.path} {each.reason or each.standing}")
    return _show(reading, options)


def _resource_in(name: str) -> Any:  # noqa: ANN401
    try:
        found = requests_in(name)
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
        say(f"{skipped.path} {skipped.reason}")
    return DECIDED


def _questionnaire(policy: PolicyBase, options: argparse.Namespace, console: Console) -> int:
    made = questionnaire(policy, options.document, options.version, base=options.base)
    print(json.dumps(made, ensure_ascii=False, indent=2))
    return DECIDED
