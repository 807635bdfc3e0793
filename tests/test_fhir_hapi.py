"""All FHIR that is made of a decision, on every vector, held against base R4 by HAPI's validator."""

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from payer_policy import EmbeddedPolicy, InvalidRequest
from payer_policy.fhir import (
    claim_response,
    coverage_information,
    person_decided,
    questionnaire,
    read_bundle,
    response_bundle,
)

from tests import ROOT
from tests.oracle.vectors import VECTORS
from tests.stage.opa import fail, java

Json = dict[str, Any]

CREATED = datetime(2025, 6, 2, 9, 30, tzinfo=timezone.utc)
BASE = "https://payer.example/fhir"
HAPI = ROOT / ".tools" / "hapi"
RECORD = ROOT / "examples" / "fhir" / "relapsed-b-all.json"


@pytest.mark.parametrize(
    ("says", "taken"),
    [
        ('openjdk version "11.0.25" 2024-10-15', "11"),
        ('java version "1.8.0_392"', "1"),
        ("No Java runtime present, requesting install.", "not there"),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "17.0.15" 2025-04-15', ""),
        ('openjdk version "26-ea" 2026-03-17', ""),
    ],
)
def test_java_is_new_enough_or_the_error_says_so(
    says: str, taken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `java -version` has it, which writes to standard error."""
    command = tmp_path / "bin" / "java"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\necho '{says}' >&2\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    if taken:
        with pytest.raises(
            pytest.fail.Exception, match=f"Java 17 or newer is needed, and {command} is {taken}: install"
        ):
            java()
    else:
        assert java() == str(command)


Validated = Callable[[list[Json]], list[str]]


@pytest.fixture(scope="module")
def validated() -> Iterator[Validated]:
    """The errors of resources, each with its number from 1 on and its place. One Java for all: its start takes most."""
    if not (HAPI / ".complete").exists():
        fail("The validator of FHIR is not here. Run `tools/setup hapi`.")
    hasty = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # it ends before a better compilation would pay
    command = [java(), "-Xmx1g", *hasty, "-cp", f"{HAPI}/*", str(ROOT / "tools" / "hapi" / "Validate.java")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as validator:
        assert validator.stdin
        assert validator.stdout
        stdin, stdout = validator.stdin, validator.stdout

        def errors(resources: list[Json]) -> list[str]:
            found = []
            for number, resource in enumerate(resources, 1):
                print(json.dumps(resource), file=stdin, flush=True)
                for line in stdout:
                    if line == "validated\n":
                        break
                    found.append(f"{number}\t{line}")
                else:
                    fail("The validator of FHIR has ended; standard error says why.")
            return found

        yield errors


def test_all_that_is_made_is_valid(served: EmbeddedPolicy, validated: Validated) -> None:
    record = read_bundle(RECORD.read_bytes())
    claim, patient = record["entry"][0]["resource"], record["entry"][1]["resource"]
    del claim["item"][0]["servicedDate"]  # that of each vector
    forms = {
        (entry["document"], held["version"]): questionnaire(served, entry["document"], held["version"], base=BASE)
        for entry in served.catalogue()["documents"]
        for held in entry["versions"]
    }
    made: dict[str, Json] = {json.dumps(form): form for form in forms.values()}
    ids: Json = {"id": "r", "created": CREATED, "number": "N1"}
    for vector in VECTORS.values():
        if not isinstance(vector["input"], dict):
            continue
        try:
            decision = served.decide(vector["input"])
        except InvalidRequest as invalid:
            decision = invalid.decision
        response = claim_response(decision, claim, provider_type="SJ", **ids)
        form = forms.get((decision.policy.document, decision.policy.version)) if decision.policy else None
        coverage = coverage_information(
            decision, "Coverage/plan", day=date(2025, 6, 2), assertion_id="a", number="N1", questionnaire=form
        )
        order = {
            "resourceType": "ServiceRequest",
            "extension": [coverage],
            "status": "active",
            "intent": "order",
            "subject": {"reference": "Patient/child"},
        }
        bundle = response_bundle(response, identifier={"value": "1"}, created=CREATED, base=BASE, others=[patient])
        answers: list[Json] = [response, order, bundle]
        if not decision.errors:
            reviewer = {"reviewer": "1234567893", **ids}
            answers.append(person_decided(decision, claim, certified=False, reasons=["0V"], **reviewer))
            answers.append(person_decided(decision, claim, certified=True, provider_type="SJ", **reviewer))
        made |= {json.dumps(each): each for each in answers}  # most vectors end in the same few answers
    assert len(made) > 400
    print(f"\n{len(made):,} different resources of {len(VECTORS):,} vectors")
    assert validated([*made.values()]) == []


def test_what_is_wrong_is_found(validated: Validated) -> None:
    record = read_bundle(RECORD.read_bytes())
    claim = record["entry"][0]["resource"]
    assert validated([record]) == []
    (error, *_) = validated([claim | {"use": "later"}])
    assert error.startswith("1\tClaim.use\t")
