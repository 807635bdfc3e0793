"""A study of years of claims, `make study ROWS=2000000 DISTINCT=20000`: by `payer-policy impact` on one machine, and by
the ten lines of docs/scale.md, each line with its seconds, on a cluster of two workers. The pages are in build/study/.

The claims are made up: requests to both versions of NCD-240.4, near an approval and far from any; a few of them come
again and again, most of them seldom, as in real tables."""

from __future__ import annotations

import ast
import json
import os
import random
import re
import resource
import shutil
import subprocess
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
    (FOLDER / "claims").mkdir()
    claims = FOLDER / "claims" / "claims.parquet"
    write_claims(claims, rows, distinct)
    console.print(f"{rows:,} claims of {distinct:,} requests; pages and logs are in {FOLDER}", highlight=False)
    study = ["impact", "NCD-240.4", "2005-04-04", "2008-03-13", str(claims), f"--html={FOLDER / 'impact.html'}"]
    begun = time.monotonic()
    status = subprocess.run([sys.executable, "-m", "payer_policy", *study], stdout=subprocess.DEVNULL).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    console.print(
        f"{time.monotonic() - begun:8.1f} s  payer-policy impact, {used.ru_utime + used.ru_stime:.1f} s of processors",
        highlight=False,
    )
    assert status == 1  # something differs
    names: dict[str, Any] = {}
    with cluster(FOLDER):
        os.chdir(FOLDER)
        for statement in ast.parse(ten_lines()).body:
            begun = time.monotonic()
            exec(compile(ast.Module([statement], []), "docs/scale.md", "exec"), names)
            console.print(
                f"{time.monotonic() - begun:8.1f} s  {ast.unparse(statement)}", highlight=False, soft_wrap=True
            )


if __name__ == "__main__":
    main()
