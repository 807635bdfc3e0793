"""Steady callers against one OPA with the settings of docker-compose.yml: `make load MINUTES=10 CLIENTS=8`.

Callers and OPA share the machine, and the callers are Python threads, so the rate is a lower bound of what OPA can do.
Times say something about this machine only; errors and memory are what is judged: exit status 1 unless there are no
errors and the memory is flat."""

import itertools
import os
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import docker
from docker.models.containers import Container
from payer_policy import InvalidRequest, InvalidValue, PolicyClient, PolicyError
from rich.console import Console
from rich.table import Table

from tests.oracle.vectors import VECTORS
from tests.stage.opa import serving, wait_until_healthy
from tools.publish import with_drafts

Known = list[tuple[dict[str, Any], dict[str, Any]]]


def known_decisions() -> Known:
    """Requests with their right decisions, made in process by the compiled policy."""
    pairs: Known = []
    with with_drafts() as policy:
        for vector in VECTORS.values():
            try:
                pairs.append((vector["input"], policy.decide(vector["input"]).to_dict()))
            except (InvalidRequest, InvalidValue):
                continue
    return pairs


@dataclass
class Load:
    callers: int
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    samples: list[tuple[float, float, float]] = field(default_factory=list)  # at, MiB, cores

    def run(self, url: str, container: Container, known: Known, duration: float) -> None:
        begin = time.monotonic()
        end = begin + duration
        with PolicyClient(url) as client:

            def call(start: int) -> None:
                for request, right in itertools.islice(itertools.cycle(known), start, None):
                    asked = time.monotonic()
                    if asked > end:
                        return
                    try:
                        decision = client.decide(request)
                    except PolicyError as error:
                        self.errors.append(type(error).__name__)
                    else:
                        self.seconds.append(time.monotonic() - asked)
                        if decision.to_dict() != right:
                            self.errors.append("wrong decision")

            threads = [
                threading.Thread(target=call, args=(number * len(known) // self.callers,))
                for number in range(self.callers)
            ]
            for thread in threads:
                thread.start()
            while (now := time.monotonic()) < end:
                self.samples.append((now - begin, *memory_and_cores(container)))
                time.sleep(min(duration / 60, 5))
            for thread in threads:
                thread.join()

    def percentile(self, percent: int) -> float:
        """In milliseconds."""
        return 1000 * statistics.quantiles(self.seconds, n=100)[percent - 1]

    def most(self) -> float:
        return 1000 * max(self.seconds)

    def growth(self) -> float:
        """The memory of the last quarter to that of the second; the first is warming up."""
        quarter = len(self.samples) // 4
        memory = [sample[1] for sample in self.samples]
        return statistics.mean(memory[-quarter:]) / statistics.mean(memory[quarter : 2 * quarter])


def memory_and_cores(container: Container) -> tuple[float, float]:
    """What the engine charges to the container, without the file cache."""
    stats: Any = container.stats(stream=False)
    memory = stats["memory_stats"]
    cache = memory["stats"].get("inactive_file", memory["stats"].get("total_inactive_file", 0))
    used = stats["cpu_stats"]["cpu_usage"]["total_usage"] - stats["precpu_stats"]["cpu_usage"]["total_usage"]
    passed = stats["cpu_stats"]["system_cpu_usage"] - stats["precpu_stats"]["system_cpu_usage"]
    return (memory["usage"] - cache) / 2**20, used / passed * stats["cpu_stats"]["online_cpus"]


def main() -> None:
    minutes, callers = float(sys.argv[1]), int(sys.argv[2])
    load, engine, known = Load(callers), docker.from_env(), known_decisions()
    with serving(engine, os.environ["OPA_IMAGE"]) as container:
        load.run(wait_until_healthy(container), container, known, 60 * minutes)
    memory = [sample[1] for sample in load.samples]
    flat = load.growth() < 1.2
    trend = f"{'flat' if flat else 'growing'}: last to second quarter {load.growth():.2f}"
    every = load.samples[:: max(1, len(load.samples) // 10)]
    table = Table("", f"{minutes:g} minutes, {callers} callers, {os.cpu_count()} cores shared with them")
    for name, value in {
        "decisions": f"{len(load.seconds):,}, each compared with the known one",
        "a second": f"{len(load.seconds) / minutes / 60:.0f}",
        "p50, p99, most": ", ".join(f"{ms:.1f} ms" for ms in (load.percentile(50), load.percentile(99), load.most())),
        "errors": ", ".join(sorted(set(load.errors))) or "0",
        "cores used by OPA": f"{statistics.median(sample[2] for sample in load.samples):.2f}",
        "memory": f"{min(memory):.0f} to {max(memory):.0f} MiB, {trend}",
        "over time": ", ".join(f"{at:.0f} s {used:.0f}" for at, used, _ in every) + " MiB",
    }.items():
        table.add_row(name, value)
    Console(width=140).print(table)
    sys.exit(bool(load.errors) or not flat)


if __name__ == "__main__":
    main()
