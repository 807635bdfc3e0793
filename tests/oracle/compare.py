"""Request texts, ordinary and hostile, on every way to a decision: `make compare`. Exit status 1 on any difference.

Each text goes to OPA over HTTP and to WebAssembly as it stands, and through the readers of the client: as JSON by
`PolicyClient`, as a line of a file by `payer-policy batch`, one in twenty as YAML and as CSV. All must give the same
decision, its errors must be those of contract.py, and its criteria those of the second readings. What the client
refuses to send must be what it says it refuses. The texts are all that the index says: a difference is found again by
its number.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from payer_policy import Decision, EmbeddedPolicy, InvalidValue, PolicyBase, PolicyClient
from payer_policy.runtime.reading import Unreadable, read_json, read_yaml
from payer_policy.runtime.request import written as written_by_client
from payer_policy.workshop.batch import Batch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests import ROOT
from tests.oracle import contract, prove
from tests.readings.decision import ABSENT
from tests.stage.opa import process
from tools.publish import with_drafts

BATCH = 500
PATIENCE = 600  # seconds for a batch: a slow machine is no difference
ONE_IN = 20  # by the slow ways

Draw = random.Random

# Of every fact of every document, an answer that the readings try.
ANSWERS = {
    fact: next(value for values in classes.values() for value in values if value is not None and value is not ABSENT)
    for space in prove.SPACES
    for fact, classes in space.reading.classes.items()
}
# Of every document, the facts that all its versions have.
EVER: dict[str, set[str]] = {}
for space in prove.SPACES:
    EVER[space.reading.document] = EVER.get(space.reading.document, {*ANSWERS}) & space.reading.classes.keys()
NUMERIC = {fact for space in prove.SPACES for fact in space.reading.numbers}
FLAGS = {fact for fact, answer in ANSWERS.items() if isinstance(answer, bool)}
DAYS = {"date_of_service", *(fact for space in prove.SPACES for fact in space.reading.dates)}
LISTS = {"icd10", "unavailable", *(fact for fact, answer in ANSWERS.items() if isinstance(answer, list))}

# fmt: off
# Around every limit of the contract and of the machine; spelt as no encoder would.
NUMBERS = [
    *("0", "-0", "0.0", "-0.0", "0e0", "0e9999", "1", "1.0", "1e0", "10e-1", "0.1e1", "2", "20e-1", "200E-2", "20.5"),
    *("0.2e+1", "2.000000000000000000000", "20", "20.0", "2e1", "21", "0.1", "1e-1", "1E-1", "0.10"),
    *("0.1000000000000000", "10e-2", "0.0999999999999999", "0.09999999999999999", "0.099999999999999999"),
    *("0.100000000000000001", "0.0999999999999999999999999999999999999999", "0.100000000000001"),
    "0.1000000000000000055511151231257827",
    *("100", "1e2", "100.0000000000001", "100.00000000000001", "99.9999999999999", "1e3", "101", "-1", "-1e-9"),
    *("-1e-301", "-1e-400", "1e-300", "9e-301", "1e-301", "1e-307", "2.2250738585072014e-308", "5e-324", "1e-324"),
    *("1e-400", "1e-9999", "1e307", "1.7976931348623157e308", "1e309", "1e400", "1e9999", "123456789012345"),
    *("1234567890123456", "0.000000123456789012345", "0.0000001234567890123456", "9007199254740993", "4294967297"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551616", "18446744073709551617", "2147483648"),
    *("1.00000000000001", "1.000000000000001", "0.30000000000000004", "0.3333333333333333", "3.3e-5", "1e-3", "0.5"),
]
WORDS = [
    *("all", "ALL", "dlbcl", "other", "imatinib", "interfant", "prednisone", "relapsed", "consolidation"),
    *("maintenance", "", " ", "0.1", "true", "null", "[]", "-", "~", "010", "1:10", "1_0", "yes", "no", "2025-06-01"),
    *("\0", "\x7f", '"', "é", "e\u0301", "ß", "İ", "\u0131", "\u017f", "\u212a", "ﬁ", "\u200b", "\ufeff", "\u2028"),
    *("\U00020000", "\U0001f9ec", "\uffff", "a/b", "J9039", "j9039", "J 9039", "j.9.0.3.9", "ȷ9039", "C91.00", "c9100"),
    *("C83.3", "ç91.00", "C91", "c", "C9", "."),
]
DATES = [
    *("2025-06-01", "2025-04-01", "2025-03-31", "2024-02-29", "2025-02-29", "1899-12-31", "1900-01-01", "2199-12-31"),
    *("2200-01-01", "2025-6-1", "202e-01-01", "2025-1e-01", "2025-06-0\uff11", "٢٠٢٥-06-01", "2025-06-01T00:00:00Z"),
    *(" 2025-06-01", "e2", "1E", "+025-06-01", "0x7e-06-01", "2025-06--1", "2025-06-01\n", "-2025-06-01"),
    *("2025-00-01", "2025-13-01"),
]
NAMES = [
    *("document", "date_of_service", "request_id", "codes", "facts", "hcpcs", "icd10", "unavailable", *ANSWERS),
    *("", "x", "a.b", "é", "e\u0301", "facts.disease", "icd10[0]", "\U00020000", "Disease", "__proto__", "version"),
    "0",
]
# fmt: on


def spelt(text: str, draw: Draw) -> str:
    """A string of JSON, some of its characters escaped."""
    if draw.random() < 0.8:
        return json.dumps(text, ensure_ascii=draw.random() < 0.3)
    escaped = (json.dumps(one)[1:-1] if one < " " or one in '"\\\x7f' or draw.random() < 0.5 else one for one in text)
    return f'"{"".join(escaped)}"'


def number(draw: Draw) -> str:
    if draw.random() < 0.6:
        return draw.choice(NUMBERS)
    digits = "".join(draw.choices("0123456789", k=draw.choice((1, 2, 5, 14, 15, 16, 17, 30))))
    zeros = draw.choice(("", "", "0", "000000000000000000"))
    text = draw.choice(("0.", "0.0", "", "-")) + (digits.lstrip("0") or "7") + zeros
    if draw.random() < 0.05:
        text += "0" * draw.choice((70, 99))
    elif draw.random() < 0.05:
        text = f"0.{'0' * draw.choice((83, 84, 85, 95, 300))}{digits}"
    return text + draw.choice(("", "", "", "e-1", "e-15", "E+2", "e-16", "e1"))


def value(draw: Draw, depth: int = 0) -> str:
    """Any JSON at all."""
    kind = draw.random()
    if kind < 0.3:
        return number(draw)
    if kind < 0.6:
        word = draw.choice(WORDS + DATES)
        return spelt(word * draw.choice((1, 1, 1, 2, 4, 20, 128, 129)) if len(word) == 1 else word, draw)
    if kind < 0.75 or depth > 3:
        return draw.choice(("null", "true", "false", "[]", "{}"))
    if kind < 0.9:
        return "[" + ",".join(value(draw, depth + 1) for _ in range(draw.choice((0, 1, 2, 5, 8)))) + "]"
    names = draw.sample(NAMES, draw.choice((1, 2, 4)))
    return "{" + ",".join(f"{spelt(name, draw)}:{value(draw, depth + 1)}" for name in names) + "}"


def fitting(name: str, draw: Draw) -> str:
    """What stands for a field and is nearly right."""
    if name in NUMERIC:
        return number(draw)
    if name in DAYS:
        return spelt(draw.choice(DATES), draw)
    if name in LISTS:
        items = [
            spelt(draw.choice(WORDS), draw) if draw.random() < 0.9 else value(draw)
            for _ in range(draw.choice((0, 1, 2, 3, 7, 8)))
        ]
        return "[" + ",".join(items) + "]"
    return spelt(draw.choice(WORDS) * draw.choice((1, 1, 1, 4, 20)), draw)


def written(asked: Any, draw: Draw, spoilt: float) -> str:  # noqa: ANN401
    """A request as JSON text; each field below is spoilt at these odds."""
    if isinstance(asked, dict):
        fields = list(asked.items())
        draw.shuffle(fields)
        parts = []
        for name, item in fields:
            odds = draw.random()
            if odds < spoilt:
                text = value(draw) if odds < spoilt / 3 else fitting(name, draw)
            else:
                text = written(item, draw, spoilt)
            parts.append(f"{spelt(name, draw)}:{draw.choice(('', '', ' ', chr(10)))}{text}")
        if draw.random() < spoilt / 3:
            name = draw.choice([name for name in NAMES if name not in asked])
            parts.append(f"{spelt(name, draw)}:{value(draw)}")
        return "{" + draw.choice((",", ",", ", ", "\t,\n")).join(parts) + "}"
    if isinstance(asked, list):
        return "[" + ",".join(written(item, draw, spoilt) for item in asked) + "]"
    if isinstance(asked, str):
        return spelt(asked, draw)
    if isinstance(asked, int | float) and not isinstance(asked, bool) and draw.random() < 0.3:
        return f"{Decimal(repr(asked)):f}{draw.choice(('', 'e0', 'E+0', 'e-0'))}"
    return json.dumps(asked)


def text_of(index: int) -> str:
    """The index is all that it depends on. Not quite half are valid, one in fifty is no request at all."""
    draw = Draw(index)
    if draw.random() < 0.02:
        return value(draw)
    space = draw.choice(prove.SPACES)
    asked = space.request(draw.randrange(space.total))
    if draw.random() < 0.3:
        asked["request_id"] = draw.choice(WORDS)
    return written(asked, draw, draw.choice((0, 0.03, 0.1, 0.4)))


# What the client sends nowhere, and why.
REFUSED = {
    '{"facts": {"mrd_percent": 1, "mrd_percent": 2}}': "a name stands twice in an object",
    '{"facts": {"mrd_percent": NaN}}': "facts.mrd_percent must be a finite number, or None when it is not known",
    '{"facts": {"mrd_percent": -Infinity}}': "facts.mrd_percent must be a finite number, or None when it is not known",
    '{"facts": {"mrd_percent": 1e99999}}': "facts.mrd_percent is a number too long, too large or too small",
    f'{{"facts": {{"mrd_percent": 1e{"9" * 21}}}}}': "facts.mrd_percent is a number too long, too large or too small",
    '{"facts": {"mrd_percent": 1e-99999}}': "facts.mrd_percent is a number too long, too large or too small",
    f'{{"facts": {{"mrd_percent": {"9" * 1001}}}}}': "facts.mrd_percent is a number too long, too large or too small",
    '{"request_id": "\\ud800"}': "request_id is not valid Unicode text",
    "[" * 100_000: "nested too deeply",
}


def parsed(text: str) -> Any:  # noqa: ANN401
    return json.loads(text, parse_float=contract.Number, parse_int=contract.Number)


def as_yaml(value: Any) -> str:  # noqa: ANN401
    """In YAML's own spelling: nothing quoted that need not be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_yaml(name)}: {as_yaml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if isinstance(value, contract.Number):
        return value.text
    if not isinstance(value, str):
        return json.dumps(value)
    if re.fullmatch(r"[a-z_]{1,40}|[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and value not in ("true", "false", "null"):
        return value
    return '"' + "".join(f"\\U{ord(one):08x}" if one in '"\\' or not " " <= one <= "~" else one for one in value) + '"'


def from_yaml(request: Any) -> Any:  # noqa: ANN401
    """What the reader makes of it; a document that is null is none."""
    documents = read_yaml(as_yaml(request))
    return documents[0] if documents else None


COLUMNS = ["document", "date_of_service", "request_id", "hcpcs", "icd10", "unavailable", *ANSWERS]
SIGNS = {"less_than": "<", "at_most": "<=", "at_least": ">=", "more_than": ">"}


def as_row(request: Any) -> list[str] | None:  # noqa: ANN401
    """The cells of a CSV, None when they cannot say the same."""
    if not isinstance(request, dict) or not request.keys() <= {*COLUMNS[:3], "codes", "facts", "unavailable"}:
        return None
    codes, facts = request.get("codes"), request.get("facts")
    codes = {} if codes is None else codes
    if not isinstance(codes, dict) or not isinstance(facts, dict):
        return None
    if not codes.keys() <= {"hcpcs", "icd10"} or not facts.keys() <= ANSWERS.keys():
        return None
    ever = EVER.get(str(request.get("document")), set())
    if any(item is None and name not in ever for name, item in facts.items()):  # an error, but a cell would be empty
        return None
    given = {**request, **codes, **facts}
    cells = []
    for name in COLUMNS:
        item = given.get(name)
        if item is None:
            cells.append("")
        elif name in NUMERIC and isinstance(item, contract.Number):
            cells.append(item.text)
        elif name in NUMERIC and isinstance(item, dict) and [*item] in [[side] for side in SIGNS]:
            [[side, limit]] = item.items()
            if not isinstance(limit, contract.Number):
                return None
            cells.append(f"{SIGNS[side]}{limit.text}")
        elif name in FLAGS and isinstance(item, bool):
            cells.append(json.dumps(item))
        elif name in LISTS and isinstance(item, list) and all(is_cell(part) and ";" not in part for part in item):
            cells.append(";".join(item) if item else "[]")
        elif name not in NUMERIC | FLAGS | LISTS and is_cell(item):
            cells.append(item)
        else:
            return None
    return cells


def is_cell(item: object) -> bool:
    return isinstance(item, str) and item.isprintable() and item.strip() == item not in ("", "[]")


def by_file(policy: PolicyBase, name: str, lines: Sequence[str]) -> list[Any]:
    """What `payer-policy batch` says of each line."""
    with tempfile.TemporaryDirectory() as folder:
        source, target, rejects = (Path(folder, file) for file in (name, "out.jsonl", "rejects"))
        source.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
        Batch(policy, source, target, rejects).run()
        with target.open(encoding="utf-8") as file:
            found = {record["line"]: record["decision"] for record in map(json.loads, file)}
    return [found.get(number, "rejected") for number in range(1, len(lines) + 1)]


def by_json(policy: PolicyBase, texts: Iterable[str]) -> list[Any]:
    """A file that begins with an array is refused whole, so that it begins with a request here."""
    return by_file(policy, "in.jsonl", ["{}", *(text.replace("\n", " ") for text in texts)])[1:]


def by_csv(policy: PolicyBase, rows: Sequence[list[str]]) -> list[Any]:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    return by_file(policy, "in.csv", file.getvalue().splitlines())[1:]


def decided(policy: PolicyBase, asked: Iterable[Any]) -> list[Any]:
    answers = policy.decide_many(asked, batch_size=BATCH)
    return [
        answer.to_dict() if isinstance(answer, Decision) else f"{type(answer).__name__}: {answer}" for answer in answers
    ]


def raised(text: str) -> str:
    """Why the client sends no such text; empty if it does."""
    try:
        written_by_client(read_json(text))
    except (Unreadable, InvalidValue) as error:
        return str(error)
    return ""


def unlike_the_contract(text: str, decision: dict[str, Any]) -> str:
    request = parsed(text)
    wrong = contract.errors(request)
    if [error["path"] for error in decision["errors"]] != wrong:
        return f"contract.py finds wrong {wrong}"
    if decision["criteria"] is None:
        return ""
    policy = decision["policy"]
    [space] = [space for space in prove.SPACES if str(space) == f"{policy['document']} {policy['version']}"]
    differs = prove.difference(space, json.loads(text), decision)
    return f"the reading of {space}: {differs}" if differs else ""


# Escaped, a character that takes two escapes loses a bit in OPA's WebAssembly; the client sends it as it is.
PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


def unpaired(text: str) -> str:
    return PAIR.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)


