"""A sample of `make compare`, and that it would see a difference."""

import pytest

from tests.oracle import compare, contract

SAMPLE = range(200)


def test_every_way_gives_the_same_decision(opa_url: str) -> None:
    for start in range(0, 1000, compare.BATCH):
        count, ways, found = compare.compare((opa_url, range(start, start + compare.BATCH)))
        assert found == []
        assert count == ways["wasm"] == ways["client"] == ways["file"] == compare.BATCH
        assert min(ways["YAML"], ways["CSV"], ways["refused"], count - ways["refused"]) > 5


def test_what_once_stopped_or_misled_the_comparison(opa_url: str) -> None:
    """A batch that begins with an array, bounds a hair beside a limit, a null where a version has no such fact."""
    _, _, found = compare.compare((opa_url, [300_500, 129_202, 257_481, 204_320]))
    assert found == []


@pytest.mark.parametrize("text", compare.REFUSED, ids=lambda text: text[:40])
def test_what_the_client_sends_nowhere(text: str) -> None:
    assert compare.raised(text) == compare.REFUSED[text]


@pytest.mark.parametrize(
    ("part", "way"), [("unpaired", "wasm"), ("read_json", "client"), ("as_yaml", "YAML"), ("as_row", "CSV")]
)
def test_a_way_that_goes_wrong_is_seen(part: str, way: str, opa_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fact that is lost on its way."""
    right = getattr(compare, part)
    index = compare.COLUMNS.index("disease")
    lose = {
        "unpaired": lambda text: right(text).replace('"disease"', '"diseases"'),
        "read_json": lambda text: right(text.replace('"disease"', '"diseases"')),
        "as_yaml": lambda value: right(value).replace("disease:", "diseases:"),
        "as_row": lambda request: (row := right(request)) and [*row[:index], "", *row[index + 1 :]],
    }
    monkeypatch.setattr(compare, part, lose[part])
    _, _, found = compare.compare((opa_url, SAMPLE))
    assert {problem.split(":")[0] for _, problem in found} == {way}


def test_what_the_contract_refuses_is_seen(opa_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "is_well_written", lambda value: True)
    _, _, found = compare.compare((opa_url, SAMPLE))
    assert found
    assert all(problem.startswith("contract.py finds wrong") for _, problem in found)
