"""The ten lines of docs/scale.md on years of claims: `make study ROWS=2000000 DISTINCT=100000`. Each line with its
seconds on a cluster of two workers of one core, and the study's page in build/study/.

The claims are made up: requests to both versions of NCD-240.4, near an approval and far from any; a few of them come
again and again, most of them seldom, as in real tables."""

from __future__ import annotations

import ast
import json
import os
import random
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from tests import ROOT
from tests.oracle.prove import SPACES
from tests.stage.cluster import cluster

FOLDER = ROOT / "build" / "study"
SKEW = 3  # by which the first tenth of the requests has nearly half of the rows


def ten_lines() -> str:
    [lines] = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "scale.md").read_text(), re.MULTILINE | re.DOTALL)
    return str(lines)


def write_claims(file: Path, rows: int, distinct: int) -> None:
    """Always the same."""
    draw = random.Random(240)
    spaces = [space for space in SPACES if space.reading.document == "NCD-240.4"]
    requests = [(space := draw.choice(spaces)).request(space.drawn(draw)) for _ in range(distinct)]
    columns = ("document", "date_of_service")
    once = pa.table(
        {name: [request[name] for request in requests] for name in columns}
        | {"facts": [json.dumps(request["facts"]) for request in requests]}
    )
    chosen = pa.array(int(distinct * draw.random() ** SKEW) for _ in range(rows))
    pq.write_table(once.take(chosen).append_column("claim", pa.array(range(rows))), file, row_group_size=rows // 16)


def main() -> None:
    rows, distinct = map(int, sys.argv[1:])
    console = Console()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    write_claims(FOLDER / "claims", rows, distinct)
    names: dict[str, Any] = {}
    with cluster(FOLDER):
        os.chdir(FOLDER)
        for statement in ast.parse(ten_lines()).body:
            begun = time.monotonic()
            exec(compile(ast.Module([statement], []), "docs/scale.md", "exec"), names)
            console.print(
                f"{time.monotonic() - begun:8.1f} s  {ast.unparse(statement)}", highlight=False, soft_wrap=True
            )
    console.print(f"{rows:,} rows, {distinct:,} requests; the page is {FOLDER / 'study.html'}", highlight=False)


if __name__ == "__main__":
    main()