Differences = list[tuple[int, str]]
_embedded: EmbeddedPolicy | None = None
_clients: dict[str, PolicyClient] = {}
_session = requests.Session()


def compare(task: tuple[str, Sequence[int]]) -> tuple[int, Counter[str], Differences]:
    """How many were compared, how often by which way, and those that differ with what is said of them."""
    global _embedded
    url, indices = task
    _embedded = _embedded or with_drafts()
    client = _clients.setdefault(url, PolicyClient(url, timeout=(PATIENCE, PATIENCE), deadline=PATIENCE))
    texts = [text_of(index) for index in indices]
    body = f'{{"requests":[{",".join(texts)}]}}'
    response = _session.post(f"{url}/v1/data/payer/decisions", data=f'{{"input":{body}}}'.encode(), timeout=PATIENCE)
    response.raise_for_status()
    by_opa = json.loads(response.content)["result"]
    slow = [number for number, index in enumerate(indices) if index % ONE_IN == 0]
    rows = {number: row for number in slow if (row := as_row(parsed(texts[number]))) is not None}
    everywhere: list[tuple[str, Sequence[int], list[Any]]] = [
        ("wasm", range(len(texts)), _embedded._policy.evaluate(unpaired(body), "payer/decisions")),
        ("client", range(len(texts)), decided(client, map(read_json, texts))),
        ("file", range(len(texts)), by_json(_embedded, texts)),
        ("YAML", slow, decided(_embedded, (from_yaml(parsed(texts[number])) for number in slow))),
        ("CSV", [*rows], by_csv(_embedded, [*rows.values()])),
    ]
    found = [
        (index, problem)
        for index, text, decision in zip(indices, texts, by_opa, strict=True)
        if (problem := unlike_the_contract(text, decision))
    ]
    for way, numbers, decisions in everywhere:
        for number, decision in zip(numbers, decisions, strict=True):
            if decision != by_opa[number]:
                found.append(
                    (indices[number], f"{way}: {json.dumps(decision)[:300]}; OPA: {json.dumps(by_opa[number])[:300]}")
                )
    ways = Counter({way: len(numbers) for way, numbers, _ in everywhere})
    ways["refused"] = sum(decision["outcome"] == "invalid_request" for decision in by_opa)
    return len(texts), ways, found


