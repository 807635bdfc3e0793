"""The command `payer-policy`; a module a command."""

from __future__ import annotations

import argparse
import io
import os
import sys
from contextlib import nullcontext
from importlib.metadata import version

from payer_policy.command import checkout
from payer_policy.command.common import EXAMPLES, FAILED, INTERRUPTED, INVALID, Commands, Parser, client, say
from payer_policy.runtime.embedded import EmbeddedPolicy
from payer_policy.runtime.errors import InvalidValue, MissingExtra, PolicyError
from payer_policy.runtime.policy import PolicyBase
from payer_policy.workshop.lines import BatchError

try:
    import yaml  # noqa: F401  # what is not JSON is read with it
    from payer_policy.command import batch, catalogue, decide, diff, fhir, impact, replay, show
    from payer_policy.command.terminal import Terminal
except ImportError:  # main() says what to install
    _COMPLETE = False
else:
    _COMPLETE = True


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the caller; the next file opened would take its place
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader, head say, has seen enough
        return FAILED
    except PolicyError as error:
        say(str(error))
        return INVALID if isinstance(error, (InvalidValue, BatchError)) else FAILED
    except OSError as error:  # of writing, a full disk say: what cannot be read is told where it is read
        say(": ".join(str(part) for part in (error.filename, error.strerror) if part))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:  # Python would complain once more when it closes it, with a status of its own
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(arguments: list[str]) -> int:
    if arguments[:1] and arguments[0] in checkout.TOOLS:
        return checkout.run(*arguments)
    if not _COMPLETE:
        raise MissingExtra("the command needs rich and pyyaml: pip install 'payer-policy-client[embedded,cli]'")
    options = parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal has the marks; the words beside them suffice
    # A pipe has no width of its own.
    console = Terminal(highlight=False, width=None if sys.stdout.isatty() else 120)
    with _policy(options) if "server" in options else nullcontext() as policy:
        status: int = options.run(policy, options, console)
    return status


def _policy(options: argparse.Namespace) -> PolicyBase:
    return client(options.server, options.attempts) if options.server else EmbeddedPolicy(options.bundle)


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError("begin it with http:// or https://")
    return text


def parser() -> Parser:
    """What the command takes; without what a checkout's tools take."""
    parser = Parser(
        prog="payer-policy",
        description="Decide prior-authorisation requests by a payer's clinical criteria.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('payer-policy-client')}")
    shared = Parser(add_help=False)
    where = shared.add_mutually_exclusive_group()
    where.add_argument(
        "--server", metavar="URL", type=_url, help="an OPA that serves the policy, instead of the embedded one"
    )
    where.add_argument(
        "--bundle", metavar="FILE", help="a policy compiled by opa build -t wasm, instead of the shipped"
    )
    shared.add_argument("--json", action="store_true", help="JSON, for programs")
    commands: Commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (decide, batch, catalogue, fhir, replay, diff, impact):
        module.add(commands, shared)
    show.add(commands)
    for name, what in checkout.TOOLS.items():
        commands.add_parser(name, help=what, add_help=False)
    return parser
