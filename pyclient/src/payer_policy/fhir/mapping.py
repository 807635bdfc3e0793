"""What of a record establishes the facts of a version: the rules of its catalogue, made ready to be asked.

The policy holds them, `record` of each version, and `fhir` what they share: the URLs of code systems, what must hold
for a resource to say anything, the units of UCUM. So a document is data, and nothing here knows one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from payer_policy.runtime.documents import Documents
from payer_policy.runtime.errors import MissingExtra, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True)
class Codes:
    """Codes of some systems, each by the URL of its system; and categories, by what their codes begin with."""

    exact: frozenset[tuple[str, str]]
    categories: tuple[tuple[str, str], ...]

    def has(self, concept: object) -> bool:
        """Whether a CodeableConcept has one of them: what `fhirpath` says, some hundred times as fast."""
        codings = concept.get("coding") if isinstance(concept, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if not isinstance(coding, dict) or not isinstance(code := coding.get("code"), str):
                continue
            system = coding.get("system")
            if isinstance(system, str) and (
                (system, code) in self.exact
                or any(system == url and code.startswith(begin) for url, begin in self.categories)
            ):
                return True
        return False

    def may_be_among(self, codes: frozenset[str]) -> bool:
        """Whether any of them can be one of some codes, whatever their systems."""
        return any(code in codes for _, code in self.exact) or any(
            code.startswith(begin) for _, begin in self.categories for code in codes
        )

    def fhirpath(self, path: str) -> str:
        """FHIRPath: whether a CodeableConcept at the path has one of them."""
        tests: dict[str, list[str]] = {}
        for url, code in sorted(self.exact):
            tests.setdefault(url, []).append(f"code = '{code}'")
        for url, begin in self.categories:
            tests.setdefault(url, []).append(f"code.startsWith('{begin}')")
        any_of = " or ".join(f"system = '{url}' and ({' or '.join(codes)})" for url, codes in tests.items())
        return f"{path}{'.' if path else ''}coding.where({any_of}).exists()"


@dataclass(frozen=True)
class Rule:
    """How a resource establishes a fact, or suggests it."""

    fact: str
    resource: str
    code: str
    """FHIRPath, of the resource: where its code stands; empty when it has none."""
    codes: Codes | None
    """Of which its code needs one; none when any will do."""
    component: tuple[tuple[Codes, Codes], ...]
    """Of which it needs each: the codes of a component, and of its value."""
    also: str
    """FHIRPath, of the resource: what must hold beside; empty when nothing must."""
    read: str
    """FHIRPath, of the resource: what carries the value."""
    means: tuple[tuple[Any, Codes], ...]
    """Each value with the codes that mean it; empty when what is read is the value itself."""
    quantity: bool
    suggests: bool

    @property
    def where(self) -> str:
        """FHIRPath, of the resource: whether it is one that the rule reads."""
        tests = [self.codes.fhirpath(self.code)] if self.codes else []
        tests += [
            f"component.where({code.fhirpath('code')} and {value.fhirpath('value')}).exists()"
            for code, value in self.component
        ]
        return " and ".join([*tests, *([f"({self.also})"] if self.also else [])]) or "true"

    def may_read(self, codes: frozenset[str]) -> bool:
        """Whether a resource that holds some codes, and no others, can be one that the rule reads anything of."""
        needed = [*([self.codes] if self.codes else []), *(value for _, value in self.component)]
        return all(each.may_be_among(codes) for each in needed) and (
            not self.means or any(meant.may_be_among(codes) for _, meant in self.means)
        )

    def has_components(self, body: Json) -> bool:
        """Whether a resource has each component that it needs: what `where` says of them."""
        held = body.get("component") if self.component else None
        found = [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []
        return all(
            any(code.has(each.get("code")) and value.has(each.get("valueCodeableConcept")) for each in found)
            for code, value in self.component
        )


@dataclass(frozen=True)
class Stands:
    """What must hold of an element for a resource to say anything."""

    element: str
    where: str
    """FHIRPath, of the resource."""
    otherwise: str
    """What it is when it does not hold."""


@dataclass(frozen=True)
class Unit:
    """A unit of facts in UCUM."""

    ucum: str
    of: Mapping[str, Decimal]
    """How many of it one of another UCUM unit is."""


class Vocabulary:
    """What the records of all documents share. Raises what `PolicyBase.catalogue` does, and `ProtocolError` when the
    policy does not say how FHIR is read."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        held = documents.fhir
        try:
            self.systems = {name: tuple(urls) for name, urls in held["systems"].items()}
            self.stands = {
                kind: tuple(Stands(**test) for test in resource["stands"])
                for kind, resource in held["resources"].items()
            }
            self._code = {kind: resource.get("code", "") for kind, resource in held["resources"].items()}
            self.units = {
                name: Unit(unit["ucum"], {code: Decimal(str(many)) for code, many in unit["of"].items()})
                for name, unit in held["units"].items()
            }
        except (KeyError, TypeError, AttributeError, ArithmeticError):
            raise ProtocolError("catalogue.fhir is not as the contract has it") from None
        self._rules: dict[tuple[str, str], Mapping[str, tuple[Rule, ...]]] = {}

    def rules(self, document: str, version: str) -> Mapping[str, tuple[Rule, ...]]:
        """By fact, the rules of a version, made once."""
        if (document, version) not in self._rules:
            record = self._documents.version(document, version).get("record", {})
            try:
                self._rules[document, version] = {
                    fact: tuple(self._rule(fact, rule) for rule in rules) for fact, rules in record.items()
                }
            except (KeyError, TypeError, AttributeError):
                raise ProtocolError("catalogue.documents.versions.record is not as the contract has it") from None
        return self._rules[document, version]

    def _rule(self, fact: str, rule: Json) -> Rule:
        code = self._code[rule["resource"]]
        return Rule(
            fact=fact,
            resource=rule["resource"],
            code=code,
            codes=self.codes(rule["codes"]) if "codes" in rule else None,
            component=tuple(
                (self.codes(each["codes"]), self.codes(each["value"])) for each in rule.get("component", ())
            ),
            also=rule.get("where", ""),
            read=rule.get("read", code),
            means=tuple((meant["value"], self.codes(meant["codes"])) for meant in rule.get("means", ())),
            quantity=rule.get("quantity", False),
            suggests=rule.get("suggests", False),
        )

    def coded(self, concept: object, system: str) -> list[str]:
        """The codes of a system in a CodeableConcept, as a request takes them."""
        codings = concept.get("coding") if isinstance(concept, dict) else None
        found = [each for each in codings if isinstance(each, dict)] if isinstance(codings, list) else []
        codes = [each.get("code") for each in found if each.get("system") in self.systems.get(system, ())]
        return [code for code in codes if isinstance(code, str) and 0 < len(code) <= 20 and code.isprintable()]

    def codes(self, held: Mapping[str, list[str]]) -> Codes:
        spelled = [(url, code) for system, codes in held.items() for code in codes for url in self.systems[system]]
        return Codes(
            frozenset((url, code) for url, code in spelled if not code.endswith("*")),
            tuple((url, code[:-1]) for url, code in spelled if code.endswith("*")),
        )


@cache
def fhirpath(expression: str) -> Callable[..., list[Any]]:
    """An expression, compiled once. Raises `MissingExtra`."""
    try:
        from fhirpathpy import compile
        from fhirpathpy.models import models
    except ImportError:
        raise MissingExtra("FHIR needs fhirpathpy: pip install 'payer-policy-client[fhir]'") from None
    compiled: Callable[..., list[Any]] = compile(expression, models["r4"])
    return compiled
