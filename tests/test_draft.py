"""A document is tested as a draft as it is tested once it is published."""

from pathlib import Path

from tests.stage.clone import run

TESTED = "tests/test_engines.py tests/test_published.py tests/test_traceability.py"


def test_a_draft_is_tested_beside_what_is_published(clone: Path) -> None:
    started = 'payer-policy new ZZ-5.2 --effective 2026-01-01 --title "A made up one"'
    run(f'{started}; sed -i \'s/""/"Is it so?"/\' policy/zz5_2*.rego; make schemas', clone)
    chosen = "ZZ or draft or catalogue_is_the_same or between or every_version"
    run(f'python -m pytest -q -c pyclient/pyproject.toml --rootdir . {TESTED} -k "{chosen}"', clone)
