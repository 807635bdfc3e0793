"""What a policy holds, by document and version: read off its catalogue."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import suppress
from keyword import iskeyword
from typing import Any

from payer_policy.runtime.errors import InvalidValue, ProtocolError
from payer_policy.runtime.policy import PolicyBase


class Documents:
    """The documents that a policy holds, each with its versions by their first day in force, oldest first.

    Each is asked for when it is needed first, and all at once when one is not held: the catalogue of hundreds is many
    times what a file of requests is about. So any method may raise what `PolicyBase.catalogue` does."""

    def __init__(self, policy: PolicyBase) -> None:
        self._policy = policy
        self._held: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._facts: dict[str, dict[str, dict[str, Mapping[str, Any]]]] = {}
        self._fhir: Mapping[str, Any] | None = None
        self._whole = False

    def __iter__(self) -> Iterator[str]:
        self._ask(None)
        return iter(self._held)

    def __contains__(self, document: object) -> bool:
        return isinstance(document, str) and bool(self._versions(document))

    def _versions(self, document: str) -> Mapping[str, Mapping[str, Any]]:
        if document not in self._held:
            with suppress(InvalidValue):  # a name that is no Unicode text, from a file
                self._ask(document)
        if document not in self._held:
            self._ask(None)  # so that no further one that is not held is asked for
        return self._held.get(document, {})

    def _ask(self, document: str | None) -> None:
        if self._whole:
            return
        catalogue = self._policy.catalogue(document)
        try:
            held = {
                entry["document"]: {version["version"]: version for version in entry["versions"]}
                for entry in catalogue["documents"]
            }
            facts = {
                name: {
                    version: {fact["name"]: fact for fact in described["facts"]}
                    for version, described in versions.items()
                }
                for name, versions in held.items()
            }
        except (KeyError, TypeError):
            raise ProtocolError("catalogue.documents is not as the contract has it") from None
        self._held, self._facts = (
            (held, facts) if document is None else ({**self._held, **held}, {**self._facts, **facts})
        )
        self._fhir = catalogue.get("fhir", {})
        self._whole = document is None

    @property
    def fhir(self) -> Mapping[str, Any]:
        """What the records of all documents share, as the catalogue has it; empty of a policy that says nothing of
        FHIR."""
        if self._fhir is None:
            self._ask(None)
        return self._fhir or {}

    def version(self, document: str, version: str | None = None) -> Mapping[str, Any]:
        """As the catalogue has it; the latest when none is named. Raises `InvalidValue` when it is not held, with what
        is."""
        versions = self._versions(document)
        if not versions:
            raise InvalidValue(f"{document} is no document held here; held are {', '.join(self) or 'none'}")
        if version is None:
            return versions[max(versions)]
        if version not in versions:
            raise InvalidValue(f"{document} has no version {version}; held are {', '.join(versions)}")
        return versions[version]

    def in_force(self, document: object, day: object) -> str | None:
        """The version of a document in force on a day, which a request gives as text; None when there is none."""
        if not isinstance(document, str) or not isinstance(day, str):
            return None
        versions = [*self._versions(document)]
        number = bisect_right(versions, day)
        return versions[number - 1] if number else None

    def facts(self, document: object, version: str | None) -> Mapping[str, Mapping[str, Any]]:
        """The facts of a version by name; none when it is not held."""
        if not isinstance(document, str) or version is None or version not in self._versions(document):
            return {}
        return self._facts[document][version]

    def all_facts(self, document: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The facts of every version of a document, oldest version first."""
        self._versions(document)
        return ((name, fact) for facts in self._facts.get(document, {}).values() for name, fact in facts.items())

    def facts_for(self, document: object, day: object) -> Mapping[str, Mapping[str, Any]]:
        """The facts that a request may name: those of the version in force; of the rest, those of any other version."""
        of_any = dict(self.all_facts(document)) if isinstance(document, str) else {}
        return {**of_any, **self.facts(document, self.in_force(document, day))}


def module_name(document: str) -> str:
    """The name of a document where it has to be an identifier, as in the names of its files and its Python module:
    `NCD-240.4` is `ncd240_4`. Raises `InvalidValue` when it makes none."""
    name = document.lower().replace("-", "").replace(".", "_")
    if not re.fullmatch("[A-Za-z][A-Za-z0-9.-]*", document) or iskeyword(name):
        raise InvalidValue(
            f"{document} makes no name of a module: it must begin with a letter, then letters, digits, - and .,"
            " and be no word of Python"
        )
    return name
