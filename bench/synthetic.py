"""Made-up documents with real structure, to see what a document costs the others: the criteria of CC-0126 under other
names and dates."""

from pathlib import Path


def write(policy: Path, folder: Path, documents: int, versions: int) -> None:
    """The whole policy, CC-0126 included, and `documents` more of `versions` versions each."""
    for file in policy.rglob("*.rego"):
        target = folder / file.relative_to(policy)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    texts = {name: (policy / name).read_text(encoding="utf-8") for name in ("cc0126.rego", "cc0126_facts.rego")}
    for number in range(1, documents + 1):
        for version in range(versions):
            for name, text in texts.items():
                text = text.replace("CC-0126", f"SYN-{number:04}").replace("2025-04-01", f"{2020 + version}-01-01")
                text = text.replace("Blincyto (blinatumomab)", f"Drug {number} (madeupmab)")
                made = name.replace("cc0126", f"syn{number:04}_{2020 + version}")
                (folder / made).write_text(text, encoding="utf-8")
