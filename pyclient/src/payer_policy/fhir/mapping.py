"""Which elements and codes of a record establish the facts of a document: data, one file a version, in `maps/`.

They stand here and not in `policy/`, since OPA serves whatever stands there and never needs them, and the client must
be installed with all that it reads. Which facts there are, their values, ranges and units is the catalogue's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from payer_policy.runtime.documents import module_name
from payer_policy.runtime.errors import InvalidValue, MissingExtra
from payer_policy.runtime.reading import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

# Of HCPCS all that are in use; of the genes' codes too.
SYSTEMS = {
    "icd10cm": ("http://hl7.org/fhir/sid/icd-10-cm",),
    "sct": ("http://snomed.info/sct",),
    "loinc": ("http://loinc.org",),
    "rxnorm": ("http://www.nlm.nih.gov/research/umls/rxnorm",),
    "cpt": ("http://www.ama-assn.org/go/cpt",),
    "hcpcs": (
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "urn:oid:2.16.840.1.113883.6.285",
    ),
    "clinical": ("http://terminology.hl7.org/CodeSystem/condition-clinical",),
}

_MEDICATION = "status = 'active' or status = 'completed'"

# What must hold for a resource to establish anything, each with what it is when it does not. Of a type that is not here
# nothing is read: the history of a family, say.
READY: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Patient": (),
    "Claim": (("is not active", "status = 'active' or status = 'draft'"),),
    "Condition": (
        (
            "is not confirmed",
            "verificationStatus.empty() or (verificationStatus.coding.where(code = 'confirmed').exists() and "
            "verificationStatus.coding.where(code = 'refuted' or code = 'entered-in-error').empty())",
        ),
        ("is no longer active", "clinicalStatus.coding.where(code = 'inactive' or code = 'resolved').empty()"),
    ),
    "Observation": (
        ("is not final", "status = 'final' or status = 'amended' or status = 'corrected'"),
        ("is about someone or something else", "focus.empty()"),
    ),
    "MedicationRequest": (
        ("is not to be done", "doNotPerform.empty() or doNotPerform = false"),
        ("is not active", _MEDICATION),
        ("is no order", "intent = 'order' or intent = 'original-order' or intent = 'instance-order'"),
    ),
    "Procedure": (("is not done", "status = 'completed'"),),
}

# The elements that those tests are of.
STANDING = ("status", "verificationStatus", "clinicalStatus", "focus", "doNotPerform", "intent")

# Where the code of a resource stands.
CODE = {"MedicationRequest": "medication.ofType(CodeableConcept)"}


@dataclass(frozen=True)
class Rule:
    """How a resource establishes a fact, or suggests it."""

    fact: str
    resource: str
    filter: tuple[str, ...]
    """Codes of which the resource itself needs one; none when any will do."""
    also: str
    """FHIRPath, of the resource: what must hold beside; empty when nothing must."""
    read: str
    """FHIRPath, of the resource: what carries the value, `code` say."""
    means: Mapping[str, tuple[str, ...]]
    """By value, its codes; empty when what is read is the value itself."""
    quantity: bool
    suggests: bool
    codes: tuple[str, ...]
    """All codes of which it needs one; a resource that has none of them need not be looked at."""

    @property
    def code(self) -> str:
        """FHIRPath: where the code of the resource stands."""
        return CODE.get(self.resource, "code")

    @property
    def where(self) -> str:
        """FHIRPath, of the resource: whether it is one that the rule reads."""
        tests = [coded(self.code, self.filter)] if self.filter else []
        return " and ".join([*tests, *([f"({self.also})"] if self.also else [])]) or "true"

    @property
    def values(self) -> list[tuple[Any, tuple[str, ...]]]:
        """Each value with the codes that mean it."""
        return [(_VALUES.get(value, value), codes) for value, codes in self.means.items()]


_VALUES = {"true": True, "false": False}


def has(concept: object, codes: tuple[str, ...]) -> bool:
    """Whether a CodeableConcept has one of the codes: what `coded` says in FHIRPath, some hundred times as fast."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    for coding in codings if isinstance(codings, list) else ():
        if not isinstance(coding, dict) or not isinstance(given := coding.get("code"), str):
            continue
        for spelled in codes:
            system, code = spelled.split(" ")
            fits = given.startswith(code[:-1]) if code.endswith("*") else given == code
            if fits and coding.get("system") in SYSTEMS[system]:
                return True
    return False


def coded(path: str, codes: tuple[str, ...]) -> str:
    """FHIRPath: whether a CodeableConcept at the path has one of the codes."""
    tests = []
    for spelled in codes:
        system, code = spelled.split(" ")
        test = f"code.startsWith('{code[:-1]}')" if code.endswith("*") else f"code = '{code}'"
        tests += [f"(system = '{url}' and {test})" for url in SYSTEMS[system]]
    return f"{path}{'.' if path else ''}coding.where({' or '.join(tests)}).exists()"


class Mapped:
    """The rules of a version, by fact."""

    def __init__(self, text: str) -> None:
        (held,) = read_yaml(text)
        self.document: str = held["document"]
        self.version: str = held["version"]
        sets = {f"={name}": tuple(codes) for name, codes in held.get("sets", {}).items()}

        def spelled(codes: list[str]) -> tuple[str, ...]:
            return tuple(each for code in codes for each in sets.get(code, (code,)))

        self.facts: Mapping[str, tuple[Rule, ...]] = {
            fact: tuple(_rule(fact, rule, spelled) for rule in rules) for fact, rules in held["facts"].items()
        }


def _rule(fact: str, rule: dict[str, Any], spelled: Callable[[list[str]], tuple[str, ...]]) -> Rule:
    means = {value: spelled(codes) for value, codes in rule.get("means", {}).items()}
    of_code = spelled(rule.get("codes", []))
    of_value = tuple(each for codes in means.values() for each in codes)
    return Rule(
        fact=fact,
        resource=rule["from"],
        filter=of_code,
        also=rule.get("where", ""),
        read=rule.get("read", CODE.get(rule["from"], "code")),
        means=means,
        quantity=bool(rule.get("quantity")),
        suggests=bool(rule.get("suggests")),
        codes=of_code or of_value,
    )


@cache
def mapped(document: str, version: str) -> Mapped | None:
    """The rules of a version; none when none are held. Raises `MissingExtra`."""
    try:
        name = f"{module_name(document)}_{version.replace('-', '_')}.yaml"
    except InvalidValue:
        return None
    file = files("payer_policy.fhir") / "maps" / name
    if not file.is_file():
        return None
    try:
        return Mapped(file.read_text(encoding="utf-8"))
    except ImportError:
        raise _missing() from None


@cache
def fhirpath(expression: str) -> Callable[..., list[Any]]:
    """An expression, compiled once. Raises `MissingExtra`."""
    try:
        from fhirpathpy import compile
        from fhirpathpy.models import models
    except ImportError:
        raise _missing() from None
    compiled: Callable[..., list[Any]] = compile(expression, models["r4"])
    return compiled


def _missing() -> MissingExtra:
    return MissingExtra("FHIR needs fhirpathpy and pyyaml: pip install 'payer-policy-client[fhir]'")
