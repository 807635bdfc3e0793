"""Requests malformed in every way that the contract names, several at a time, beside the second reading of it."""

import copy
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payer_policy import EmbeddedPolicy

from tests.oracle import contract, prove
from tests.oracle.vectors import in_process

always_the_same = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

# Values that a message would be seen to hold.
MARK = "zq§"
NUMBERS = (7341.25, -48213, 48213, 0.734125)
marked = st.one_of(st.sampled_from(NUMBERS), st.text(max_size=140).map(lambda text: MARK + text))
# Near misses and the JSON types; a string greater than any number and an array greater than any string are among them.
SPACES = {space.reading.version: space for space in prove.SPACES if space.reading.document == "CC-0126"}
SPACE = SPACES[min(SPACES)]
LITERALS = [v for classes in SPACE.classes.values() for some in classes for v in some if isinstance(v, str)]
numbers = st.sampled_from([-1, -0.0, 0, 1.0, 1.5, 20, 20.5, 21, 100, 100.000001, -1e-9, 10**30, 1e308])
near = st.one_of(
    *(st.none(), st.booleans(), st.just(""), st.just([]), st.just({}), st.text(max_size=22)),
    st.sampled_from([*LITERALS, *(literal.upper() for literal in LITERALS), "0.1", "true", "null", " all"]),
    numbers,
)
junk = st.recursive(
    st.one_of(near, marked),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=3), parts),
    max_leaves=4,
)

misfits = st.one_of(st.none(), st.booleans(), numbers, st.just([]), junk)
drugs = st.sampled_from(["imatinib", "ponatinib", "interfant", "other", "prednisone", "vincristine", "Imatinib"])
dates = st.one_of(
    st.dates().map(str),
    st.sampled_from(["1899-12-31", "1900-01-01", "2199-12-31", "2200-01-01", "2100-02-29", "2096-02-29", "2025-02-29"]),
    st.sampled_from(["2025-6-01", "2025-06-31", "2025-13-01", "2025-00-10", "2025-06-01 ", "2025-06-01T00:00:00Z"]),
    st.from_regex(r"\A(19|20|21)[0-9][0-9]-[01][0-9]-[0-3][0-9]\Z", alphabet=st.characters(max_codepoint=127)),
    junk,
)
names = st.one_of(st.sampled_from(["Document", "mrd", "facts.disease", "combined_with[0]"]), st.text(max_size=8))
code = st.one_of(st.text(max_size=21), st.text(min_size=18, max_size=22), junk)
ARRAYS = {
    "facts.combined_with": st.lists(drugs | misfits, max_size=5),
    "facts.alternating_with": st.lists(drugs | misfits, max_size=5),
    "codes.icd10": st.lists(code | misfits, max_size=4),
    "unavailable": st.lists(st.sampled_from(list(SPACE.classes)) | misfits, max_size=4),
}
bounds = st.dictionaries(st.sampled_from([*contract.BOUNDS, "under"]), numbers, max_size=2)
# What stands in place of each field; a name that is none is drawn for the stars.
REPLACED = {
    "document": st.sampled_from(["CC-0127", "cc-0126", "CC-0126 "]) | junk,
    "date_of_service": dates,
    "request_id": st.text(min_size=126, max_size=130) | junk,
    "codes": junk,
    "codes.hcpcs": code,
    "facts": junk,
    **{f"facts.{fact}": junk for fact in SPACE.classes},
    **{fact: numbers | bounds | st.floats(-1, 21) | junk for fact in ("facts.complete_response", "facts.mrd_percent")},
    **{array: items | junk for array, items in ARRAYS.items()},
    **{star: junk for star in ("*", "codes.*", "facts.*")},
}


@st.composite
def malformed(draw: st.DrawFn, target: str | None = None) -> dict[str, Any]:
    """A good request in which some fields are replaced or dropped, the target among them; it may stay good."""
    request = copy.deepcopy(SPACE.request(draw(st.integers(0, SPACE.total - 1))))
    targets = draw(st.sets(st.sampled_from(list(REPLACED)), max_size=3)) | ({target} if target else set())
    for path in sorted(targets, key=lambda path: (-path.count("."), path)):  # what is within goes first
        above, _, name = path.rpartition(".")
        fields = (request if above == "" else request.get(above)) or {}
        if draw(st.integers(0, 9)) == 0:
            fields.pop(name, None)
        else:
            fields[draw(names) if name == "*" else name] = draw(REPLACED[path])
        if above:
            request[above] = fields
    return request


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def decide(session: requests.Session, url: str, request: object) -> Any:  # noqa: ANN401
    response = session.post(f"{url}/v1/data/payer/decision", data=json.dumps({"input": request}), timeout=30)
    assert response.status_code == 200
    return response.json()["result"]


