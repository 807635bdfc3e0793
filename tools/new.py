"""Starts a document: `payer-policy new`, at the root of a checkout."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path
from string import Template

from payer_policy.command.common import printable
from payer_policy.runtime.documents import module_name
from payer_policy.runtime.errors import InvalidValue

from tools.checkout import CLIENT, PACKAGE, create, parser, said

# What is left to write is left empty, so that `make policy` names it. What is there decides: one pathway on one fact.
_CRITERIA = Template("""\
# METADATA
# scope: package
# title: $title
# description: ""
# custom:
#   document: "$document"
#   version: "$version"
#   last_reviewed: "$version"
#   codes:
#     hcpcs: {} # "94660": What it is, quoted: YAML takes digits alone for a number
#     icd10: {} # "G47.33": What it is
#   history:
#     - date: "$version"
#       change: First version.
package payer.criteria["$document"]["$version"]

import data.payer.criterion

# METADATA
# title: What the document says of itself
# description: The METADATA of this package; the decision's policy and the catalogue come from it.
about := rego.metadata.chain()[1].annotations

# METADATA
# title: Pathways
# description: Any one of them suffices, unless an exclusion is met.
pathways := [pathway_a]

# METADATA
# title: Exclusions
# description: None of them may be met.
exclusions := [exclusion_other]

# METADATA
# title: ""
# description: ""
# custom:
#   id: A
pathway_a := criterion.all_of(rego.metadata.rule(), [clause_a_1])

# METADATA
# title: ""
# description: ""
# custom:
#   id: A.1
clause_a_1 := criterion.is_true(rego.metadata.rule(), "first_fact")

# METADATA
# title: Every other indication
# description: The request meets none of the pathways.
# custom:
#   id: exclusion.other
exclusion_other := criterion.fallback(rego.metadata.rule(), pathways)
""")

_FACTS = Template("""\
# The facts that $document, version $version, reads. Validation, the catalogue, the questions in `missing` and the JSON
# Schema all come from this table; nothing else lists the facts.
package payer.criteria["$document"]["$version"]

# METADATA
# title: Facts of $document
# description: |
#   In the order in which they are asked for: the name, the type, the question, and by type the allowed values with
#   their labels and synonyms, the range and the unit. An array holds no repeats and is complete when given.
facts := [{
	"name": "first_fact",
	"type": "boolean",
	"question": "",
}]
""")

_RECORD = Template("""\
# What a FHIR R4 record says of the facts that $document, version $version, reads. No decision reads it, so it is not
# locked with the version.
package payer.records["$document"]["$version"]

# METADATA
# title: What establishes a fact of $document
# description: For each fact rules on a resource. A fact with no rule is asked for.
facts := {"first_fact": []}
""")

_VECTORS = Template("""\
# Every clause, and every part of one, met, not met and unknown; the other facts are known and do not help.
# What `expect` does not name is expected to be empty; policy_tests/vectors_test.rego says how it is read.
clauses:
  - name: "$document, A.1 met"
    input: {document: "$document", date_of_service: "$version", facts: {first_fact: true}}
    expect: {outcome: "approved", pathways: ["A"], reasons: ["A.1"],
      states: {A: "met", "A.1": "met", "exclusion.other": "not_met"}}
  - name: "$document, A.1 not met"
    input: {document: "$document", date_of_service: "$version", facts: {first_fact: false}}
    expect: {outcome: "not_approved", reasons: ["A.1"],
      states: {A: "not_met", "A.1": "not_met", "exclusion.other": "met"}}
  - name: "$document, A.1 unknown"
    input: {document: "$document", date_of_service: "$version", facts: {}}
    expect: {outcome: "needs_information", missing: {first_fact: ["A.1"]}, reasons: ["A.1"],
      states: {A: "unknown", "A.1": "unknown", "exclusion.other": "unknown"}}
