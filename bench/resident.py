"""The memory of a process, by itself: what `getrusage` says of a child counts who began it."""

from pathlib import Path


def mebibytes(process: int | str = "self", what: str = "VmRSS") -> float:
    """Now, or by `VmHWM` the most there was."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0]) / 1024