def check(request: Any, decision: dict[str, Any]) -> None:  # noqa: ANN401
    """All that the contract says of the decision, but for the criteria."""
    wrong = contract.errors(request)
    assert [error["path"] for error in decision["errors"]] == wrong
    assert (decision["outcome"] == "invalid_request") == bool(wrong)
    given_ = request if isinstance(request, dict) else {}
    for field in ("request_id", "date_of_service"):
        valid = isinstance(request, dict) and field not in wrong
        assert decision[field] == (given_.get(field) if valid else None)
    if wrong:
        assert decision["next_step"] == "correct_request"
        said = "".join([decision["summary"], *(error["message"] for error in decision["errors"])])
        assert not [value for value in (MARK, "7341", "48213") if value in said]
    if decision["outcome"] in ("invalid_request", "no_policy_in_force"):
        assert decision["policy"] is decision["criteria"] is None
        assert not any(decision[field] for field in ("pathways_met", "reasons", "missing", "advisories"))
    else:
        in_force = max(version for version in SPACES if version <= request["date_of_service"])
        assert prove.difference(SPACES[in_force], request, decision) == {}


@pytest.mark.parametrize("target", REPLACED)
def test_malformed(target: str, session: requests.Session, opa_url: str, served: EmbeddedPolicy) -> None:
    reached: set[str] = set()

    @settings(always_the_same, max_examples=60)
    @given(request=malformed(target))
    def check_each(request: dict[str, Any]) -> None:
        decision = decide(session, opa_url, request)
        check(request, decision)
        assert in_process(served, "decision", request) == decision
        reached.update(re.sub(r"\[\d+\]$", "[]", path) for path in contract.errors(request))

    check_each()
    if target.endswith("*"):
        assert any(path not in REPLACED and path.startswith(target[:-1]) for path in reached)
    else:
        assert reached >= {target} | ({f"{target}[]"} if target in ARRAYS else set())


def test_every_date(session: requests.Session, opa_url: str) -> None:
    """Each day that a month may or may not have; 29 February in each year, and in those just outside."""
    days = itertools.product(("1900", "2000", "2024", "2025", "2100"), range(14), range(33))
    februaries = itertools.product((f"{year:04}" for year in [0, 999, *range(1896, 2205), 9999]), [2], [28, 29, 30])
    dates = [f"{year}-{month:02}-{day:02}" for year, month, day in itertools.chain(days, februaries)]
    asked = [{"document": "CC-0126", "date_of_service": date, "facts": None} for date in dates]  # nothing to decide
    for request, decision in zip(asked, prove.ask(session, opa_url, asked), strict=True):
        check(request, decision)


@always_the_same
@given(request=junk)
def test_junk_is_no_request(request: object, session: requests.Session, opa_url: str) -> None:
    check(request, decide(session, opa_url, request))


@always_the_same
@given(batch=st.lists(junk | malformed(), max_size=6))
def test_a_bad_item_spoils_only_itself(
    batch: list[Any], session: requests.Session, opa_url: str, served: EmbeddedPolicy
) -> None:
    decisions = prove.ask(session, opa_url, batch)
    assert decisions == [decide(session, opa_url, request) for request in batch]
    assert in_process(served, "decisions", {"requests": batch}) == decisions


@pytest.mark.parametrize("fact", ["combined_with", "alternating_with"])
def test_no_message_names_what_is_repeated(fact: str, session: requests.Session, opa_url: str) -> None:
    values = sorted({drug for some in SPACE.classes[fact] for v in some if isinstance(v, list) for drug in v})
    plain = {"document": "CC-0126", "date_of_service": "2025-06-01"}
    asked = [{**plain, "facts": {fact: [drug, "other", drug, "other"]}} for drug in values]
    decisions = [decide(session, opa_url, request) for request in asked]
    assert decisions[0]["errors"][0]["path"] == f"facts.{fact}"
    assert all(decision["errors"] == decisions[0]["errors"] for decision in decisions)
