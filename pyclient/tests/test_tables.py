"""Tables of Arrow: every row decided as `decide` would, what is no request kept with what is wrong with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from payer_policy import CallRecord, EmbeddedPolicy, InvalidValue, PolicyUnreachable, tables
from payer_policy.tables import DECIDED, decide_batches, decide_table, facts_type, impact_batches, impact_table
from payer_policy.workshop.impact import Side, impact

DAY = "2025-06-01"
FACTS: list[dict[str, Any]] = [
    {"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": True, "disease_status": "relapsed"},
    {"disease": "dlbcl"},
    {"disease": "all", "mrd_percent": 0.1, "complete_response": 1, "combined_with": ["imatinib"]},
    {},
    {"mrd_percent": "0.1"},
    {"infant": None},
]


def asked(facts: Any, **columns: Any) -> pa.Table:  # noqa: ANN401
    number = len(facts)
    return pa.table({"document": ["CC-0126"] * number, "date_of_service": [DAY] * number, "facts": facts, **columns})


def outcomes(table: pa.Table) -> list[str]:
    return [*table.column("outcome").to_pylist()]


def errors(table: pa.Table) -> list[list[tuple[str, str]]]:
    return [[(error["path"], error["message"]) for error in row] for row in table.column("errors").to_pylist()]


def test_each_row_is_decided_as_alone(policy: EmbeddedPolicy) -> None:
    table = asked([json.dumps(facts) for facts in FACTS], claim=range(len(FACTS)))
    result = decide_table(policy, table, whole=True)
    assert result.column_names == [*table.column_names, *DECIDED.names, "decision"]
    assert result.select(table.column_names) == table
    assert result.select(DECIDED.names) == decide_table(policy, table).select(DECIDED.names)  # brief ones
    requests = [{"document": "CC-0126", "date_of_service": DAY, "facts": facts} for facts in FACTS]
    for row, decision in zip(result.to_pylist(), policy.decide_many(requests), strict=True):
        received = decision.to_dict()  # type: ignore[union-attr]
        assert json.loads(row["decision"]) == received
        same = ("outcome", "next_step", "pathways_met", "ask_first", "terms", "advisories", "errors")
        assert {name: row[name] for name in same} == {name: received[name] for name in same}
        assert row["missing"] == [item["fact"] for item in received["missing"]]
        assert row["version"] == (received["policy"] or {}).get("version")
        assert [row["revision"]] == [*policy.health().revisions.values()]
    assert {*outcomes(result)} == {"approved", "not_approved", "needs_information", "invalid_request"}


def test_equal_requests_are_asked_once() -> None:
    calls: list[CallRecord] = []
    with EmbeddedPolicy(on_call=calls.append) as policy:
        result = decide_table(policy, asked(['{"disease":"dlbcl"}', "{}"] * 500))
    assert outcomes(result) == ["not_approved", "needs_information"] * 500
    assert sum((Counter(call.outcomes) for call in calls), Counter()) == {"not_approved": 1, "needs_information": 1}


def test_batches_are_decided_as_the_table(policy: EmbeddedPolicy) -> None:
    """What came in an earlier batch is not asked again; a batch of other columns begins anew."""
    calls: list[CallRecord] = []
    table = asked([json.dumps(facts) for facts in FACTS] * 4)
    with EmbeddedPolicy(on_call=calls.append) as counting:
        batches = pa.Table.from_batches(decide_batches(counting, table.to_batches(5)))
    assert batches.equals(decide_table(policy, table))
    assert sum(sum(call.outcomes.values()) for call in calls) == len(FACTS)
    codes, gone = (asked(["{}"], **{name: ['["disease"]']}).to_batches()[0] for name in ("codes", "unavailable"))
    result = [batch.column("outcome").to_pylist() for batch in decide_batches(policy, [codes, gone, codes])]
    assert result == [["invalid_request"], ["needs_information"], ["invalid_request"]]


def test_answers_are_held_for_so_many_requests_and_no_more(
    policy: EmbeddedPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_HELD", 3)
    table = asked([json.dumps({"mrd_percent": number}) for number in (1, 2, 1, 3, 4, 5, 6, 7, 1, 101)])
    wanted = decide_table(policy, table)
    for size in (1, 2, 4, 10):
        assert pa.Table.from_batches(decide_batches(policy, table.to_batches(size))).equals(wanted)
    work = tables.deciding(policy)
    for batch in table.to_batches(4):
        work.beside(pa.Table.from_batches([batch]))
        assert len(work._held) <= 3


def test_impact_of_batches_is_that_of_the_table(policy: EmbeddedPolicy) -> None:
    table = asked(['{"disease":"dlbcl"}', "{", "{}"] * 3)
    table = table.set_column(0, "document", [["CC-0126", "CC-0126", "NCD-240.4"] * 3])
    sides = "CC-0126", Side(policy), Side(policy)
    whole = impact_table(table, *sides)
    assert whole.column("old_outcome").to_pylist() == ["not_approved", "invalid_request", None] * 3
    assert pa.Table.from_batches(impact_batches(table.to_batches(2), *sides)).equals(whole)


def test_facts_come_as_json_struct_map_or_columns(policy: EmbeddedPolicy) -> None:
    whole = [facts for facts in FACTS if not isinstance(facts.get("mrd_percent"), str)]
    wanted = outcomes(decide_table(policy, asked([json.dumps(facts) for facts in whole])))
    struct = pa.array(whole, facts_type(policy, "CC-0126"))
    assert outcomes(decide_table(policy, asked(struct))) == wanted
    cells = [[(name, _cell(value)) for name, value in facts.items()] for facts in whole]
    assert outcomes(decide_table(policy, asked(pa.array(cells, pa.map_(pa.string(), pa.string()))))) == wanted
    columns = {field.name: struct.field(number) for number, field in enumerate(struct.type)}
    table = asked([None] * len(whole)).drop_columns("facts")
    for name, column in columns.items():
        table = table.append_column(name, column)
    assert outcomes(decide_table(policy, table, facts=[*columns])) == wanted
    assert {*outcomes(decide_table(policy, table, facts=[]))} == {"needs_information"}


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.string()),
        pa.large_list(pa.large_string()),
        pa.list_(pa.string(), 1),
        pa.list_view(pa.string_view()),
        pa.list_(pa.dictionary(pa.int8(), pa.string())),
    ],
    ids=str,
)
def test_lists_and_texts_come_in_every_type_of_arrow(policy: EmbeddedPolicy, kind: pa.DataType) -> None:
    """Polars hands out views, DuckDB lists of one size, pandas dictionaries."""
    text = kind.value_type
    facts = pa.StructArray.from_arrays(
        [pa.array([["imatinib"]], kind), pa.array(["all"], text)], ["combined_with", "disease"]
    )
    columns = {"document": pa.array(["CC-0126"], text), "date_of_service": pa.array([DAY], text), "facts": facts}
    given, wanted = (
        decide_table(policy, table, whole=True).column("decision").to_pylist()
        for table in (pa.table(columns), asked(['{"combined_with":["imatinib"],"disease":"all"}']))
    )
    assert given == wanted


def test_one_struct_holds_the_facts_of_all_versions(policy: EmbeddedPolicy) -> None:
    """Null is unknown where a version has the fact, and no fact where it has not."""
    facts = pa.array([{"ahi": 31}, {"events_per_hour": 31}, {"ahi": 31}], facts_type(policy, "NCD-240.4"))
    table = pa.table(
        {"document": ["NCD-240.4"] * 3, "date_of_service": ["2006-01-01", DAY, DAY], "facts": facts},
    )
    result = decide_table(policy, table)
    assert outcomes(result) == ["needs_information", "needs_information", "invalid_request"]
    assert result.column("version").to_pylist() == ["2005-04-04", "2008-03-13", None]
    assert [[path for path, _ in row] for row in errors(result)] == [[], [], ["facts.ahi"]]


def _cell(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, list):
        return ";".join(value) or "[]"
    return value if value is None or isinstance(value, str) else json.dumps(value)


def test_what_cannot_be_read_stays_with_its_path(policy: EmbeddedPolicy) -> None:
    broken = pa.array([b"{", b'{"disease":"\xff"}', b'{"mrd_percent":1,"mrd_percent":2}', b"3", None, b"{}"])
    result = decide_table(policy, asked(pa.Array.from_buffers(pa.string(), len(broken), broken.buffers())))
    assert outcomes(result) == ["invalid_request"] * 5 + ["needs_information"]
    assert [row and row[0][0] for row in errors(result)] == ["facts"] * 5 + [[]]
    assert errors(result)[1] == [("facts", "not UTF-8 text")]
    assert result.column("next_step").to_pylist()[:5] == ["correct_request"] * 5
    days = asked(["{}"] * 3).set_column(1, "date_of_service", pa.array([20240, 3_000_000, None], pa.date32()))
    assert outcomes(decide_table(policy, days)) == ["needs_information", "invalid_request", "invalid_request"]
    numbers = pa.array([{"mrd_percent": float("nan")}, {"mrd_percent": 0.5}])
    result = decide_table(policy, asked(numbers))
    assert outcomes(result) == ["invalid_request", "needs_information"]
    [(path, message)] = errors(result)[0]
    assert path == "facts.mrd_percent"
    assert message.startswith("must be a finite number")
    twice = pa.array([[("infant", "yes"), ("infant", "no")], [("infant", "yes")]], pa.map_(pa.string(), pa.string()))
    result = decide_table(policy, asked(twice))
    assert errors(result)[0] == [("facts", "a name stands twice in a map")]
    assert outcomes(result)[1] == "needs_information"


def test_a_row_that_is_too_large_spoils_only_itself(policy: EmbeddedPolicy) -> None:
    result = decide_table(policy, asked([json.dumps({"disease": "x" * (1 << 19)}), '{"disease":"dlbcl"}']))
    assert outcomes(result) == [None, "not_approved"]
    [[(path, message)], nothing] = errors(result)
    assert (path, message.split(":")[0], nothing) == ("", "RequestTooLarge", [])


def test_numbers_and_dates_are_those_of_the_columns(policy: EmbeddedPolicy) -> None:
    for numbers in (pa.array([Decimal("0.10"), Decimal("0.09")], pa.decimal128(5, 2)), pa.array([0.1, 0.09])):
        table = asked(pa.StructArray.from_arrays([numbers], ["mrd_percent"]), day=[date(2025, 6, 1)] * 2)
        table = table.drop_columns("date_of_service").rename_columns(["document", "facts", "date_of_service"])
        decided = decide_table(policy, table, whole=True).column("decision").to_pylist()
        assert ['"value": 0.1' in decided[0], '"value": 0.09' in decided[1]] == [True, True]


def test_what_repeats_comes_as_a_dictionary_of_any_type(policy: EmbeddedPolicy) -> None:
    """As pandas has categories."""
    facts = {"mrd_percent": [0.5, None, 0.5], "infant": [True, True, None], "complete_response": [1, 2, 1]}
    columns = {"document": ["CC-0126"] * 3, "date_of_service": [date(2025, 6, 1)] * 3, **facts}
    plain = pa.table(columns)
    indices = pa.array([0, 1, 2], pa.int8())
    repeated = pa.table({name: pa.DictionaryArray.from_arrays(indices, pa.array(columns[name])) for name in columns})
    wanted, given = (
        decide_table(policy, table, facts=[*facts], whole=True).column("decision").to_pylist()
        for table in (plain, repeated)
    )
    assert given == wanted
    assert all('"errors": []' in decision for decision in wanted)


def test_codes_and_what_is_unavailable_are_read(policy: EmbeddedPolicy) -> None:
    table = asked(["{}"], codes=['{"hcpcs":"A0000"}'], unavailable=pa.array([["disease"]]), request_id=["1" * 200])
    [row] = decide_table(policy, table).to_pylist()
    assert [advisory["code"] for advisory in row["advisories"]] == ["hcpcs_not_listed"]
    assert "disease" not in row["missing"]
    assert "lineage" in row["missing"]


@pytest.mark.parametrize(
    ("column", "named", "problem"),
    [
        (pa.array([0.1], pa.float32()), "facts", "facts is float, .*: cast it to a double and round that"),
        (pa.array([{"mrd_percent": 0.1}], pa.struct([("mrd_percent", pa.float32())])), "facts", "facts.mrd_percent is"),
        (pa.array([b"{}"]), "facts", "facts is binary"),
        (
            pa.array([datetime(2025, 6, 1)]),
            "facts",
            r"facts is timestamp\[us\], .*: cast it to a date where it was taken",
        ),
        (
            pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]),
            "facts",
            "facts has two fields of one",
        ),
        (pa.array([0.1]), "facts", "the column facts is double, and facts are JSON, a struct or a map"),
        (pa.array(["{}"]), "fakt", "no column fakt"),
        (pa.array(["{}"]), ["document", "fakt"], "no column fakt"),
        (pa.array(["{}"]), None, "facts must be the name of one column, or a list of the names of several"),
        (pa.array(["{}"]), [b"facts"], "facts must be the name of one column"),
        (pa.array([0.1], pa.float32()).dictionary_encode(), "facts", "facts is float"),
    ],
)
def test_columns_that_cannot_be_read_are_named(
    policy: EmbeddedPolicy,
    column: pa.Array,
    named: Any,  # noqa: ANN401
    problem: str,
) -> None:
    with pytest.raises(InvalidValue, match=problem):
        decide_table(policy, asked(column), facts=named)
    with pytest.raises(InvalidValue, match="has a column outcome already"):
        decide_table(policy, asked(["{}"], outcome=["approved"]))
    frame: Any = asked(["{}"]).to_pydict()
    with pytest.raises(InvalidValue, match="must be one of Arrow"):
        decide_table(policy, frame)


def test_nobody_decides_is_raised() -> None:
    policy = EmbeddedPolicy()
    policy.close()
    with pytest.raises(PolicyUnreachable):
        decide_table(policy, asked(["{}"]))


def test_impact_by_row_is_impact(policy: EmbeddedPolicy) -> None:
    old, new = Side(policy, "2005-04-04"), Side(policy, "2008-03-13")
    base: dict[str, Any] = {"diagnosis": "osa", "age": 57, "ordered_by_treating_physician": True, "sleep_test": "psg"}
    changes: list[dict[str, Any]] = [
        {},
        {"ahi": 31, "surgery_alternative": True, "recorded_sleep_hours": 5.5},
        {"events_per_hour": 16, "recorded_sleep_hours": 5.5, "recorded_events": 40, "period": "initial"},
        {"diagnosis": "other"},
        {"age": 12},
        {"sleep_test": "hst_type_iv"},
        {"sleep_test": "portable", "benefited": False},
        {"age": "old"},
    ]
    requests = [
        {"document": "NCD-240.4", "date_of_service": "2006-01-01", "facts": {**base, **change}} for change in changes
    ]
    requests += [{"document": "CC-0126", "date_of_service": DAY, "facts": {}}] * 2
    table = pa.table(
        {
            "document": [request["document"] for request in requests],
            "date_of_service": [request["date_of_service"] for request in requests],
            "facts": [json.dumps(request["facts"]) for request in requests],
        }
    )
    result = impact_table(pa.concat_tables([table, table.slice(0, 1)]), "NCD-240.4", old, new).to_pylist()
    assert result[-1] == result[0]
    counted = impact("NCD-240.4", old, new, enumerate(requests))
    flows = Counter((row["old_outcome"], row["new_outcome"]) for row in result[:-1])
    assert flows == counted.flows | {(None, None): 2}
    left_out = Counter(tuple(each.values()) for row in result[:-1] for each in row["left_out"] or [])
    assert left_out == counted.left_out
    assert left_out.total() > 0
    clauses = Counter(tuple(each.values()) for row in result[:-1] for each in row["clauses"] or [])
    assert clauses == counted.clauses
    assert clauses.total() > counted.changed > 0
    unreadable = impact_table(asked(["{"]), "CC-0126", Side(policy), Side(policy)).to_pylist()
    assert [(row["old_outcome"], row["new_outcome"]) for row in unreadable] == [("invalid_request",) * 2]


def _facts(policy: EmbeddedPolicy) -> Iterator[tuple[str, Any]]:
    for version in policy.catalogue("NCD-240.4")["documents"][0]["versions"]:
        yield from ((fact["name"], fact) for fact in version["facts"])


def test_the_type_of_the_facts_of_a_document(policy: EmbeddedPolicy) -> None:
    kinds = {field.name: field.type for field in facts_type(policy, "CC-0126")}
    assert kinds["mrd_percent"] == pa.float64()
    assert kinds["combined_with"] == pa.list_(pa.string())
    assert {name for name, _ in _facts(policy)} == {field.name for field in facts_type(policy, "NCD-240.4")}
    with pytest.raises(InvalidValue):
        facts_type(policy, "CC-0001")
