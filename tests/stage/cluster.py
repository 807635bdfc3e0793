"""A real Spark on loopback: a master and two workers, each a process of its own, as a cluster has them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession

from tests.stage.opa import fail, free_port, java

_DEADLINE = 300


@dataclass
class Cluster:
    session: SparkSession
    folder: Path
    """Where its logs are; a path that is not whole is one in it."""

    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """Each leads a group of processes, its executors."""


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """An executor of one core on each worker. What is missing is an error, never a skip."""
    java()
    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    url = f"spark://127.0.0.1:{free_port()}"
    processes: list[subprocess.Popen[bytes]] = []

    def start(name: str, role: str, *options: str) -> None:
        command = [str(Path(pyspark.__file__).parent / "bin" / "spark-class"), f"org.apache.spark.deploy.{role}"]
        place = ["--host", "127.0.0.1", "--webui-port", str(free_port())]
        with open(folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen([*command, *place, *options], stdout=log, stderr=log, start_new_session=True)
        processes.append(process)

    session = None
    try:
        start("master", "master.Master", "--port", url.rpartition(":")[2])
        for number in range(workers):
            place = folder / f"worker-{number}"
            start(place.name, "worker.Worker", "--cores", "1", "--memory", "1g", "--work-dir", str(place), url)
        settings = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.executor.memory": "640m",
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
        }
        session = SparkSession.builder.master(url).config(map=settings).getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        hadoop = session.sparkContext._jvm.org.apache.hadoop.fs
        files = hadoop.FileSystem.get(session.sparkContext._jsc.hadoopConfiguration())
        files.setWorkingDirectory(hadoop.Path(str(folder)))  # else where Java began, which os.chdir does not change
        executors = session.sparkContext._jsc.sc()
        until = time.monotonic() + _DEADLINE
        while executors.getExecutorMemoryStatus().size() <= workers:  # the driver is one of them
            if time.monotonic() > until:
                fail(f"The workers of Spark did not come up in {_DEADLINE} s; their logs are in {folder}.")
            time.sleep(0.2)
        yield Cluster(session, folder, processes[1:])
    finally:
        if session is not None:
            session.stop()
        for process in processes:
            with suppress(ProcessLookupError):  # it may be the one that was killed
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()
