"""A Bundle of FHIR R4: its resources, who refers to what, and what of it cannot be used and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from payer_policy.runtime.errors import InvalidResource

Json = dict[str, Any]

# Of objects and lists in one another; FHIR's own resources, Questionnaires apart, go nowhere near.
_DEEPEST = 60

# Elements that R5 gave another shape under the same resource: to read them as R4 would miss what they say.
_OF_R5 = {
    "MedicationRequest": ("medication",),
    "MedicationStatement": ("medication", "adherence"),
    "MedicationAdministration": ("medication", "occurenceDateTime"),
    "Procedure": ("occurrenceDateTime", "occurrencePeriod"),
    "Condition": ("participant",),
    "Claim": ("event", "diagnosisRelatedGroup"),
    "Bundle": ("issues",),
}


@dataclass(frozen=True)
class Skipped:
    """A part of the bundle that is not read, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Held:
    """A resource of the bundle. Its repr names the place only."""

    path: str
    body: Json = field(repr=False)
    url: str = field(repr=False)
    """By which a bundle refers to it: its fullUrl, or type and id; empty when it has neither."""
    owner: Held | None = field(default=None, repr=False)
    """The resource that contains it."""
    altered: bool = False
    """Whether something in it, that is not known here, changes what it means: a modifierExtension, implicitRules."""

    @property
    def type(self) -> str:
        kind: str = self.body["resourceType"]
        return kind


class Bundle:
    """The resources of a Bundle in its order, contained ones after their owners. Raises `InvalidResource`."""

    def __init__(self, received: object) -> None:
        if not isinstance(received, dict) or received.get("resourceType") != "Bundle":
            raise InvalidResource("Bundle", "is no FHIR Bundle: it must be an object whose resourceType is Bundle")
        _is_r4(received, "Bundle")
        entries = received.get("entry", [])
        if not isinstance(entries, list):
            raise InvalidResource("Bundle.entry", "must be a list")
        self.skipped: list[Skipped] = []
        self.held: list[Held] = []
        found: dict[str, list[Held]] = {}
        for number, entry in enumerate(entries):
            path = f"Bundle.entry[{number}]"
            body = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(body, dict) or not isinstance(body.get("resourceType"), str):
                self.skipped.append(Skipped(path, "has no resource"))
                continue
            where = f"{path}.resource"
            if (deep := _shape(body)) is None:
                self.skipped.append(Skipped(where, "is nested too deeply"))
                continue
            _is_r4(body, where)
            full = entry.get("fullUrl")
            named = f"{body['resourceType']}/{body['id']}" if isinstance(body.get("id"), str) else ""
            held = Held(where, body, full if isinstance(full, str) else named, altered=deep)
            self.held.append(held)
            found.setdefault(held.url, []).append(held)
            contained = body.get("contained")
            for place, inner in enumerate(contained if isinstance(contained, list) else []):
                if isinstance(inner, dict) and isinstance(inner.get("resourceType"), str):
                    _is_r4(inner, f"{where}.contained[{place}]")
                    url = f"{held.url}#{inner.get('id')}"
                    self.held.append(Held(f"{where}.contained[{place}]", inner, url, held, deep))
        for url, same in found.items():
            if not url or len(same) == 1:
                continue
            alike = all(other.body == same[0].body for other in same)
            for other in same[1:] if alike else same:
                self.held = [each for each in self.held if each is not other and each.owner is not other]
                self.skipped.append(Skipped(other.path, "is a repeat" if alike else "has the id of another resource"))
        self._by_url = {each.url: each for each in self.held if each.url}
        self._by_name: dict[str, list[Held]] = {}
        for each in self.held:
            if each.owner is None and isinstance(each.body.get("id"), str):
                self._by_name.setdefault(f"{each.type}/{each.body['id']}", []).append(each)

    def of(self, *types: str) -> Iterator[Held]:
        return (each for each in self.held if each.type in types)

    def target(self, reference: object, origin: Held) -> Held | None:
        """What a Reference of a resource means; None when it is not in the bundle."""
        text = _text(reference)
        if text is None:
            return None
        if text.startswith("#"):
            owner = origin.owner or origin
            return owner if text == "#" else self._by_url.get(f"{owner.url}{text}") if owner.url else None
        text = text.partition("/_history/")[0]
        if text in self._by_url:
            return self._by_url[text]
        base = (origin.owner or origin).url
        if "/" in base and "://" in base and "://" not in text:  # relative to the server of who refers
            absolute = f"{base.rsplit('/', 2)[0]}/{text}"
            if absolute in self._by_url:
                return self._by_url[absolute]
        named = self._by_name.get(text, [])
        return named[0] if len(named) == 1 else None

    def who(self, reference: object, origin: Held) -> str | None:
        """Whom a Reference means, comparably: the place in the bundle, else what it says; None when it says nothing."""
        held = self.target(reference, origin)
        if held is not None:
            return held.path
        text = _text(reference)
        return None if text is None or text.startswith("#") else text.partition("/_history/")[0]


def _text(reference: object) -> str | None:
    text = reference.get("reference") if isinstance(reference, Mapping) else None
    return text if isinstance(text, str) and text else None


def _is_r4(body: Json, path: str) -> None:
    for name in _OF_R5.get(body["resourceType"], ()):
        if name in body:
            raise InvalidResource(f"{path}.{name}", "is of another release than FHIR R4")
    meta = body.get("meta")
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    for number, profile in enumerate(profiles if isinstance(profiles, list) else []):
        if isinstance(profile, str) and profile.startswith(("http://hl7.org/fhir/5.", "http://hl7.org/fhir/3.")):
            raise InvalidResource(f"{path}.meta.profile[{number}]", "is of another release than FHIR R4")


def _shape(body: Json) -> bool | None:
    """Whether something in a resource alters what it means; None when it is nested too deeply to be read."""
    altered = False
    nodes: list[tuple[Any, int]] = [(body, 0)]
    while nodes:
        node, depth = nodes.pop()
        if depth > _DEEPEST:
            return None
        if isinstance(node, dict):
            altered = altered or bool(node.get("modifierExtension")) or bool(node.get("implicitRules"))
            nodes += [(item, depth + 1) for item in node.values() if isinstance(item, (dict, list))]
        else:
            nodes += [(item, depth + 1) for item in node if isinstance(item, (dict, list))]
    return altered
