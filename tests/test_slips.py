"""The slips that an author makes in a document, each with what tools/check says of it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT
from tests.stage.versions import CRITERIA, FACTS, RECORD, newest

# By name: the file, what stands there and what the slip makes of it, and what is said.
SLIPS: dict[str, tuple[str, str, str, str]] = {
    "no title": (CRITERIA, "# title: Use\n", "", "the METADATA has no title"),
    "blank text": (
        CRITERIA,
        "# description: It is given as consolidation.\n",
        '# description: " "\n',
        "the METADATA has no description",
    ),
    "no METADATA": (
        CRITERIA,
        "# METADATA\n# title: Residual disease\n# description: MRD is 0.1 % or more.\n",
        "",
        "_residual_disease has no METADATA: its text stands there",
    ),
    "METADATA twice": (
        CRITERIA,
        "# METADATA\n# title: Residual disease\n",
        "# METADATA\n# title: Other disease\n# description: MRD is high.\n\n# METADATA\n# title: Residual disease\n",
        "METADATA is there already, in row 109: a rule has one, and the package",
    ),
    "METADATA of the package twice": (
        CRITERIA,
        "package payer.criteria",
        "# METADATA\n# scope: package\n# title: A\n# description: B.\npackage payer.criteria",
        "METADATA is there already, in row 1: a rule has one, and the package",
    ),
    "METADATA of another scope": (
        CRITERIA,
        "# title: What the document says of itself\n",
        "# scope: document\n# title: What the document says of itself\n",
        "METADATA has the scope document: it is of a rule, or of the package",
    ),
    "another version in METADATA": (
        CRITERIA,
        '#   version: "2025-04-01"',
        '#   version: "2025-04-02"',
        "the package is of CC-0126 2025-04-01 but custom says CC-0126 2025-04-02",
    ),
    "a version that is no date": (
        CRITERIA,
        '["CC-0126"]["2025-04-01"]',
        '["CC-0126"]["2025-4-1"]',
        "the version 2025-4-1 is no calendar date: a version is named by its first day in force",
    ),
    "criteria and facts of two dates": (
        FACTS,
        '["2025-04-01"]',
        '["2025-05-01"]',
        "CC-0126 2025-04-01 has no facts: they stand in a file of their own",
    ),
    "a review on no day": (
        CRITERIA,
        '#   last_reviewed: "2025-02-21"',
        '#   last_reviewed: "2026-02-31"',
        "custom.last_reviewed: 2026-02-31 is no calendar date, YYYY-MM-DD",
    ),
    "a change on no day": (
        CRITERIA,
        '#     - date: "2022-02-25"',
        "#     - date: 2022-02-29",
        "custom.history.3.date: 2022-02-29 is no calendar date, YYYY-MM-DD",
    ),
    "a diagnosis code as none is written": (
        CRITERIA,
        '"C91.00":',
        '"A00.O x!":',
        'custom.codes.icd10: "A00.O x!" is no code of ICD-10-CM as it is written: "C91.00"',
    ),
    "a diagnosis code without its dot": (
        CRITERIA,
        '"C91.01":',
        '"C9101":',
        'custom.codes.icd10: "C9101" is no code of ICD-10-CM as it is written: "C91.00"',
    ),
    "a procedure code with its modifier": (
        CRITERIA,
        "J9039:",
        "J9039-JZ:",
        'custom.codes.hcpcs: "J9039-JZ" is no code of HCPCS or CPT as it is written: "E0601", "94660"',
    ),
    "what the document says of itself said otherwise": (
        CRITERIA,
        "about := rego.metadata.chain()[1].annotations",
        "about := rego.metadata.rule()",
        "about must be rego.metadata.chain()[1].annotations, which is the METADATA of the package",
    ),
    "a helper of two values": (
        CRITERIA,
        '_conflicts(code, "all") if startswith',
        '_conflicts(code, "all") := code if startswith',
        "_conflicts might have two values, and end every decision of a batch: what is no criterion is true, collects",
    ),
    "a helper of two values in one rule": (
        CRITERIA,
        "# METADATA\n# title: CD19-negative disease\n",
        "_first := code if some code in codes.icd10\n\n# METADATA\n# title: CD19-negative disease\n",
        "_first might have two values, and end every decision of a batch",
    ),
    "a helper of two values at one key": (
        CRITERIA,
        "# METADATA\n# title: CD19-negative disease\n",
        "_by[true] := code if some code in codes.icd10\n\n# METADATA\n# title: CD19-negative disease\n",
        "_by might have two values, and end every decision of a batch",
    ),
    "a helper that says false otherwise": (
        CRITERIA,
        '_conflicts(code, "all") if startswith(code, "C83.3")',
        '_conflicts(code, "all") if {\n\tstartswith(code, "C83.3")\n} else := false',
        "_conflicts might have two values, and end every decision of a batch",
    ),
    "a constant that is none": (
        CRITERIA,
        "# METADATA\n# title: CD19-negative disease\n",
        "_first := codes.icd10[_]\n\n# METADATA\n# title: CD19-negative disease\n",
        "_first might have two values, and end every decision of a batch",
    ),
    "a criterion that collects": (
        CRITERIA,
        "exclusion_i := criterion.one_of",
        "exclusion_i contains criterion.one_of",
        "exclusion_i is a criterion, which is one value: write it with :=",
    ),
    "a note that is one value": (
        CRITERIA,
        "advisories contains criterion.note(rego.metadata.rule()) if",
        "advisories := criterion.note(rego.metadata.rule()) if",
        "advisories is a note: write it with contains",
    ),
    "a fact by a name that is made": (
        CRITERIA,
        "if input.facts.cd19_positive == false",
        'if {\n\tsome name in {"cd19_positiv"}\n\tinput.facts[name] == false\n}',
        "contradictions reads input.facts.name where a document reads input.facts by the name of a fact",
    ),
    "a fact by object.get": (
        CRITERIA,
        "if input.facts.cd19_positive == false",
        'if object.get(input.facts, "cd19_positiv", false) == false',
        "contradictions reads input.facts where a document reads input.facts by the name of a fact",
    ),
    "a fact of another request": (
        CRITERIA,
        "if input.facts.cd19_positive == false",
        'if input.facts.cd19_positive == false with input as {"facts": {"cd19_positive": false}}',
        "contradictions reads input where a document reads input.facts by the name of a fact",
    ),
    "codes as they were sent": (
        CRITERIA,
        "some code in codes.icd10",
        "some code in input.codes.icd",
        "advisories reads input.codes.icd where a document reads input.facts by the name of a fact",
    ),
    "input under another name": (
        CRITERIA,
        "import data.payer.codes\n",
        "import data.payer.codes\nimport input.facts\n",
        "import reads input.facts where a document reads input.facts by the name of a fact",
    ),
    "codes misspelt": (
        CRITERIA,
        "some code in codes.icd10",
        "some code in codes.icd",
        "advisories reads data.payer.codes.icd which is nowhere in policy/engine/",
    ),
    "another document's facts": (
        CRITERIA,
        "some code in codes.icd10",
        'some code in data.payer.criteria["CC-0126"]',
        "advisories reads data.payer.criteria.CC-0126 which is nowhere in policy/engine/",
    ),
    "a pathway as a part": (
        CRITERIA,
        "pathway_v := criterion.all_of(rego.metadata.rule(), [",
        "pathway_v := criterion.all_of(rego.metadata.rule(), [pathway_iii_iv, ",
        "pathway_v has the part pathway_iii_iv which is a pathway with terms of its own: name its clauses",
    ),
    "an approval that is good for no time": (
        CRITERIA,
        "#   id: I+II\n",
        "#   id: I+II\n#   terms:\n#     text: For no time.\n#     duration: P0M\n",
        "pathway_i_ii custom.terms.duration: must be a duration of ISO 8601, as P12W",
    ),
    "a limit between whole numbers": (
        CRITERIA,
        'criterion.at_least(rego.metadata.rule(), "mrd_percent", 0.1)',
        'criterion.at_least(rego.metadata.rule(), "complete_response", 0.5)',
        "_residual_disease asks the fact complete_response for the limit 0.5, which is no whole number, as the fact is",
    ),
    "a limit that no double holds": (
        CRITERIA,
        '"mrd_percent", 0.1',
        '"mrd_percent", 0.1000000000000001',
        "for the limit 0.1000000000000001, which must have at most 15 significant digits",
    ),
    "a range between whole numbers": (
        FACTS,
        '\t\t"maximum": 20,\n',
        '\t\t"maximum": 20.5,\n',
        "the fact complete_response: maximum: Invalid type. Expected: integer, given: number",
    ),
    "a range without an end": (
        FACTS,
        '\t\t"maximum": 100,\n',
        '\t\t"maximum": 1e400,\n',
        "the fact mrd_percent: maximum must be from -1e300 to 1e300",
    ),
    "synonyms that differ in case alone": (
        FACTS,
        '"Gleevec": "imatinib"',
        '"Gleevec": "imatinib", "gleevec": "dasatinib"',
        'the fact combined_with has "Gleevec" and "gleevec", which are one word to the client',
    ),
    "a synonym that is a value in other case": (
        FACTS,
        '"Gleevec": "imatinib"',
        '"Dasatinib": "imatinib"',
        'the fact combined_with has "Dasatinib" and "dasatinib", which are one word to the client',
    ),
    "a fact of another's name": (
        FACTS,
        '"name": "infant"',
        '"name": "cd19__positive"',
        "the fact cd19__positive has the name of the fact cd19_positive to the client",
    ),
    "no codes": (CRITERIA, "#   codes:\n", "#   code:\n", "custom: codes is required"),
    "an unknown field": (
        CRITERIA,
        "#   last_reviewed:",
        "#   reviewed:",
        "Additional property reviewed is not allowed",
    ),
    "no exclusions": (
        CRITERIA,
        "exclusions := [exclusion_i, exclusion_ii]",
        "exclusion_list := [exclusion_i, exclusion_ii]",
        "CC-0126 2025-04-01 has no criteria",
    ),
    "no id": (CRITERIA, "# custom:\n#   id: II.A\n", "", "clause_ii_a custom: id is required"),
    "an id twice": (CRITERIA, "#   id: II.A\n", "#   id: II.B\n", "clause_ii_a has the id II.B as has clause_ii_b"),
    "evidence misspelt": (
        CRITERIA,
        "#   evidence: [Label",
        "#   evidense: [Label",
        "clause_ii custom: Additional property evidense is not allowed",
    ),
    "a misspelt fact": (
        CRITERIA,
        '"mrd_percent", 0.1',
        '"mrd_percnt", 0.1',
        '_residual_disease reads the fact "mrd_percnt" which this version does not have; it has disease, lineage',
    ),
    "a misspelt fact in an advisory": (
        CRITERIA,
        "input.facts.cd19_positive",
        "input.facts.cd19_positiv",
        'contradictions reads input.facts "cd19_positiv" which this version does not have',
    ),
    "a value in an advisory that the fact does not have": (
        CRITERIA,
        '{"t_cell", "other"}',
        '{"tcell", "other"}',
        'contradictions compares the fact lineage with "tcell" which is no value of it',
    ),
    "a value that a function of an advisory asks for": (
        CRITERIA,
        '_conflicts(code, "all") if',
        '_conflicts(code, "al") if',
        '_conflicts compares the fact disease with "al" which is no value of it',
    ),
    "a value that a function of an advisory compares": (
        CRITERIA,
        'disease in {"dlbcl", "other"}',
        'disease in {"dlbcl", "othr"}',
        '_conflicts compares the fact disease with "othr" which is no value of it',
    ),
    "a value of another type in an advisory": (
        CRITERIA,
        "input.facts.cd19_positive == false",
        'input.facts.cd19_positive == "no"',
        'contradictions compares the fact cd19_positive with "no" which is no value of it',
    ),
    "a text for a number": (
        CRITERIA,
        '"mrd_percent", 0.1',
        '"mrd_percent", "0.1"',
        '_residual_disease asks the fact mrd_percent for the limit "0.1", which is no number of its range',
    ),
    "a limit out of range": (
        CRITERIA,
        '"mrd_percent", 0.1',
        '"mrd_percent", 101',
        "the limit 101, which is no number of its range",
    ),
    "another type": (
        CRITERIA,
        'criterion.is_true(rego.metadata.rule(), "infant")',
        'criterion.is_true(rego.metadata.rule(), "lineage")',
        "_infant asks is_true of the fact lineage, which is of type string",
    ),
    "a value that the fact does not have": (
        CRITERIA,
        '{"relapsed", "refractory"}',
        '{"relapsed", "refactory"}',
        'clause_ii_a asks the fact disease_status for "refactory" which is none of its values: newly_diagnosed',
    ),
    "a value of an array that it does not have": (
        CRITERIA,
        '"combined_with", {"interfant"}',
        '"combined_with", {"interfantt"}',
        '_with_interfant asks the fact combined_with for "interfantt" which is none of its values',
    ),
    "a number that is no whole one": (CRITERIA, "{1, 2}", "{1, 2.5}", "for 2.5 which is no whole number of its range"),
    "a list where a set is asked for": (
        CRITERIA,
        '{"relapsed", "refractory"}',
        '["relapsed", "refractory"]',
        "clause_ii_a must give the values that it asks for as a set",
    ),
    "a condition": (
        CRITERIA,
        '"infant")\n',
        '"infant") if input.facts.infant\n',
        "_infant has a condition, and is undefined where that fails",
    ),
    "no sentence": (
        CRITERIA,
        'clause_ii_d := criterion.one_of(rego.metadata.rule(), "treatment_phase", {"consolidation"})',
        'clause_ii_d := {"state": "met"}',
        "clause_ii_d is no sentence of the vocabulary",
    ),
    "the text of another": (
        CRITERIA,
        'criterion.is_true(rego.metadata.rule(), "infant")',
        'criterion.is_true(about, "infant")',
        "_infant must take rego.metadata.rule() first",
    ),
    "a part that is none": (
        CRITERIA,
        "[clause_i, clause_ii])",
        "[clause_i, clause_ii, about])",
        "pathway_i_ii has the part about which is no criterion of this file",
    ),
    "a pathway that is no all-of": (
        CRITERIA,
        "pathway_v := criterion.all_of",
        "pathway_v := criterion.any_of",
        "pathway_v is a pathway, which is all of its clauses",
    ),
    "a clause in no pathway": (
        CRITERIA,
        "pathways := [pathway_i_ii, pathway_iii_iv, pathway_v]",
        "pathways := [pathway_i_ii, pathway_iii_iv]",
        "pathway_v stands in no pathway and no exclusion",
    ),
    "a part twice": (
        CRITERIA,
        "[clause_ii_a, clause_ii_b,",
        "[clause_ii_a, clause_ii_a, clause_ii_b,",
        "clause_ii has the part clause_ii_a twice, which would count twice",
    ),
    "two parts of one name": (
        CRITERIA,
        '"complete_response", {1, 2})',
        '"mrd_percent", {1, 2})',
        "clause_ii_c has two parts that would be shown as II.C.mrd_percent: give one of them an id",
    ),
    "a part of another's name": (
        CRITERIA,
        "#   id: II.D\n",
        "#   id: II.C.mrd_percent\n",
        "clause_ii_c has the part _residual_disease, which would be shown as II.C.mrd_percent; that is the id of",
    ),
    "a rule twice": (
        CRITERIA,
        '_infant := criterion.is_true(rego.metadata.rule(), "infant")\n',
        '_infant := criterion.is_true(rego.metadata.rule(), "infant")\n\n# METADATA\n# title: A\n# description: B.\n'
        '_infant := criterion.is_true(rego.metadata.rule(), "kmt2a_rearranged")\n',
        "_infant is there already, in policy/cc0126.rego:",
    ),
    "a pathway twice": (
        CRITERIA,
        "pathway_iii_iv, pathway_v]",
        "pathway_v, pathway_v]",
        "pathways lists pathway_v twice",
    ),
    "a pathway that excludes": (
        CRITERIA,
        "[exclusion_i, exclusion_ii]",
        "[exclusion_i, exclusion_ii, pathway_v]",
        "pathway_v stands in the pathways and in the exclusions",
    ),
    "an exclusion that is none": (
        CRITERIA,
        "[exclusion_i, exclusion_ii]",
        "[exclusion_i, exclusion_ii, about]",
        "exclusions lists about which is no criterion of this file",
    ),
    "no list of pathways": (
        CRITERIA,
        "pathways := [pathway_i_ii, pathway_iii_iv, pathway_v]",
        "pathways := [pathway | some pathway in [pathway_i_ii, pathway_iii_iv, pathway_v]]",
        "pathways must list the names of rules of this file, without a condition",
    ),
    "exclusions under a condition": (
        CRITERIA,
        "exclusions := [exclusion_i, exclusion_ii]",
        "exclusions := [exclusion_i, exclusion_ii] if input.facts.disease",
        "exclusions must list the names of rules of this file, without a condition",
    ),
    "a fallback of one pathway": (
        CRITERIA,
        "criterion.fallback(rego.metadata.rule(), pathways)",
        "criterion.fallback(rego.metadata.rule(), [pathway_v])",
        "exclusion_ii must take pathways, and so all of them, second",
    ),
    "a set of nothing": (CRITERIA, '{"relapsed", "refractory"}', "set()", "clause_ii_a asks one_of of no value"),
    "days as a text": (
        CRITERIA,
        'criterion.is_true(rego.metadata.rule(), "infant")',
        'criterion.within_days_before(rego.metadata.rule(), "infant", "90")',
        "_infant must give the days as a whole number, 0 or more",
    ),
    "a note that nothing reads": (
        CRITERIA,
        "contradictions contains criterion.note(rego.metadata.rule()) if input.facts.cd19_positive == false",
        "contradiction contains criterion.note(rego.metadata.rule()) if input.facts.cd19_positive == false",
        "contradiction is a note that nothing reads: notes are advisories, or contradictions",
    ),
    "a fact that is a word of Python": (
        FACTS,
        '"name": "infant"',
        '"name": "class"',
        "the fact class has a name that is taken, by Python, by the client or by a column of a file of requests",
    ),
    "a synonym that is a value": (
        FACTS,
        '"Gleevec": "imatinib"',
        '"dasatinib": "imatinib"',
        "the fact combined_with has the synonym dasatinib which is one of its values",
    ),
    "a fact that nothing reads": (
        FACTS,
        "facts := [\n",
        'facts := [\n\t{"name": "weight", "type": "boolean", "question": "Is it so?"},\n',
        "the fact weight is read by no criterion and no advisory",
    ),
    "a fact without question": (
        FACTS,
        '\t\t"question": "Is this infant ALL?",\n',
        "",
        "the fact infant: question is required",
    ),
    "a blank question": (FACTS, '"Is this infant ALL?"', '" "', "the fact infant: question: must not be blank"),
    "a fact without limits": (FACTS, '\t\t"maximum": 20,\n', "", "the fact complete_response: maximum is required"),
    "an unknown type": (
        FACTS,
        '"type": "integer"',
        '"type": "int"',
        "the fact complete_response: type: type must be one of the following",
    ),
    "a field that a fact does not have": (
        FACTS,
        '"unit": "percent"',
        '"units": "percent"',
        "the fact mrd_percent: Additional property units is not allowed",
    ),
    "a fact twice": (FACTS, '"name": "infant"', '"name": "lineage"', "the fact lineage is there twice"),
    "a synonym of nothing": (
        FACTS,
        '"Gleevec": "imatinib"',
        '"Gleevec": "imatinibe"',
        "the fact combined_with has the synonym Gleevec of imatinibe which is none of its values",
    ),
    "a record of a version that is not here": (
        RECORD,
        '["CC-0126"]["2025-04-01"]',
        '["CC-0126"]["2025-04-02"]',
        "the package is of CC-0126 2025-04-02 whose criteria are not here",
    ),
    "a fact of which a record says nothing": (
        RECORD,
        '\t"treatment_phase": [],\n',
        "",
        "does not say of the fact treatment_phase what establishes it: [] when nothing does",
    ),
    "a record's fact misspelt": (
        RECORD,
        '"cd19_positive": []',
        '"cd19_positiv": []',
        "speaks of the fact cd19_positiv which this version does not have",
    ),
    "an unknown resource": (
        RECORD,
        '{"resource": "Condition", "means": _statuses}',
        '{"resource": "Conditon", "means": _statuses}',
        'the fact disease_status: resource: resource must be one of the following: "Claim", "Condition"',
    ),
    "a code system that is not known": (
        RECORD,
        '{"value": "nilotinib", "codes": {"rxnorm"',
        '{"value": "nilotinib", "codes": {"rxnrom"',
        "the fact combined_with: means.3.codes: Additional property rxnrom is not allowed",
    ),
    "a value of a record that the fact does not have": (
        RECORD,
        '{"value": "nilotinib"',
        '{"value": "nilotinibe"',
        'the fact combined_with takes "nilotinibe" of a record, which is none of its values',
    ),
    "a component of no value": (
        RECORD,
        '"value": {"hgnc": ["HGNC:7132"]}',
        '"values": {"hgnc": ["HGNC:7132"]}',
        "the fact kmt2a_rearranged: component.0: value is required",
    ),
    "a code of two values": (
        RECORD,
        '"codes": {"rxnorm": ["662281"]}',
        '"codes": {"rxnorm": ["1364347"]}',
        "the fact combined_with takes the code 1364347 for two values",
    ),
    "a quantity of what is no number": (
        RECORD,
        '\t"treatment_phase": [],',
        '\t"treatment_phase": [{"resource": "Observation", "codes": {"loinc": ["718-7"]}, "quantity": true}],',
        "the fact treatment_phase takes a quantity of a record, and is of type string",
    ),
    "a quantity without a unit of UCUM": (
        RECORD,
        '\t"complete_response": [],',
        '\t"complete_response": [{"resource": "Observation", "codes": {"loinc": ["718-7"]}, "quantity": true}],',
        "the fact complete_response takes a quantity of a record, and no UCUM unit is held for its unit: none;"
        " policy/engine/fhir.rego has events per hour",
    ),
    "a text read for a value": (
        RECORD,
        '\t"treatment_phase": [],',
        '\t"treatment_phase": [{"resource": "Observation", "read": "value"}],',
        "the fact treatment_phase takes what it reads in a record for its value, and is of type string",
    ),
    "a resource that has no code": (
        RECORD,
        '{"resource": "Claim", "read": _diagnoses, "means": _statuses}',
        '{"resource": "Claim", "means": _statuses}',
        "the fact disease_status: read is required",
    ),
    "a list that a record completes": (
        RECORD,
        '"alternating_with": [{\n\t\t"resource": "MedicationRequest", "suggests": true,',
        '"alternating_with": [{\n\t\t"resource": "MedicationRequest",',
        "the fact alternating_with is complete when given, which nothing in a record is",
    ),
    "a criterion of what a record says": (
        CRITERIA,
        '"treatment_phase", {"consolidation"})',
        '"treatment_phase", {data.payer.records["CC-0126"]["2025-04-01"].facts.lineage[0].means[0].value})',
        "reads payer.records which is for the catalogue alone",
    ),
}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return newest(tmp_path / "policy", others=False)


def said(policy: Path) -> str:
    run = subprocess.run([ROOT / "tools" / "check", "policy"], cwd=policy.parent, capture_output=True, text=True)
    assert run.returncode == (1 if run.stderr else 0), run.stderr
    return run.stderr


def test_documents_as_they_are(policy: Path) -> None:
    assert said(policy) == ""


@pytest.mark.parametrize("slip", SLIPS)
def test_each_slip_is_named_with_its_place(policy: Path, slip: str) -> None:
    name, old, new, message = SLIPS[slip]
    text = (policy / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (policy / name).write_text(text.replace(old, new), encoding="utf-8")
    lines = said(policy).splitlines()
    found = [line for line in lines if message in line]
    assert found, lines
    places = [re.match(r"(policy/\S+\.rego):(\d+): ", line) for line in lines]
    rows = [(place[1], int(place[2])) for place in places if place]
    assert len(rows) == len(lines)
    assert rows == sorted(rows)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            CRITERIA,
            "policy/cc0126.rego:1: CC-0126 2025-05-01 has no facts: they stand in a file of their own\n"
            "policy/cc0126.rego:1: the package is of CC-0126 2025-05-01 but custom says CC-0126 2025-04-01\n"
            "policy/cc0126_facts.rego:1: CC-0126 2025-04-01 has no criteria\n",
        ),
        (
            FACTS,
            "policy/cc0126.rego:1: CC-0126 2025-04-01 has no facts: they stand in a file of their own\n"
            "policy/cc0126_facts.rego:1: CC-0126 2025-05-01 has no criteria\n",
        ),
    ],
)
def test_a_wrong_date_is_told_once_and_not_of_every_fact(policy: Path, name: str, says: str) -> None:
    text = (policy / name).read_text(encoding="utf-8").replace('["2025-04-01"]', '["2025-05-01"]')
    (policy / name).write_text(text, encoding="utf-8")
    assert said(policy) == says


def test_a_fact_is_named_by_its_own_row(policy: Path) -> None:
    text = (policy / FACTS).read_text(encoding="utf-8")
    row = text[: text.index('"name": "infant"')].count("\n")  # of the brace above
    (policy / FACTS).write_text(text.replace('\t\t"question": "Is this infant ALL?",\n', ""), encoding="utf-8")
    assert said(policy) == f"policy/{FACTS}:{row}: the fact infant: question is required\n"


@pytest.mark.parametrize("id_", ["CC 0126", "CC_0126", "CC/0126", "0126-CC", "Class"])
def test_an_id_that_makes_no_names(policy: Path, id_: str) -> None:
    """Of files, of a module, of golden decisions."""
    for name in (CRITERIA, FACTS, RECORD):
        text = (policy / name).read_text(encoding="utf-8").replace("CC-0126", id_)
        (policy / name).write_text(text, encoding="utf-8")
    wanted = "must have an id of letters, digits, - and . that begins with a letter and is no word of Python"
    assert said(policy).splitlines() == [f"policy/{name}:1: the document {id_} {wanted}" for name in (CRITERIA, FACTS)]


def test_two_documents_of_one_module_name(policy: Path) -> None:
    for name in (CRITERIA, FACTS):
        text = (policy / name).read_text(encoding="utf-8").replace("CC-0126", "C-C0126")
        (policy / name.replace("cc", "again")).write_text(text, encoding="utf-8")
    assert "the document CC-0126 would have the same module name as C-C0126" in said(policy)


def test_an_id_that_was_withdrawn(policy: Path) -> None:
    """II.A was in 2025, is gone in 2026, and must not come back in 2027 as something else."""
    for year, id_ in (("2026", "II.E"), ("2027", "II.A")):
        for name in (CRITERIA, FACTS):
            text = (policy / name).read_text(encoding="utf-8").replace("2025-04-01", f"{year}-04-01")
            (policy / name.replace("0126", year)).write_text(
                text.replace("#   id: II.A\n", f"#   id: {id_}\n"), encoding="utf-8"
            )
    assert "clause_ii_a has the id II.A which was withdrawn in version 2026-04-01" in said(policy)


STANDS = "too: of a version one file holds the criteria, one the facts, one what a record says; another version is"


@pytest.mark.parametrize("name", [CRITERIA, FACTS, RECORD])
def test_two_files_of_one_version(policy: Path, name: str) -> None:
    """A third file of criteria too: what it holds alone stands in no pathway, and is not what is wrong."""
    (policy / "old").mkdir()
    shutil.copy(policy / name, policy / "old" / name)
    places = [f"policy/{name}", f"policy/old/{name}"]
    wanted = [f"{place}:1: CC-0126 2025-04-01 stands in {other} {STANDS}" for place, other in (places, places[::-1])]
    assert [line.removesuffix(" another package") for line in said(policy).splitlines()] == wanted


def test_a_rule_of_two_files(policy: Path) -> None:
    """Of the criteria and of the facts, whose package is one."""
    with (policy / FACTS).open("a", encoding="utf-8") as file:
        file.write('\n_strong := {"x"}\n')
    with (policy / CRITERIA).open("a", encoding="utf-8") as file:
        file.write('\n_strong := {"y"}\n')
    row = (policy / FACTS).read_text(encoding="utf-8").count("\n")
    first = (policy / CRITERIA).read_text(encoding="utf-8").count("\n")
    assert said(policy) == f"policy/{FACTS}:{row}: _strong is there already, in policy/{CRITERIA}:{first}\n"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# title: Use", "#\ttitle: Use", "a tab where METADATA is indented: it is YAML, which takes blanks there"),
        ("#   id: II.A\n", "# \tid: II.A\n", "a tab where METADATA is indented: it is YAML, which takes blanks there"),
        ("#       J9039:", "#       94660:", '94660 is no text to YAML: write it quoted, as "94660"'),
        ("#       J9039:", "#       12E34:", '12E34 is no text to YAML: write it quoted, as "12E34"'),
        (
            "#   id: II.A\n",
            "#   id: II: A\n",
            "in METADATA, which is YAML and wants what holds a colon or begins with a sign quoted: yaml: line 4: "
            "mapping values are not allowed in this context",
        ),
        ("clause_i := ", "clause_i = := ", "unexpected assign token"),
    ],
)
def test_a_file_that_cannot_be_parsed(policy: Path, old: str, new: str, says: str) -> None:
    """By the row of the slip; the other files say nothing of what the file would have held."""
    text = (policy / CRITERIA).read_text(encoding="utf-8")
    row = text[: text.index(old)].count("\n") + 1
    (policy / CRITERIA).write_text(text.replace(old, new), encoding="utf-8")
    assert said(policy).splitlines()[0] == f"policy/{CRITERIA}:{row}: {says}"
    assert all(line.startswith(f"policy/{CRITERIA}:{row}: ") for line in said(policy).splitlines())


def test_what_opa_refuses_and_no_text_explains(policy: Path) -> None:
    """What OPA says is said then: the texts alone are without fault, whatever they lack without the rules."""
    with (policy / CRITERIA).open("a", encoding="utf-8") as file:
        file.write("\n_conflicts(code, _) if startswith(code, prefix)\n")
    row = (policy / CRITERIA).read_text(encoding="utf-8").count("\n")
    assert said(policy) == f"1 error occurred: policy/{CRITERIA}:{row}: rego_unsafe_var_error: var prefix is unsafe\n"


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("yesterday", ['contradictions compares the fact seen with "yesterday" which is no value of it']),
        ("2025-02-28", []),
    ],
)
def test_a_date_in_a_note(policy: Path, day: str, says: list[str]) -> None:
    text = (policy / FACTS).read_text(encoding="utf-8")
    seen = 'facts := [\n\t{"name": "seen", "type": "date", "question": "When?"},\n'
    (policy / FACTS).write_text(text.replace("facts := [\n", seen), encoding="utf-8")
    text = (policy / RECORD).read_text(encoding="utf-8")
    (policy / RECORD).write_text(
        text.replace('\t"treatment_phase": [],\n', '\t"treatment_phase": [],\n\t"seen": [],\n'), encoding="utf-8"
    )
    text = (policy / CRITERIA).read_text(encoding="utf-8")
    text = text.replace("input.facts.cd19_positive == false", f'input.facts.seen > "{day}"')
    row = text[: text.index("contradictions contains")].count("\n") + 1
    (policy / CRITERIA).write_text(text, encoding="utf-8")
    assert said(policy).splitlines() == [f"policy/{CRITERIA}:{row}: {line}" for line in says]


def test_helpers_of_one_value(policy: Path) -> None:
    """What is true may be so for more than one reason, and what is written out is one value."""
    with (policy / CRITERIA).open("a", encoding="utf-8") as file:
        file.write(
            """
_other := {"t_cell", "other"}

default _known := false

_known if input.facts.lineage in _other

_known if input.facts.infant == true

_dotted contains code if some code in codes.icd10
"""
        )
    assert said(policy) == ""
