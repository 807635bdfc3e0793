"""A number means the same on every way into the policy, and none is rounded."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from payer_policy import EmbeddedPolicy, InvalidRequest, PolicyError
from payer_policy.command import main
from payer_policy.runtime.reading import Number, number, read_json

START = '"document": "CC-0126", "date_of_service": "2025-06-01"'
DIGITS = "must have at most 15 significant digits"
SMALL = "must be 0 or at least 1e-300"
LONG = "must be written in at most 100 characters"
CLIENT = "is a number too long, too large or too small"

# What the fact says: its state, or what is wrong with it.
MRD = {
    "0.1": "met",
    "1e-1": "met",
    "1E-1": "met",
    "10.0e-2": "met",
    "0.10000000000000000000": "met",
    "0.0999999999999999": "not_met",
    "1e-3": "not_met",
    "-0.0": "not_met",
    "0.09999999999999999": DIGITS,
    "0.099999999999999999": DIGITS,  # to a double 0.1, which approves
    "0.30000000000000004": DIGITS,
    "12345678901234567890": DIGITS,
    "1e-400": SMALL,
    "1e400": "must be a number from 0 to 100",
    "0." + "0" * 100: LONG,
    "9" * 1000: LONG,
    "9" * 1001: CLIENT,
    "1e-999999": CLIENT,
    "1e40000": CLIENT,
    "1e99999999999999999999": CLIENT,
    "1e-99999999999999999999": CLIENT,
}
# What each hint gives as examples, by the kind of file, and none that says another number than the sender meant.
EXAMPLES = {
    "a.yaml": ('{"less_than": 0.01}', "at_most, at_least, more_than", "null"),
    "a.csv": ("<0.01", "<=, >=, >", "an empty cell"),
}
QUOTES = "write the number without quotes"
BOUND = "write a bound as {0}, in the unit of the fact; or with {1}"
COMMA = "write a decimal point, not a comma, and nothing between thousands"
ELSE = "write a number as 0.5, 12 or 1e-4, converted to the unit of the fact; a bound as {0}; {2} when neither is known"
# What YAML 1.1 takes for a number, or what a person writes for one.
NO_NUMBERS = {
    '"0.5"': QUOTES,  # of YAML; of a CSV they say nothing
    **dict.fromkeys(
        ("<0,01", "< 0.01 %", "=> 0.1", "≥ 0,1", "less than 0.01", "0.5 or more", "at least 1", "Below 0.1", "<10^-4"),
        BOUND,
    ),
    **dict.fromkeys(("0,5", "1,5E-4", "-1,000"), COMMA),
    # Of these 1:10 is 70 to YAML 1.1, which approves, and a word of a bound stands in none.
    **dict.fromkeys(
        (
            "1:10",
            "010",
            "1_0",
            "0x1F",
            "0x10",
            ".5",
            "+1",
            "1 000",
            "1.000,5",
            "1x10-4",
            "10^-4",
            "2·10⁻⁴",
            "1/10000",
            "½",
        ),
        ELSE,
    ),
    **dict.fromkeys(("0.1-0.5", "0.5 to 1", "ca. 0.5", "~0.5", "\u22120.5", "0.1+", "0.5*", "moreover"), ELSE),
    **dict.fromkeys(
        ("0.5 %", "0,5 %", "5 ‰", "5e-1 percent", "9.4 g/dL", "4 log", "MR4", "1 in 1e4", "1" + ".1" * 40), ELSE
    ),
    **dict.fromkeys(("on", ".inf", "2025-06-01", "much", "n/a", "negative"), ELSE),
}


def said(decision: dict[str, Any]) -> str:
    if decision["errors"]:
        [error] = decision["errors"]
        assert error["path"] == "facts.mrd_percent"
        return str(error["message"])
    [state] = set(re.findall(r'"id": "II.C.mrd_percent", "state": "(\w+)"', json.dumps(decision, sort_keys=True)))
    return str(state)


def decided(folder: Path, name: str, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What a file of one request comes to by `decide`, or else by `batch`; and what stands beside it for a person."""
    file, out = folder / name, folder / f"{name}.out"
    file.write_text(text, encoding="utf-8")
    if file.suffix in (".json", ".yaml"):
        main(["decide", "--json", str(file)])
        printed, beside = capsys.readouterr()
        lines = printed.splitlines()
    else:
        main(["batch", str(file), str(out)])
        beside = capsys.readouterr().err
        lines = out.read_text(encoding="utf-8").splitlines()
    if not lines:
        return " ".join(beside.split()).split("facts.mrd_percent ")[1], ""
    answer = json.loads(lines[0])
    return said(answer.get("decision", answer)), " ".join(beside.split())


