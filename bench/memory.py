"""Peak memory of `payer-policy batch` on many lines, beside that on few: the ratio is about 1 when it streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FEW, MANY = 10_000, int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000


def peak(lines: int) -> float:
    """In MiB."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP")) as folder:
        source, target = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        with source.open("w") as file:
            for number in range(lines):
                facts = {"disease": ("all", "dlbcl", "other")[number % 3], "cd19_positive": number % 2 == 0}
                request = {"document": "CC-0126", "date_of_service": "2025-06-01", "request_id": str(number)}
                file.write(json.dumps({**request, "facts": facts}) + "\n")
        command = [sys.executable, "-m", "payer_policy", "batch", str(source), str(target)]
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"batch failed with status {status}")
        seconds = time.monotonic() - start
        mib = usage.ru_maxrss / (1 << 10 if sys.platform == "linux" else 1 << 20)
        print(f"{lines:>10,} lines  {mib:8.1f} MiB  {lines / seconds:8,.0f} lines/s", flush=True)
        return mib


few = peak(FEW)
print(f"ratio {peak(MANY) / few:.2f}, goal at most 1.2")
