"""A Bundle of FHIR R4: its resources, who refers to what, and what of it cannot be used and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
    "ServiceRequest": ("code.concept", "code.reference"),
    "DeviceRequest": ("code",),
    "Condition": ("participant",),
    "Claim": ("event", "diagnosisRelatedGroup"),
    "Bundle": ("issues",),
}


# A fullUrl of a server, from which relative references go out: of its base, the type and the id.
_ON_A_SERVER = re.compile(r"(https?://.+)/(\w+)/[A-Za-z0-9.-]+", re.ASCII)


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
    """By which a bundle refers to it: its fullUrl, or type and id; empty when it has neither. Of what is contained, the
    place of its owner and the id."""
    owner: Held | None = field(default=None, repr=False)
    """The resource that contains it."""
    panel: Held | None = field(default=None, repr=False)
    """The Observation of which it is a component, read as one."""
    altered: bool = False
    """Whether something in it, that is not known here, changes what it means: a modifierExtension, implicitRules."""

    @property
    def type(self) -> str:
        kind: str = self.body["resourceType"]
        return kind

    @property
    def server(self) -> str:
        """On which it is, or its owner; empty when the bundle does not say."""
        whole = self.owner or self
        on = _ON_A_SERVER.fullmatch(whole.url)
        return on[1] if on and on[2] == whole.type else ""


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
            url = full.partition("/_history/")[0] if isinstance(full, str) else _name(body)
            held = Held(where, body, url, altered=deep)
            self.held.append(held)
            contained = body.get("contained")
            for place, inner in enumerate(contained if isinstance(contained, list) else []):
                if isinstance(inner, dict) and isinstance(inner.get("resourceType"), str):
                    _is_r4(inner, f"{where}.contained[{place}]")
                    url = f"{where}#{inner['id']}" if isinstance(inner.get("id"), str) else ""
                    self.held.append(Held(f"{where}.contained[{place}]", inner, url, held, altered=deep))
        self._leave_out_repeats()
        self._by_url = {each.url: each for each in self.held if each.url}
        self._by_name = _grouped((_name(each.body), each) for each in self.held if each.owner is None)

    def _leave_out_repeats(self) -> None:
        """Of resources that are one, the first is read when all say the same, and none when they do not: any may be the
        one that counts. One are those of a url, and those of a type and id unless each is on a server of its own."""
        by_name = _grouped((_name(each.body), each) for each in self.held if each.owner is None)
        left_out: dict[str, str] = {}
        for same in (
            *_grouped((each.url, each) for each in self.held).values(),
            *(same for same in by_name.values() if len(same) > 1 and not all(each.server for each in same)),
        ):
            alike = all(other.body == same[0].body for other in same[1:])
            for other in same[1:] if alike else same:
                left_out.setdefault(other.path, "is a repeat" if alike else "has the id of another resource")
        self.skipped += [Skipped(path, reason) for path, reason in left_out.items()]
        self.held = [
            each
            for each in self.held
            if each.path not in left_out and (each.owner is None or each.owner.path not in left_out)
        ]

    def of(self, *types: str) -> Iterator[Held]:
        return (each for each in self.held if each.type in types)

    def target(self, reference: object, origin: Held) -> Held | None:
        """What a Reference of a resource means; None when it is not in the bundle."""
        text = _text(reference)
        if text is None:
            return None
        owner = origin.owner or origin
        if text.startswith("#"):
            return owner if text == "#" else self._by_url.get(f"{owner.path}{text}")
        held = self._by_url.get(_absolute(text, origin))
        if held is not None:
            return held
        named = [
            each
            for each in self._by_name.get(text.partition("/_history/")[0], ())
            if not (origin.server and each.server)
        ]
        return named[0] if len(named) == 1 else None

    def who(self, reference: object, origin: Held) -> str | None:
        """Whom a Reference means, comparably: the place in the bundle, else what it says; None when it says nothing."""
        held = self.target(reference, origin)
        if held is not None:
            return held.path
        text = _text(reference)
        return None if text is None or text.startswith("#") else _absolute(text, origin)


def _text(reference: object) -> str | None:
    text = reference.get("reference") if isinstance(reference, Mapping) else None
    return text if isinstance(text, str) and text else None


def _name(body: Json) -> str:
    """Type and id, by which a relative reference names a resource; empty when it has no id."""
    return f"{body['resourceType']}/{body['id']}" if isinstance(body.get("id"), str) else ""


def _absolute(text: str, origin: Held) -> str:
    """A reference without its version, from the server of who refers."""
    text = text.partition("/_history/")[0]
    return f"{origin.server}/{text}" if origin.server and ":" not in text else text


def _grouped(named: Iterable[tuple[str, Held]]) -> dict[str, list[Held]]:
    groups: dict[str, list[Held]] = {}
    for name, held in named:
        if name:
            groups.setdefault(name, []).append(held)
    return groups


def _is_r4(body: Json, path: str) -> None:
    for name in _OF_R5.get(body["resourceType"], ()):
        element, _, part = name.partition(".")
        if element in body and (not part or (isinstance(body[element], dict) and part in body[element])):
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