""")

_READING = Template('''\
"""$document, version $version. Read it beside the document."""

from tests.readings.decision import ABSENT, FLAG, Fallback, Reading, all_of, is_one_of

READINGS = [
    Reading(
        document="$document",
        version="$version",
        days=("$version", "2199-12-31"),
        pathways=(all_of("A", is_one_of("first_fact", True, id="A.1")),),
        exclusions=(Fallback("exclusion.other"),),
        classes={"first_fact": FLAG},
        numbers={},
        hcpcs=(),
        icd10=(),
        code_samples=(ABSENT,),
        favors={"A": {"first_fact": True}},
    )
]
''')


@dataclass(frozen=True)
class Draft:
    """What was started: the criteria, the facts, what of a FHIR record establishes them, the vectors, and the list of
    clauses with its second reading."""

    criteria: Path
    facts: Path
    record: Path
    vectors: Path
    reading: Path


def new(policy: Path, document: str, effective: date, title: str) -> Draft:
    """Starts `document` in the folder `policy` of a checkout, and what goes with it beside that folder.

    Raises `InvalidValue`, and has changed nothing, when the id makes no name for files or makes one that is taken, when
    the title is no line of text, or when a file cannot be written.
    """
    name = module_name(document)
    if not title.strip() or not title.isprintable():
        raise InvalidValue("the title must be one line of text")
    if not 1900 <= effective.year <= 2199:
        raise InvalidValue("the effective date must be in the years 1900 to 2199")
    if not (policy / "engine" / "criterion.rego").is_file():
        raise InvalidValue(f"{policy} is no folder of a policy: it has no engine/criterion.rego")
    for path in sorted(policy.rglob("*.rego")):
        for held, _ in PACKAGE.findall(path.read_text(encoding="utf-8", errors="replace")):
            if held == document:
                raise InvalidValue(
                    f"{path} is of {document} already: a new version of it begins with payer-policy revise"
                )
            if module_name(held) == name:
                raise InvalidValue(f"{path} is of {held}, whose files would have the same name, {name}")
    if (CLIENT / f"{name}.py").exists() or (CLIENT / name).is_dir():
        raise InvalidValue(f"{document} makes the name {name}, which is that of another module of the client")
    draft = Draft(
        policy / f"{name}.rego",
        policy / f"{name}_facts.rego",
        policy / f"{name}_record.rego",
        policy.parent / "policy_tests" / "vectors" / name / "clauses.yaml",
        policy.parent / "tests" / "readings" / f"{name}.py",
    )
    words = {"document": document, "version": effective.isoformat(), "title": json.dumps(title, ensure_ascii=False)}
    templates = {
        draft.criteria: _CRITERIA,
        draft.facts: _FACTS,
        draft.record: _RECORD,
        draft.vectors: _VECTORS,
        draft.reading: _READING,
    }
    create([(path, template.substitute(words).encode()) for path, template in templates.items()])
    return draft


def takes() -> argparse.ArgumentParser:
    made = parser("new", "Start a document in the folder of a policy, and what goes with it.")
    made.add_argument("--title", required=True, metavar="TEXT", help="what it is about")
    return made


@said
def main(arguments: list[str] | None = None) -> int:
    options = takes().parse_args(arguments)
    draft = new(options.policy, options.document, options.effective, options.title)
    name = printable(module_name(options.document))
    for path in astuple(draft):
        print(f"edit     {printable(str(path))}")
    print(f"""
Steps left; make policy says after each what is wrong, make published-check what is still missing:
  1. In {printable(str(draft.facts))}: the facts, in the order in which they are asked for; in
     {printable(str(draft.record))}: what of a FHIR record establishes each.
  2. In {printable(str(draft.criteria))}: a rule for each sentence, its text in METADATA; codes, last_reviewed.
     make schemas, after each change of the facts.
  3. In {printable(str(draft.vectors.parent))}: every clause met, not met and unknown, and every limit;
     policy_tests/{name}_test.rego: its tree and its facts as people read them.
  4. In {printable(str(draft.reading))}: the document read once more, from its text and not from the Rego.
  5. docs/readings.md: how the text is read, under ## {printable(options.document)}; examples/: a request or more.
  6. make docs, then make test. Until it is published the document is a draft, and decides nothing.
  7. make publish, which proves a sample of its facts, and locks the version for good.""")
    return 0


if __name__ == "__main__":
    sys.exit(main())
