"""What is proved of the whole: tests here, what they stand on in `oracle`, `readings` and `stage`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