def compare_all(url: str, indices: Sequence[int], workers: int) -> Iterator[tuple[int, Counter[str], Differences]]:
    """Batch by batch, in no particular order."""
    tasks = ((url, indices[start : start + BATCH]) for start in range(0, len(indices), BATCH))
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(compare, tasks)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000, metavar="N", help="texts; default 1,000,000")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the number of the first; default 0")
    parser.add_argument("--policy", type=Path, default=ROOT / "policy", help="another directory of Rego for OPA")
    options = parser.parse_args()
    console = Console(highlight=False)
    unlike = {text[:60]: says for text, why in REFUSED.items() if (says := raised(text)) != why}
    compared, differing, ways, start = 0, len(unlike), Counter[str](), time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    for text, says in unlike.items():
        console.print(f"{text}: the client says {says!r}", markup=False)
    with (
        process(options.policy) as (port, _),
        Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress,
    ):
        bar = progress.add_task("comparing", total=options.count)
        url = f"http://127.0.0.1:{port}"
        indices = range(options.first, options.first + options.count)
        for count, by_way, found in compare_all(url, indices, min(os.cpu_count() or 1, 8)):
            compared += count
            ways += by_way
            for index, problem in found[: max(5 - differing, 0)]:
                console.print(f"text {index}: {text_of(index)}\n  {problem}", markup=False)
            differing += len(found)
            progress.update(bar, advance=count, description=f"comparing, {differing} differ")
    also = ", ".join(f"{way} {count:,}" for way, count in ways.items())
    console.print(f"{compared:,} texts compared in {time.monotonic() - start:.0f} s ({also}), {differing} differ")
    return 0 if compared == options.count and differing == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
