"""What a decision costs beside what is comparable: `make bench`. A module a kind of row."""

import json

from tests import ROOT

WASM = ROOT / "pyclient" / "src" / "payer_policy" / "policy.wasm"
INPUTS = {file.stem: file for file in sorted((ROOT / "bench" / "inputs").glob("*.json"))}
REQUEST = json.loads(INPUTS["approved"].read_text(encoding="utf-8"))
