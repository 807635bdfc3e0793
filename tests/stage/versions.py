"""CC-0126 2025-04-01, which tests revise and spoil, wherever it is filed by now."""

import shutil
from pathlib import Path

from tests import ROOT
from tools import publish

DOCUMENT, VERSION = "CC-0126", "2025-04-01"
CRITERIA, FACTS, RECORD = "cc0126.rego", "cc0126_facts.rego", "cc0126_record.rego"


def filed(policy: Path) -> dict[str, Path]:
    """Its files, by the names that they have while the version is the newest."""
    return {
        next((name for name in (FACTS, RECORD) if path.stem.endswith(name[6:-5])), CRITERIA): path
        for path, document, version, _ in publish.files(policy)
        if (document, version) == (DOCUMENT, VERSION)
    }


def newest(folder: Path, others: bool = True) -> Path:
    """A folder with the policy of this checkout, in which it is the newest version of its document; with the other
    documents or without."""
    files = filed(ROOT / "policy")
    texts = {name: path.read_bytes() for name, path in files.items()}
    shutil.copytree(ROOT / "policy" if others else ROOT / "policy" / "engine", folder if others else folder / "engine")
    for path, document, *_ in list(publish.files(folder)):
        if document == DOCUMENT:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    return folder