WAYS = {
    "a.json": '{{{0}, "facts": {{"mrd_percent": {1}}}}}',
    "a.yaml": "document: CC-0126\ndate_of_service: 2025-06-01\nfacts:\n  mrd_percent: {1}\n",
    "a.jsonl": '{{{0}, "facts": {{"mrd_percent": {1}}}}}\n',
    "a.csv": "document,date_of_service,mrd_percent\nCC-0126,2025-06-01,{1}\n",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("text", "says"), MRD.items(), ids=lambda text: text[:30])
def test_a_number_in_a_file(way: str, text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert decided(tmp_path, way, WAYS[way].format(START, text), capsys)[0] == says


@pytest.mark.parametrize("way", EXAMPLES)
@pytest.mark.parametrize(("text", "hint"), NO_NUMBERS.items(), ids=lambda text: text[:30])
def test_what_is_no_number_is_none_and_the_person_is_told_what_to_write(
    way: str, text: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if way == "a.csv":
        text = '"""0.5"""' if hint == QUOTES else f'"{text}"'
        hint = ELSE if hint == QUOTES else hint
    elif hint == BOUND:
        text = f"'{text}'"
    message, beside = decided(tmp_path, way, WAYS[way].format(START, text), capsys)
    hint = hint.format(*EXAMPLES[way])
    assert message == "must be a number from 0 to 100"
    place = "line 2" if way == "a.csv" else f"payer-policy: {tmp_path / way}: request 1"
    assert beside == f"{place}: facts.mrd_percent {message}: {hint}"


@pytest.mark.parametrize("way", EXAMPLES)
def test_what_a_hint_says_is_taken_in_that_kind_of_file(
    way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bound, others, unknown = EXAMPLES[way]
    assert re.findall(r"\d\S*\b", ELSE.format("", "", "")) == ["0.5", "12", "1e-4"]
    bounds = [bound, *(re.sub("less_than|<", other, bound) for other in others.split(", "))]
    assert len({*bounds}) == 4
    says = {
        **{text: "met" for text in ("0.5", "12")},
        **{text: "not_met" for text in ("1e-4", bounds[0], bounds[1])},
        **{text: "unknown" for text in (*bounds[2:], unknown.removeprefix("an empty cell"))},
    }
    for text, state in says.items():
        assert decided(tmp_path, way, WAYS[way].format(START, text), capsys)[0] == state
        for made in tmp_path.iterdir():
            made.unlink()


@pytest.mark.parametrize(("text", "says"), MRD.items(), ids=lambda text: text[:30])
def test_a_number_in_a_program(text: str, says: str, policy: EmbeddedPolicy) -> None:
    """A Decimal, as databases give it; a text's zeros at the end are none of its digits."""
    request = json.loads(f"{{{START}}}")
    asked = (request | {"facts": {"mrd_percent": value}} for value in (Number(text), number(text)))
    for answer in policy.decide_many(asked):
        if isinstance(answer, PolicyError):
            assert f"facts.mrd_percent {says}" == str(answer)
        else:
            assert said(answer.to_dict()) == says


def test_floats_and_decimals_of_a_program_are_not_rounded(policy: EmbeddedPolicy) -> None:
    request = json.loads(f"{{{START}}}")
    for value in (0.1 + 0.2, 1 / 3, Decimal(1) / Decimal(3), Decimal("0.099999999999999999")):
        with pytest.raises(InvalidRequest, match=f"^facts.mrd_percent {DIGITS}$"):
            policy.decide(request | {"facts": {"mrd_percent": value}})
    for exact in (Decimal("0.1"), Decimal("0.100000"), Decimal("1E-1"), round(0.1 + 0.2 - 0.2, 6)):
        assert said(policy.decide(request | {"facts": {"mrd_percent": exact}}).to_dict()) == "met"


def test_a_stored_number_is_replayed_as_it_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(WAYS["a.jsonl"].format(START, text) for text in MRD), encoding="utf-8")
    main(["batch", str(source), str(out)])
    for text in ("0.099999999999999999", "1e-400", "1e400", "0." + "0" * 100):
        assert f'"mrd_percent":{text}}}' in out.read_text(encoding="utf-8")
    assert main(["replay", str(out)]) == 0
    assert "0 differ" in capsys.readouterr().out
    before = out.read_bytes()
    main(["batch", str(source), str(out), "--resume"])
    assert out.read_bytes() == before


@pytest.mark.parametrize("text", ["0.1", "-3", "12345678901234567890", "0.09999999999999999", "1e22", "0"])
def test_a_number_is_plain_where_that_is_the_same(text: str) -> None:
    assert type(read_json(text)) in (int, float)
    assert read_json(text) == json.loads(text)


def test_a_billion_laughs_cost_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        laughs += f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
    (tmp_path / "a.yaml").write_text(laughs)
    assert main(["decide", str(tmp_path / "a.yaml")]) == 2
    assert "line 2: an alias (*name) is not read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ("{mrd_percent: 0,5}", "line 3: a name is not text; in braces a comma separates, and a number has a point"),
        ("{mrd_percent: 0,05}", "line 3: a name is not text; in braces a comma separates, and a number has a point"),
        ("{mrd_percent: {less_than: 0,01}}", "line 3: a name is not text; in braces a comma separates"),
        ("{mrd_percent: {less_than: '0,01'}}", "less_than, at_most, at_least or more_than: write a decimal point"),
        ("{mrd_percent: {less_than: 0.01 %}}", "more_than: write a number as 0.5, 12 or 1e-4, converted"),
        ("\n  mrd_percent: >100\n", "line 4: text after > is not read; write a bound as {more_than: 5}"),
        ("\n  mrd_percent: >5\n  infant: true\n", "line 4: text after > is not read; write a bound as {more_than: 5}"),
    ],
)
def test_yaml_that_a_person_meant_for_a_number(
    facts: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"document: CC-0126\ndate_of_service: 2025-06-01\nfacts: {facts}")
    assert main(["decide", str(file)]) == 2
    assert says in capsys.readouterr().err


def test_what_yaml_says_without_quotes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """True, false and null by YAML 1.2; the yes, no and on of YAML 1.1 are text, and text is no boolean."""
    start = "{document: CC-0126, date_of_service: 2025-06-01, facts: "
    (tmp_path / "a.yaml").write_text(
        f"{start}{{infant: True, cd19_positive: FALSE, lineage: ~}}}}\n---\n"
        f"{start}{{infant: yes, cd19_positive: no, kmt2a_rearranged: on}}}}\n"
    )
    assert main(["decide", "--json", str(tmp_path / "a.yaml")]) == 2
    good, bad = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert good.get("decision", good)["outcome"] == "needs_information"
    assert [error["path"] for error in bad.get("decision", bad)["errors"]] == [
        "facts.cd19_positive",
        "facts.infant",
        "facts.kmt2a_rearranged",
    ]
