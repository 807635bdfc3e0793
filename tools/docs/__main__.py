import difflib
import sys
from concurrent.futures import ThreadPoolExecutor

from payer_policy.runtime.documents import module_name

from tests.oracle.vectors import VECTORS
from tools import ROOT, publish
from tools.docs.agreement import agree
from tools.docs.document import File, Version, evaluate
from tools.docs.fhirpath import check_fhirpath
from tools.docs.page import DOCS, MADE, OUTCOMES, page, readings


def pages() -> dict[str, str]:
    """What docs/ should hold, by name of file."""
    paths = sorted((ROOT / "policy").rglob("*.rego"))
    with ThreadPoolExecutor() as pool:
        files = list(pool.map(File, (str(path.relative_to(ROOT)) for path in paths)))
    criteria = {tuple(file.path[2:]): file for file in files if "pathways" in file.rules}
    advisories = [row for file in files if file.path[:2] != ["payer", "criteria"] for row in file.advisories]
    held: dict[str, list[Version]] = {}
    drafts = publish.drafts(publish.POLICY, publish.LOCK)
    catalogue = evaluate("data.payer.catalogue")
    check_fhirpath(files, catalogue)
    for entry in catalogue["documents"]:
        document = entry["document"]
        module = module_name(document)
        for version in reversed(entry["versions"]):
            dated = f"{module}_{version['version'].replace('-', '_')}.md"
            name = dated if document in held else f"{module}.md"
            key = document, version["version"]
            held.setdefault(document, []).append(Version(criteria[key], version, name, key in drafts))
    # All at once: starting OPA costs more than most decisions.
    questions = [vector["input"] for vector in VECTORS.values()]
    decisions = evaluate("[d | some r in input; d := data.payer.decision with input as r]", questions)
    by_version = {(one.document, one.version): one for versions in held.values() for one in versions}
    for (name, vector), decision in zip(VECTORS.items(), decisions, strict=True):
        if decision["next_step"] not in OUTCOMES[decision["outcome"]][1]:
            sys.exit(
                f"a page would not say that {decision['next_step']} follows {decision['outcome']}: vector {name!r}"
            )
        if decision["criteria"]:
            one = by_version[decision["policy"]["document"], decision["policy"]["version"]]
            agree(one, name, vector["input"], decision)
            for id_, state in vector["expect"].get("states", {}).items():
                one.vectors[id_][state].append(name)
    made = {}
    for document, versions in held.items():
        read = readings(document)
        known = {"document", *(node.id for one in versions for node in one.nodes)}
        for reading in read:
            if unknown := set(reading.clauses) - known:
                sys.exit(f"docs/readings.md: {document} has no {', '.join(sorted(unknown))}: {reading.words}")
        made.update({one.page: page(one, versions, read, advisories) for one in versions})
    return made


def main() -> None:
    wanted = {DOCS / name: text for name, text in pages().items()}
    held = {path: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    made = {path: text for path, text in held.items() if text.startswith(MADE) or path in wanted}
    if sys.argv[1:] == ["--check"]:
        for path in sorted(made.keys() | wanted.keys()):
            name = str(path.relative_to(ROOT))
            old, new = (texts.get(path, "").splitlines(keepends=True) for texts in (made, wanted))
            sys.stdout.writelines(difflib.unified_diff(old, new, name, f"{name}, made anew", n=1))
        if made != wanted:
            sys.exit("docs/ is stale: make docs")
        return
    for path in made.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
