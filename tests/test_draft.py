"""A document is tested as a draft as it is tested once it is published."""

from pathlib import Path

from tests.stage.clone import run

STARTED = """
payer-policy new ZZ-5.2 --effective 2026-01-01 --title "A made up one"
sed -i 's/""/"Is it so?"/' policy/zz5_2*.rego
make schemas
"""


def test_a_draft_is_tested_beside_what_is_published(clone: Path) -> None:
    run(STARTED, clone)
    vectors = clone / "policy_tests" / "vectors" / "zz5_2" / "clauses.yaml"
    right = vectors.read_text(encoding="utf-8")
    vectors.write_text(right.replace(', "A.1": "unknown"', ""), encoding="utf-8")
    lacks = run("make published-check", clone)
    assert "ZZ-5.2 2026-01-01 is a draft" in lacks
    assert "make publish will say: ZZ-5.2 2026-01-01 has no test of its tree and its facts" in lacks
    assert "no vector expects the clause A.1 to be unknown" in lacks
    vectors.write_text(right, encoding="utf-8")
    tested = "tests/test_engines.py tests/test_published.py tests/test_traceability.py"
    chosen = "ZZ or draft or catalogue_is_the_same or between or every_version"
    run(f'python -m pytest -q -c pyclient/pyproject.toml --rootdir . {tested} -k "{chosen}"', clone)
