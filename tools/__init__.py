"""What makes, checks and publishes what is committed."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
