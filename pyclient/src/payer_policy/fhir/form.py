"""DTR: the facts of a document as a Questionnaire, and its answers as facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

from payer_policy.fhir.mapping import UCUM, Rule, Unit, Vocabulary
from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import must_be_a_decision
from payer_policy.runtime.facts import MOST_DIGITS
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.request import Request
from payer_policy.runtime.values import Decision, Missing

Json = dict[str, Any]

# What follows it in the canonical of a Questionnaire is the document, its version after the bar.
CANONICAL = "/Questionnaire/"

_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"
_BASE = "http://hl7.org/fhir/StructureDefinition"
ORIGIN = "http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/information-origin"
_ORIGINS = ("auto-client", "auto-server", "override", "manual")

_TYPES = {"boolean": "boolean", "integer": "integer", "number": "decimal", "date": "date"}
_VALUE = {"boolean": "valueBoolean", "integer": "valueInteger", "number": "valueDecimal", "date": "valueDate"}

FIRST_YEAR, LAST_YEAR = 1900, 2199  # of the contract

_TOO_LARGE = 1e100  # and its inverse too small: no measurement, and far within what the policy takes

# The answer that says that a list is empty, since no answer says nothing; it stands alone.
_NONE = "none"
_EXCLUSIVE = {"url": f"{_BASE}/questionnaire-optionExclusive", "valueBoolean": True}


def questionnaire(policy: PolicyBase, document: str, version: str | None = None, *, base: str) -> Json:
    """The Questionnaire of a document, the latest version when none is named; `base` begins its canonical. Raises
    `InvalidValue` for what is not held."""
    documents = Documents(policy)
    held = documents.version(document, version)
    shared = Vocabulary(documents)
    rules = shared.rules(document, held["version"])
    url = f"{base.rstrip('/')}{CANONICAL}{document}"
    asleep = _asleep(policy, document, held)
    items, types = [], set()
    for fact in held["facts"]:
        name = fact["name"]
        item: Json = {"linkId": name, "text": _text(fact)}
        extensions: list[Json] = []
        if fact["type"] in _TYPES:
            item["type"] = _TYPES[fact["type"]]
            if "minimum" in fact:
                extensions += [_limit("minValue", fact["minimum"], fact), _limit("maxValue", fact["maximum"], fact)]
            if unit := shared.units.get(fact.get("unit", "")):
                coding = {"system": UCUM, "code": unit.ucum, "display": fact["unit"]}
                extensions.append({"url": f"{_BASE}/questionnaire-unit", "valueCoding": coding})
        else:
            item["type"] = "choice"
            item["repeats"] = fact["type"] == "array"
            options = dict(fact["values"]) | ({_NONE: "none of these, and no other"} if item["repeats"] else {})
            item["answerOption"] = [
                {"valueCoding": {"system": f"{url}/{name}", "code": code, "display": label}}
                | ({"extension": [_EXCLUSIVE]} if code == _NONE else {})
                for code, label in options.items()
            ]
        # What is suggested is for a person to take. A form is filled in before there is a Claim; no clock, no age.
        found = [
            rule for rule in rules.get(name, ()) if not rule.suggests and rule.resource not in ("Claim", "Patient")
        ]
        if expression := _initial(found, shared, shared.units.get(fact.get("unit", ""))):
            types |= {rule.resource for rule in found}
            extensions.append(_expression(f"{_SDC}/sdc-questionnaire-initialExpression", "text/fhirpath", expression))
        if extensions:
            item["extension"] = extensions
        if asleep[name]:
            item["enableWhen"] = [
                {"question": other, "operator": "!=", **_answer(held, other, value, url)}
                for other, value in asleep[name]
            ]
            if len(item["enableWhen"]) > 1:
                item["enableBehavior"] = "all"
        items.append(item)
    variables = [
        _expression(
            f"{_BASE}/variable",
            "application/x-fhir-query",
            f"{kind}?patient={{{{%patient.id}}}}",
            name=kind,
        )
        for kind in sorted(types)
    ]
    context = {
        "url": f"{_SDC}/sdc-questionnaire-launchContext",
        "extension": [
            {
                "url": "name",
                "valueCoding": {"system": "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext", "code": "patient"},
            },
            {"url": "type", "valueCode": "Patient"},
        ],
    }
    return {
        "resourceType": "Questionnaire",
        "extension": [context, *variables],
        "url": url,
        "version": held["version"],
        "name": re.sub(r"\W", "_", document, flags=re.ASCII),
        "title": f"{document} {held['title']}",
        "status": "active",
        "subjectType": ["Patient"],
        "effectivePeriod": {"start": held["effective_from"]}
        | ({"end": held["effective_to"]} if held["effective_to"] else {}),
        "item": items,
    }


def _text(fact: Mapping[str, Any]) -> str:
    return f"{fact['question']} {fact['note']}" if "note" in fact else str(fact["question"])


def _limit(name: str, value: Any, fact: Mapping[str, Any]) -> Json:  # noqa: ANN401
    return {"url": f"{_BASE}/{name}", _VALUE[fact["type"]]: value}


def _expression(url: str, language: str, expression: str, **more: str) -> Json:
    return {"url": url, "valueExpression": {**more, "language": language, "expression": expression}}


def _initial(rules: list[Rule], shared: Vocabulary, unit: Unit | None) -> str:
    """The FHIRPath that fills in an answer, of the same parts as the mapping: the one value that all resources say
    which are ready to establish anything. A number is filled in when there is one measurement, in the unit of the
    question. A form cannot say a bound."""
    found: dict[str, list[str]] = {}
    options = f"%questionnaire.item.where(linkId = '{rules[0].fact}').answerOption.value" if rules else ""
    for rule in rules:
        ready = " and ".join(f"({test.where})" for test in shared.stands[rule.resource])
        those = f"%{rule.resource}.entry.resource.where({ready} and {rule.where})"
        if rule.quantity and unit:
            # A panel has its measurements in components.
            those = (
                f"%{rule.resource}.entry.resource.where({ready}).select($this.combine(component)).where({rule.where})"
            )
            fits = f"value.system = '{UCUM}' and value.code = '{unit.ucum}' and value.comparator.empty()"
            return f"iif({those}.count() = 1, {those}.where({fits}).value.value, {{}})"
        for value, codes in rule.means or ((True, None), (False, None)):
            if isinstance(value, dict):
                continue
            word = str(value).lower() if isinstance(value, bool) else f"{options}.where(code = '{value}')"
            says = f"{rule.read}.where({codes.fhirpath('')}).exists()" if codes else f"({rule.read}) = {word}"
            found.setdefault(word, []).append(f"{those}.where({says}).exists()")
    expression = "{}" if found else ""
    for word, tests in reversed(found.items()):
        others = [test for other, them in found.items() if other != word for test in them]
        alone = f"({' or '.join(tests)})" + (f" and ({' or '.join(others)}).not()" if others else "")
        expression = f"iif({alone}, {word}, {expression})"
    return expression


def _asleep(policy: PolicyBase, document: str, held: Mapping[str, Any]) -> dict[str, list[tuple[str, Any]]]:
    """For each fact the answers, to questions before it, after which it can no longer matter. The policy itself says
    so: what is known besides can only close more."""
    asleep: dict[str, list[tuple[str, Any]]] = {fact["name"]: [] for fact in held["facts"]}
    before: list[Mapping[str, Any]] = []
    day = held["effective_from"]

    def asked(known: Json) -> set[str]:
        decision = policy.decide(Request(document, day, known))
        return {item.fact for item in decision.missing}

    at_first = asked({})
    for fact in held["facts"]:
        values = (True, False) if fact["type"] == "boolean" else fact["values"] if fact["type"] == "string" else ()
        later = [name for name in asleep if name not in {each["name"] for each in before} | {fact["name"]}]
        for value in values:
            still = asked({fact["name"]: value})
            for name in later:
                if name in at_first and name not in still:
                    asleep[name].append((fact["name"], value))
        before.append(fact)
    return asleep


def _answer(held: Mapping[str, Any], name: str, value: Any, url: str) -> Json:  # noqa: ANN401
    if isinstance(value, bool):
        return {"answerBoolean": value}
    return {"answerCoding": {"system": f"{url}/{name}", "code": value}}


def next_question(decision: Decision) -> Missing | None:
    """What to ask next: the first of the shortest way to an approval, else of what is missing; None when nothing is.
    Raises `InvalidValue` for what is no Decision."""
    must_be_a_decision(decision)
    asked = {item.fact: item for item in decision.missing}
    first = decision.ask_first.facts if decision.ask_first else ()
    return next((asked[fact] for fact in (*first, *asked)), None)


def answers_of(response: Json, fact: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any, str | None, str | None]]:
    """The answer to the question of a fact: where it stands, its value, what is wrong with it, and where it comes
    from, as information-origin has it."""
    canonical = str(response.get("questionnaire")).partition("|")[0]
    for number, item in enumerate(_list(response.get("item"))):
        if item.get("linkId") != fact["name"]:
            continue
        place, answers = f"{path}.item[{number}].answer", _list(item.get("answer"))
        if not answers:
            continue
        origins = sorted({origin for answer in answers if (origin := _origin(answer))})
        origin = ", ".join(origins) or None
        if fact["type"] in _VALUE:
            value = answers[0].get(_VALUE[fact["type"]])
            problem = None if len(answers) == 1 and _fits(fact, value) else "is no answer to the question"
        else:
            codes = [_code(answer, f"{canonical}/{fact['name']}") for answer in answers]
            known = set(fact["values"]) | ({_NONE} if fact["type"] == "array" else set())
            problem = None if set(codes) <= known and len(set(codes)) == len(codes) else "is no answer to the question"
            if fact["type"] == "array":
                value = [] if codes == [_NONE] else codes
                problem = problem or ("says none beside others" if _NONE in value else None)
            else:
                value = codes[0]
                problem = problem or ("is more than one answer" if len(codes) > 1 else None)
        yield place, None if problem else value, problem, origin


def _fits(fact: Mapping[str, Any], value: Any) -> bool:  # noqa: ANN401
    if fact["type"] == "boolean":
        return isinstance(value, bool)
    if fact["type"] == "date":
        return isinstance(value, str) and _is_day(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if not (fact.get("minimum", value) <= value <= fact.get("maximum", value) and abs(value) < _TOO_LARGE):  # nor NaN
        return False
    exact = Decimal(str(value)).normalize()
    written = len(exact.as_tuple().digits) <= MOST_DIGITS and (not value or abs(value) > 1 / _TOO_LARGE)
    return written and (fact["type"] == "number" or value == int(value))


def _is_day(text: str) -> bool:
    """Whether it is a real day of the years that the contract has."""
    with suppress(ValueError):
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
        return day is not None and FIRST_YEAR <= day.year <= LAST_YEAR
    return False


def _code(answer: Json, system: str) -> str | None:
    """The code of an option of the form: one of another system means something else."""
    coding = answer.get("valueCoding")
    if not isinstance(coding, dict) or coding.get("system", system) != system:
        return None
    code = coding.get("code")
    return code if isinstance(code, str) else None


def _origin(answer: Json) -> str | None:
    for extension in _list(answer.get("extension")):
        if extension.get("url") == ORIGIN:
            for part in _list(extension.get("extension")):
                if part.get("url") == "source" and part.get("valueCode") in _ORIGINS:
                    return str(part["valueCode"])
    return None


def _list(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
