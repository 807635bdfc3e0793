"""A patient's record becomes a request: each fact with the resource that it comes from, and never more than it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from payer_policy.fhir.bundle import Bundle, Held, Json, Skipped
from payer_policy.fhir.form import CANONICAL, FIRST_YEAR, LAST_YEAR, answers_of
from payer_policy.fhir.mapping import UCUM, Rule, Unit, Vocabulary, fhirpath
from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import InvalidResource, InvalidValue
from payer_policy.runtime.facts import MOST_DIGITS, SIGNS
from payer_policy.runtime.policy import PolicyBase
from payer_policy.runtime.reading import Number, Unreadable, number, read_json
from payer_policy.runtime.request import Request

ESTABLISHED, SUGGESTED, SET_ASIDE, CONFLICT = "established", "suggested", "set aside", "in conflict"

_CODED = re.compile(r'"code":"([^"\\]*)"')

_ANSWERS, _RESPONSE = "QuestionnaireResponse", "Bundle.entry[0].resource"


def _of_answers(path: str) -> str:
    """A place of a response that was read in a bundle, as one of the response itself."""
    return path.replace(_RESPONSE, _ANSWERS, 1)


# Who it is about, and when it was so, by resource.
_PATIENT = {"Claim": "patient"}
_WHEN = {
    "Condition": ("recordedDate", "onsetDateTime", "onsetPeriod"),
    "Observation": ("effectiveDateTime", "effectiveInstant", "effectivePeriod"),
    "MedicationRequest": ("authoredOn",),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "QuestionnaireResponse": ("authored",),
}
# What is measured is good for its day, so it needs one.
_DATED = ("Observation", "Procedure")

_ORDERS = {
    "Claim": (),
    "ServiceRequest": ("code", "occurrenceDateTime", "occurrencePeriod"),
    "DeviceRequest": ("codeCodeableConcept", "occurrenceDateTime", "occurrencePeriod"),
    "MedicationRequest": ("medicationCodeableConcept", "", ""),
}


@dataclass(frozen=True)
class Evidence:
    """What a place of the record says of a fact. Its repr is empty but for fact and standing: the rest is health
    data."""

    fact: str
    standing: str
    """`established`, `suggested`, `set aside` or `in conflict`."""
    path: str
    """FHIRPath of the element, from the Bundle on."""
    value: Any = field(repr=False)
    """None when nothing could be read."""
    resource: str = field(repr=False)
    """Type and id."""
    day: str | None = field(repr=False)
    reason: str | None = None
    """Why it was set aside; and of an answer, where it comes from."""


@dataclass(frozen=True)
class Reading:
    """The request that a record makes, and why."""

    request: Request
    evidence: tuple[Evidence, ...] = field(repr=False)
    skipped: tuple[Skipped, ...]
    order: Json = field(repr=False)
    """The Claim or the order that was read, to answer; empty when the caller named document and date."""
    items: tuple[int, ...] = ()
    """Of a Claim, which items the request is about, from 0 on: those of the document, or all when none is."""

    def suggestions(self, fact: str) -> tuple[Evidence, ...]:
        """What to show beside the question."""
        return tuple(each for each in self.evidence if each.fact == fact and each.standing != SET_ASIDE)


def read_bundle(raw: str | bytes) -> Json:
    """The text of a Bundle. Raises `InvalidResource`."""
    if not isinstance(raw, (str, bytes)):
        raise InvalidResource("Bundle", "must be text or bytes, as Path.read_bytes() gives them")
    try:
        held = read_json(raw)
    except Unreadable as error:
        raise InvalidResource("Bundle", f"cannot be read: {error}") from None
    if not isinstance(held, dict):
        raise InvalidResource("Bundle", "must be an object")
    return held


class Records:
    """Reads records for the documents that a policy holds."""

    def __init__(self, policy: PolicyBase) -> None:
        self._documents = Documents(policy)
        self._vocabulary: Vocabulary | None = None

    @property
    def _shared(self) -> Vocabulary:
        self._vocabulary = self._vocabulary or Vocabulary(self._documents)
        return self._vocabulary

    def read(
        self,
        bundle: object,
        *,
        document: str | None = None,
        date_of_service: date | str | None = None,
        request_id: str | None = None,
    ) -> Reading:
        """The request of a Bundle. Document and date of service come from its Claim or order, unless they are given.

        Raises `InvalidResource` for what is no Bundle of R4, or does not say for whom, what or when; `InvalidValue` for
        a document that is not held. What else cannot be used is in `skipped`.
        """
        held = Bundle(bundle)
        order = self._order(held, document)
        document = document or self._document(order)
        if document not in self._documents:
            self._documents.version(document)  # which says what is held
        services = self._services(order, document)
        day = _whole_day(date_of_service, "date_of_service") if date_of_service else _served(order, services)
        version = self._documents.in_force(document, day.isoformat())
        patient, about = _patient(held, order)
        case = _Case(held, order, patient, about, day, self._shared)
        rules = self._shared.rules(document, version) if version else {}
        facts = self._documents.facts(document, version)
        evidence: list[Evidence] = []
        for name, fact in facts.items():
            evidence += _settled(
                [
                    *case.evidence(fact, rules.get(name, ())),
                    *case.answers(fact, document, str(version)),
                ]
            )
        known = {each.fact: each.value for each in evidence if each.standing == ESTABLISHED}
        for each in held.of("QuestionnaireResponse"):
            if not _is_form_of(each, document, str(version)):
                held.skipped.append(Skipped(f"{each.path}.questionnaire", "is not the form of this version"))
                continue
            held.skipped += [
                Skipped(f"{each.path}.item[{number}]", "answers no question of the form")
                for number, item in enumerate(_list(each.body.get("item")))
                if item.get("linkId") not in list(facts)  # it may be what no key can be
            ]
        codes = _codes(held, order, services, case, self._shared)
        return Reading(
            request=Request(document, day.isoformat(), known, request_id, codes or None),
            evidence=tuple(evidence),
            skipped=tuple(held.skipped),
            order=order.body if order else {},
            items=tuple(service.place for service in services),
        )

    def facts_from_response(
        self, response: object, *, date_of_service: date | str, request_id: str | None = None
    ) -> Reading:
        """The request of a QuestionnaireResponse alone. Raises `InvalidResource`, also when it is not the form of the
        version in force on the date of service."""
        if not isinstance(response, dict) or response.get("resourceType") != "QuestionnaireResponse":
            raise InvalidResource(_ANSWERS, "must be an object whose resourceType is that")
        day = _whole_day(date_of_service, "date_of_service")
        canonical = response.get("questionnaire")
        url, _, version = canonical.rpartition("|") if isinstance(canonical, str) else ("", "", "")
        name = url.rpartition(CANONICAL)[2]
        if name not in self._documents:
            raise InvalidResource(f"{_ANSWERS}.questionnaire", "names no version of a document that is held")
        if version != (held := self._documents.in_force(name, day.isoformat())):
            current = f"which is {held}" if held else "and none is held"
            problem = f"is not the form of the version of {name} in force on the date of service, {current}"
            raise InvalidResource(f"{_ANSWERS}.questionnaire", problem)
        subject = response.get("subject")
        about = subject.get("reference") if isinstance(subject, dict) else None
        if not isinstance(about, str) or not about or about.startswith("#"):  # what it contains is no one else's
            raise InvalidResource(f"{_ANSWERS}.subject", "refers to no one")
        order = {"resourceType": "Claim", "status": "active", "use": "preauthorization", "patient": subject}
        bundle = {"resourceType": "Bundle", "entry": [{"resource": response}, {"resource": order}]}
        try:
            read = self.read(bundle, document=name, date_of_service=day, request_id=request_id)
        except InvalidResource as error:
            raise InvalidResource(_of_answers(error.path), error.problem) from None
        return replace(
            read,
            evidence=tuple(replace(each, path=_of_answers(each.path)) for each in read.evidence),
            skipped=tuple(
                replace(each, path=_of_answers(each.path)) for each in read.skipped if each.path.startswith(_RESPONSE)
            ),
            order={},
        )

    def _order(self, held: Bundle, document: str | None) -> Held | None:
        """The Claim, else the order, of a document held here. None when there is none and a document is given."""
        known = {
            code
            for name in ([document] if document in self._documents else self._documents)
            for code in self._documents.version(str(name))["codes"].get("hcpcs", {})
        }
        claims = [
            each
            for each in held.of("Claim")
            if each.body.get("status") in ("active", "draft") and each.body.get("use") != "claim"
        ]
        orders = [
            each
            for kind, (code, *_) in ((kind, names) for kind, names in _ORDERS.items() if names)
            for each in held.of(kind)
            if each.body.get("status") in ("active", "draft") and each.body.get("doNotPerform") is not True
            if any(code in known for code in self._shared.coded(each.body.get(code), "hcpcs"))
        ]
        # An update brings the claim that it takes the place of.
        prior = [
            held.target(related.get("claim"), each) for each in claims for related in _list(each.body.get("related"))
        ]
        found = [each for each in claims if each not in prior] or orders
        if len(found) > 1:
            raise InvalidResource(found[1].path, "is a second claim or order; send one at a time")
        if found and found[0].altered:  # cancelled, say
            raise InvalidResource(found[0].path, "holds a modifier that is not known here")
        if not found and document is None:
            raise InvalidResource(
                "Bundle.entry", "has no active Claim or order that names a document; name the document"
            )
        return found[0] if found else None

    def _services(self, order: Held | None, document: str) -> list[_Service]:
        """What is asked for under a document: of a claim the items that name it, or all when none does."""
        codes = set(self._documents.version(document)["codes"].get("hcpcs", {}))
        services = _services(order)
        return [each for each in services if codes & set(self._shared.coded(each.concept, "hcpcs"))] or services

    def _document(self, order: Held | None) -> str:
        assert order is not None  # or a document was given
        codes = {code for each in _services(order) for code in self._shared.coded(each.concept, "hcpcs")}
        found = [
            name for name in self._documents if codes & set(self._documents.version(name)["codes"].get("hcpcs", {}))
        ]
        if len(found) != 1:
            raise InvalidResource(
                _services_path(order), f"names {'no document' if not found else 'several documents'}; name the document"
            )
        return found[0]


@dataclass(frozen=True)
class _Service:
    """What is asked for, the element that says when, and where that stands; of a Claim, which of its items it is."""

    concept: Any
    body: Json
    path: str
    place: int = 0


def _services_path(order: Held) -> str:
    return f"{order.path}.{'item.productOrService' if order.type == 'Claim' else _ORDERS[order.type][0]}"


def _services(order: Held | None) -> list[_Service]:
    if order is None:
        return []
    if order.type != "Claim":
        return [_Service(order.body.get(_ORDERS[order.type][0]), order.body, order.path)]
    items = order.body.get("item")
    return [
        _Service(item.get("productOrService"), item, f"{order.path}.item[{number}]", number)
        for number, item in enumerate(items if isinstance(items, list) else ())
        if isinstance(item, dict)
    ]


def _served(order: Held | None, services: list[_Service]) -> date:
    """The date of service. Raises `InvalidResource`."""
    if order is None:
        raise InvalidResource("Bundle.entry", "has no active Claim or order that says when; name the date of service")
    found: set[date] = set()
    path = order.path
    for service in services:
        for name in ("servicedDate", "servicedPeriod") if order.type == "Claim" else _ORDERS[order.type][1:]:
            value = service.body.get(name)
            start = value.get("start") if isinstance(value, dict) else value
            if start is not None:
                path = f"{service.path}.{name}"
                found.add(_whole_day(start, path))
    if len(found) != 1:
        raise InvalidResource(path, f"{'has' if found else 'names no'} date of service{' more than one' * bool(found)}")
    return found.pop()


def _whole_day(value: object, path: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    when = _when(value)
    if when is None or when.first != when.last:
        raise InvalidResource(path, "must be a whole day, YYYY-MM-DD")
    if not FIRST_YEAR <= when.first.year <= LAST_YEAR:
        raise InvalidResource(path, f"must be a day of the years {FIRST_YEAR} to {LAST_YEAR}")
    return when.first


def _patient(held: Bundle, order: Held | None) -> tuple[Json | None, str]:
    """The patient, when the bundle holds one, and how others refer to whom it is about."""
    if order is not None:
        name = _PATIENT.get(order.type, "subject")
        about = held.who(order.body.get(name), order)
        if about is None:
            raise InvalidResource(f"{order.path}.{name}", "refers to no one")
        target = held.target(order.body.get(name), order)
        if target is None and any(held.of("Patient")):
            held.skipped.append(Skipped(f"{order.path}.{name}", "refers to what is not in the bundle"))
        return (target.body if target and target.type == "Patient" and not target.altered else None), about
    patients = list(held.of("Patient"))
    if len(patients) != 1:
        raise InvalidResource(
            "Bundle.entry", f"has {'no Patient' if not patients else 'several Patients'} and no Claim"
        )
    return patients[0].body, patients[0].path


@dataclass(frozen=True)
class _When:
    """When something was so: the days between which it lies, and the moment when that is known."""

    first: date
    last: date
    moment: datetime | None

    def before(self, other: _When) -> bool:
        if self.moment is not None and other.moment is not None:
            return self.moment < other.moment
        return self.last < other.first


_MONTHS = 12
# To the microsecond, as all versions of Python read it.
_DATE_TIME = re.compile(
    r"(?P<minute>\d{4}-\d\d-\d\dT\d\d:\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?(?P<zone>Z|[+-]\d\d:\d\d)",
    re.ASCII,
)


def _when(value: object) -> _When | None:
    """A FHIR date or dateTime of any precision; None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        if "T" in value:
            if not (parsed := _DATE_TIME.fullmatch(value)):
                return None
            second, zone = parsed["second"] or "00", parsed["zone"].replace("Z", "+00:00")
            fraction = (parsed["fraction"] or "").ljust(6, "0")[:6]
            moment = datetime.fromisoformat(f"{parsed['minute']}:{second}.{fraction}{zone}")
            return _When(moment.date(), moment.date(), moment)
        parts = value.split("-")
        if not re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", value, re.ASCII):
            return None
        year, month, day = int(parts[0]), int(parts[1]) if parts[1:] else 1, int(parts[2]) if parts[2:] else 1
        first = date(year, month, day)
        if len(parts) == 3:
            return _When(first, first, None)
        months = 1 if len(parts) == 2 else _MONTHS
        following = date(year + (month + months - 1) // _MONTHS, (month + months - 1) % _MONTHS + 1, 1)
        return _When(first, following - timedelta(days=1), None)
    except (ValueError, OverflowError):
        return None


class _Case:
    """A bundle, what is asked for, whom it is about, and the day for which it is read."""

    def __init__(
        self, held: Bundle, order: Held | None, patient: Json | None, about: str, day: date, shared: Vocabulary
    ) -> None:
        self._held, self._order, self._about, self._day, self._shared = held, order, about, day, shared
        self._elsewhere: dict[str, str] = {}  # by its path, where the code of a resource stands that only refers to it
        self._by_type: dict[str, list[tuple[Held, frozenset[str]]]] = {}
        for resource in held.held:
            if resource.type in shared.stands:
                for each in (self._with_medication(resource), *_components(resource)):
                    text = json.dumps(each.body, separators=(",", ":"), default=str)
                    codes = frozenset(_CODED.findall(text))
                    self._by_type.setdefault(each.type, []).append((each, codes))
        self._aside: dict[int, str | None] = {}
        self._unready_by: dict[str, str | None] = {}
        self._variables = {"patient": patient or {}, "age": _age(patient, day)}

    def evidence(self, fact: Mapping[str, Any], rules: tuple[Rule, ...]) -> Iterator[tuple[Evidence, _When | None]]:
        for rule in rules:
            for held, codes in self._by_type.get(rule.resource, ()):
                if rule.may_read(codes) and self._reads(rule, held):
                    yield from self._read(fact, rule, held)

    def _with_medication(self, held: Held) -> Held:
        """A MedicationRequest that refers to its Medication, as one that has the code of that."""
        if held.type != "MedicationRequest" or "medicationReference" not in held.body:
            return held
        target = self._held.target(held.body["medicationReference"], held)
        if target is None or target.type != "Medication":
            reason = "refers to what is not in the bundle" if target is None else "refers to no Medication"
            self._held.skipped.append(Skipped(f"{held.path}.medicationReference", reason))
        if target is None or target.type != "Medication" or target.altered:
            return held
        self._elsewhere[held.path] = f"{target.path}.code"
        return replace(held, body={**held.body, "medicationCodeableConcept": target.body.get("code")})

    def _reads(self, rule: Rule, held: Held) -> bool:
        if rule.codes and not any(rule.codes.has(concept) for concept in self._element(held, rule.code)):
            return False
        if rule.means and not any(
            meant.has(element) for element in self._element(held, rule.read) for _, meant in rule.means
        ):
            return False
        if not rule.has_components(held.body):
            return False
        return not rule.also or self._of(held.body, rule.also) == [True]

    def _element(self, held: Held, path: str) -> list[Any]:
        """What stands at a path: of a single name at once, value being one of valueQuantity, of more by FHIRPath."""
        if path in held.body:
            return [held.body[path]]
        if path.isalpha():
            return [item for name, item in held.body.items() if re.fullmatch(f"{path}[A-Z]\\w*", name, re.ASCII)]
        return self._of(held.body, path)

    def _of(self, node: Any, expression: str) -> list[Any]:  # noqa: ANN401
        try:
            return fhirpath(expression)(node, self._variables)
        except (ImportError, InvalidValue):
            raise
        except Exception:  # what is not of the type that FHIR says is nothing that can be read
            return []

    def aside(self, held: Held) -> str | None:
        """Why a resource establishes nothing; None when it may."""
        if id(held) not in self._aside:
            self._aside[id(held)] = self._why(held)
        return self._aside[id(held)]

    def _why(self, held: Held) -> str | None:
        if held.panel:
            return self.aside(held.panel) or self._unready(held)
        if held.altered:
            return "holds a modifier that is not known here"
        name = _PATIENT.get(held.type, "subject")
        about = held.path if held.type == "Patient" else self._held.who(held.body.get(name), held)
        if about != self._about:
            return "says not of whom it is" if about is None else "is of another patient"
        if held.type == "Claim" and held is not self._order:
            return "is another claim than the one to be decided"
        if reason := self._unready(held):
            return reason
        dates = [self._dated(held, name) for name in _WHEN.get(held.type, ()) if name in held.body]
        if None in dates:
            return "has a date that cannot be read"
        if any(when is not None and when.first > self._day for when in dates):
            return "is after the date of service"
        if any(when is not None and when.last > self._day for when in dates) and held.type in _DATED:
            return "may be after the date of service"
        if not dates and held.type in _DATED:
            return "has no date"
        return None

    def _unready(self, held: Held) -> str | None:
        """Why it does not stand. Most resources of a record stand alike, and are asked once."""
        tests = self._shared.stands.get(held.type, ())
        if held.panel:  # which has the rest
            tests = tuple(test for test in tests if test.element in held.body)
        elements = tuple(test.element for test in tests)  # abatementDateTime is one of abatement
        names = sorted(name for name in held.body if name.startswith(elements))
        part = {"resourceType": held.type} | {name: held.body[name] for name in names}
        key = json.dumps([held.panel is None, part], default=str)
        if key not in self._unready_by:
            failed = (test.otherwise for test in tests if self._of(part, test.where) != [True])
            self._unready_by[key] = next(failed, None)
        return self._unready_by[key]

    def _dated(self, held: Held, name: str) -> _When | None:
        value = held.body[name]
        if isinstance(value, dict):  # a Period: a condition is there from its start on, a test is over at its end
            value = value.get("end", value.get("start")) if held.type in _DATED else value.get("start")
        return _when(value)

    def when(self, held: Held) -> _When | None:
        held = held.panel or held
        return next((self._dated(held, name) for name in _WHEN.get(held.type, ()) if name in held.body), None)

    def _read(self, fact: Mapping[str, Any], rule: Rule, held: Held) -> Iterator[tuple[Evidence, _When | None]]:
        when, aside = self.when(held), self.aside(held)
        # A number that cannot be read has been measured nonetheless. What a test has found, a variant of a gene say, is
        # not undone by a later sample.
        measured = when if rule.quantity and not rule.suggests and not aside else None
        for element in self._element(held, rule.read):
            for value, problem in self._values(fact, rule, element):
                reason = aside or problem
                standing = SET_ASIDE if reason else SUGGESTED if rule.suggests else ESTABLISHED
                yield (
                    Evidence(
                        fact=fact["name"],
                        standing=standing,
                        path=self._place(held, rule),
                        value=None if problem else value,
                        resource=f"{held.type}/{held.body.get('id', '')}",
                        day=when.first.isoformat() if when else None,
                        reason=reason,
                    ),
                    measured,
                )

    def _place(self, held: Held, rule: Rule) -> str:
        """FHIRPath of what is read, or of the resource, when what is read is worked out."""
        if held.path in self._elsewhere and rule.read == rule.code:
            return self._elsewhere[held.path]
        return held.path if rule.read.startswith(("iif(", "%")) else f"{held.path}.{rule.read}"

    def _values(self, fact: Mapping[str, Any], rule: Rule, element: Any) -> Iterator[tuple[Any, str | None]]:  # noqa: ANN401
        if rule.quantity:
            yield _quantity(fact, element, self._shared.units.get(fact.get("unit", "")))
        elif rule.means:
            for value, codes in rule.means:
                if codes.has(element):
                    yield value, None
        elif isinstance(element, bool) is (fact["type"] == "boolean"):
            yield element, None if fact["type"] == "boolean" else _outside(fact, element)

    def answers(self, fact: Mapping[str, Any], document: str, version: str) -> Iterator[tuple[Evidence, _When | None]]:
        """What the questionnaire of the document says, when it has been answered."""
        for held in self._held.of("QuestionnaireResponse"):
            if not _is_form_of(held, document, version):
                continue
            aside = self.aside(held)
            status = held.body.get("status")  # of a form that goes on, an answer is one, and a list not yet complete
            if status not in ("completed", "amended") and (status != "in-progress" or fact["type"] == "array"):
                aside = aside or "is not completed"
            when = self.when(held)
            for path, value, problem, origin in answers_of(held.body, fact, held.path):
                yield (
                    Evidence(
                        fact=fact["name"],
                        standing=SET_ASIDE if aside or problem else ESTABLISHED,
                        path=path,
                        value=value,
                        resource=f"{held.type}/{held.body.get('id', '')}",
                        day=when.first.isoformat() if when else None,
                        reason=aside or problem or origin,
                    ),
                    None,
                )


def _settled(found: list[tuple[Evidence, _When | None]]) -> Iterator[Evidence]:
    """Of measurements the latest counts; what then disagrees establishes nothing."""
    rivals = [*_latest([when for _, when in found if when is not None])]
    past = {id(each) for each, when in found if when is not None and any(when.before(other) for other in rivals)}
    latest = [each for each, _ in found if each.standing == ESTABLISHED and id(each) not in past]
    exact = [each.value for each in latest if not isinstance(each.value, dict)]
    # A bound says less than a value within it, and no other.
    less = {
        id(each) for each in latest for value in exact[:1] if isinstance(each.value, dict) and _holds(each.value, value)
    }
    values = {json.dumps(each.value, sort_keys=True) for each in latest if id(each) not in less}
    for each, _ in found:
        if id(each) in past and each.standing == ESTABLISHED:
            yield replace(each, standing=SET_ASIDE, reason="is not the latest")
        elif each.standing == ESTABLISHED and len(values) > 1:
            yield replace(each, standing=CONFLICT, reason="disagrees with another")
        elif id(each) in less:
            yield replace(each, standing=SET_ASIDE, reason="says less than another")
        else:
            yield each


def _latest(measured: list[_When]) -> Iterator[_When]:
    """Of some times those that make any other the past: a day is longer than a moment, so that `before` orders only one
    of either."""
    exact = [(when.moment, when) for when in measured if when.moment]
    if exact:
        yield max(exact, key=lambda each: each[0])[1]
        yield max((when for _, when in exact), key=lambda when: when.first)
    rough = [when for when in measured if not when.moment]
    if rough:
        yield max(rough, key=lambda when: when.first)


def _components(held: Held) -> Iterator[Held]:
    """Of a panel each component, as an Observation of its own."""
    components = held.body.get("component") if held.type == "Observation" else None
    for place, each in enumerate(components if isinstance(components, list) else ()):
        if isinstance(each, dict):
            own = {
                name: each[name] for name in each if name in ("code", "dataAbsentReason") or name.startswith("value")
            }
            body = {"resourceType": held.type, "id": held.body.get("id", ""), **own}
            yield replace(held, path=f"{held.path}.component[{place}]", body=body, panel=held)


def _holds(bound: Mapping[str, Any], value: Any) -> bool:  # noqa: ANN401
    """Whether a value lies within a bound."""
    ((side, limit),) = bound.items()
    return bool(
        {"less_than": value < limit, "at_most": value <= limit, "at_least": value >= limit, "more_than": value > limit}[
            side
        ]
    )


def _is_form_of(held: Held, document: str, version: str) -> bool:
    canonical = held.body.get("questionnaire")
    return isinstance(canonical, str) and canonical.endswith(f"{CANONICAL}{document}|{version}")


def _quantity(fact: Mapping[str, Any], element: Any, unit: Unit | None) -> tuple[Any, str | None]:  # noqa: ANN401
    """The value of a Quantity in the unit of the fact, or why there is none."""
    element = getattr(element, "value", element) if not isinstance(element, dict) else element
    if not isinstance(element, dict) or "value" not in element:
        return None, "has no number"
    code = element.get("code")
    plain = re.sub(r"\{[^{}]*\}", "", code) if isinstance(code, str) else ""
    factor = unit.of.get(plain) if unit else None
    if element.get("system") != UCUM or factor is None:
        return None, "has a unit that is not understood"
    given = element["value"]
    if isinstance(given, bool) or not isinstance(given, (int, float, Decimal)):
        return None, "has no number"
    comparator = element.get("comparator")
    if comparator is not None and comparator not in SIGNS:
        return None, "has a comparator that is not understood"
    try:
        exact = Decimal(given.text if isinstance(given, Number) else str(given)) * factor
        value = number(format(exact.normalize(), "f")) if exact.is_finite() and abs(exact.adjusted()) < 100 else None
    except InvalidOperation:
        value = None
    if value is None or isinstance(value, Number) or len(str(exact.normalize().as_tuple().digits)) > 3 * MOST_DIGITS:
        return None, "has a number that cannot be read"
    if problem := _outside(fact, value):
        return None, problem
    return {SIGNS[comparator]: value} if comparator else value, None


def _outside(fact: Mapping[str, Any], value: Any) -> str | None:  # noqa: ANN401
    if fact["type"] == "integer" and value != int(value):
        return "is no whole number"
    inside = fact.get("minimum", value) <= value <= fact.get("maximum", value)
    return None if inside else "is out of range"


def _age(patient: Json | None, day: date) -> int | list[Any]:
    """In whole years; nothing when the day of birth is not known or not yet come."""
    born = _when((patient or {}).get("birthDate"))
    if born is None or born.first != born.last or born.first > day:
        return []
    return day.year - born.first.year - ((day.month, day.day) < (born.first.month, born.first.day))


def _codes(held: Bundle, order: Held | None, services: list[_Service], case: _Case, shared: Vocabulary) -> Json:
    """The codes of the service and of its diagnoses, informational."""
    if order is None:
        return {}
    hcpcs = [code for service in services for code in shared.coded(service.concept, "hcpcs")]
    icd10: list[str] = []
    elements = [
        concept
        for diagnosis in _list(order.body.get("diagnosis"))
        if not any(
            code.get("code") == "differential" for kind in _list(diagnosis.get("type")) for code in _codings(kind)
        )
        for concept in (diagnosis.get("diagnosisCodeableConcept"), _referred(held, order, diagnosis, case))
    ] + _list(order.body.get("reasonCode"))
    for concept in elements:
        icd10 += [code for code in shared.coded(concept, "icd10cm") if code not in icd10]
    return {name: value for name, value in (("hcpcs", hcpcs[0] if hcpcs else None), ("icd10", icd10)) if value}


def _referred(held: Bundle, order: Held, diagnosis: Json, case: _Case) -> Any:  # noqa: ANN401
    if "diagnosisReference" not in diagnosis:
        return None
    target = held.target(diagnosis["diagnosisReference"], order)
    if target is None:
        held.skipped.append(
            Skipped(f"{order.path}.diagnosis.diagnosisReference", "refers to what is not in the bundle")
        )
    return target.body.get("code") if target and target.type == "Condition" and case.aside(target) is None else None


def _codings(concept: Json) -> list[Json]:
    return _list(concept.get("coding"))


def _list(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
