"""A decision becomes the FHIR that is due: a ClaimResponse of PAS, coverage information and a card of CRD.

Software approves or asks, it never denies: A3 and not-covered are in nothing that comes of a decision alone. Numbers,
ids and the time come from the caller, so that the same input gives the same bytes. All raise `InvalidValue` for what
is no `Decision`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from payer_policy.fhir.record import Reading
from payer_policy.letter import terms_in_words, to_ask
from payer_policy.runtime.errors import InvalidResource, InvalidValue, must_be_a_decision
from payer_policy.runtime.values import Decision, NextStep, Outcome, ReviewAction

Json = dict[str, Any]

_PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-"
_CRD = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information"
_X12 = "https://codesystem.x12.org/005010/"
_REASONS = "https://codesystem.x12.org/external/886"
_SUBMITTED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/adjudication", "code": "submitted"}]}
_CERTIFIED, _NOT_CERTIFIED, _PENDED = "A1", "A3", "A4"
_INPUT_ERRORS = "33"  # of X12 list 901

_REVIEW = "A person reviews the request before anything is decided; this is not a denial."


def claim_response(
    decision: Decision | InvalidResource,
    claim: Json | Reading,
    *,
    id: str,
    created: datetime,
    number: str,
    provider_type: str | None = None,
    request: str | None = None,
) -> Json:
    """The ClaimResponse to a Claim: certified, pended with what to send in, or refused for its errors.

    `claim` is the Reading of a record, which also says where in it an error stands and which items are of the document:
    others are pended, whatever is decided. Or it is a Claim alone, all of whose items the decision is on. An
    `InvalidResource` says the place itself. `number` is the authorization number, or the administration reference of
    what is pended; `provider_type` a code of X12 list 98, needed when it is certified; `request` refers to the Claim,
    by default by its id. Raises `InvalidValue` for the decision of another request: of another document or request_id
    than the Reading's, or of another date of service than the Claim's; and `InvalidResource` with the place of the
    Claim that lacks what a response needs.
    """
    about = claim.items if isinstance(claim, Reading) else None
    places = {f"facts.{each.fact}": each.path for each in claim.evidence} if isinstance(claim, Reading) else {}
    claim = _claim_of(claim, decision)
    response = _response(claim, id, created, request)
    if isinstance(decision, InvalidResource):
        return response | _errors([(decision.path, decision.problem)])
    if decision.outcome is Outcome.INVALID_REQUEST:
        return response | _errors([(places.get(error.path, "Bundle"), error.message) for error in decision.errors])
    if decision.review_action is ReviewAction.CERTIFIED_IN_TOTAL:
        items = _certified(decision, claim, created, number, provider_type, None)
        notes = [terms_in_words(terms) for terms in decision.terms]
        others = [place for place in range(len(items)) if about is not None and place not in about]
        if others:
            for item in items:
                item["noteNumber"] = [*range(1, len(notes) + 1)]
            notes.append(f"This item is no service of the document. {_REVIEW}")
            pended = _pended(claim, number)
            for place in others:
                items[place] = {**pended[place], "noteNumber": [len(notes)]}
    else:
        items = _pended(claim, number)
        notes = _to_send_in(decision)
    return _completed(response, items, notes, {"url": "wasHumanReviewedFlag", "valueBoolean": False})


def person_decided(
    decision: Decision,
    claim: Json | Reading,
    *,
    certified: bool,
    reviewer: str,
    id: str,
    created: datetime,
    number: str,
    reasons: Sequence[str] = (),
    until: date | None = None,
    provider_type: str | None = None,
    request: str | None = None,
) -> Json:
    """The ClaimResponse that a person gives who has reviewed the request: `reviewer` is their NPI, `reasons` codes of
    X12 list 886, needed when it is not certified, `until` the last day of what is. Raises `InvalidValue` without
    them, and all else that `claim_response` does."""
    must_be_a_decision(decision)
    claim = _claim_of(claim, decision)
    if not isinstance(reviewer, str) or not re.fullmatch(r"\d{10}", reviewer, re.ASCII):
        raise InvalidValue("reviewer must be the NPI of a person, ten digits: software does not deny")
    if isinstance(reasons, str):
        raise InvalidValue("reasons must be a list of codes, not one code")
    if not certified and not reasons:
        raise InvalidValue("reasons must not be empty: who is not certified is told why")
    if decision.outcome is Outcome.INVALID_REQUEST:
        raise InvalidValue("decision is of an invalid request: it is to be corrected, not reviewed")
    response = _response(claim, id, created, request)
    items = (
        _certified(decision, claim, created, number, provider_type, until, reasons)
        if certified
        else _reviewed(claim, _NOT_CERTIFIED, number, reasons)
    )
    npi = {"system": "http://hl7.org/fhir/sid/us-npi", "value": reviewer}
    flags = ({"url": "wasHumanReviewedFlag", "valueBoolean": True}, {"url": "reviewerNPI", "valueIdentifier": npi})
    return _completed(response, items, [], *flags)


def response_bundle(
    response: Json, *, identifier: Json, created: datetime, base: str, others: Iterable[Json] = ()
) -> Json:
    """The Bundle in which PAS sends a ClaimResponse, with others that it refers to. Raises `InvalidResource` for one
    without type or id."""
    others = [*others]
    for number, each in enumerate(others):
        for name in ("resourceType", "id"):
            if not isinstance(each, dict) or not isinstance(each.get(name), str):
                raise InvalidResource(f"others[{number}].{name}", "is missing, and its fullUrl is made of it")
    return {
        "resourceType": "Bundle",
        "identifier": identifier,
        "type": "collection",
        "timestamp": _instant(created),
        "entry": [
            {"fullUrl": f"{base.rstrip('/')}/{each['resourceType']}/{each['id']}", "resource": each}
            for each in (response, *others)
        ],
    }


def _claim_of(claim: Json | Reading, decision: Decision | InvalidResource) -> Json:
    """The Claim, when the decision can be the one on it."""
    asked: Json = {}
    if isinstance(claim, Reading):
        asked, claim = claim.request.to_dict(), claim.order
    elif not isinstance(claim, dict):
        kind = type(claim).__name__
        raise InvalidValue(f"claim must be a Claim, as JSON has it, or the Reading of one, and is a {kind}")
    if isinstance(decision, InvalidResource):
        return claim
    must_be_a_decision(decision)
    policy, number = decision.policy, decision.request_id
    day = decision.date_of_service.isoformat() if decision.date_of_service else None
    for name, other in (
        ("document", policy is not None and asked.get("document", policy.document) != policy.document),
        ("request_id", number is not None and asked.get("request_id", number) != number),
        ("date of service", day is not None and not (asked["date_of_service"] == day if asked else _has(claim, day))),
    ):
        if other:
            raise InvalidValue(f"decision is of another {name} than the claim")
    return claim


def _has(claim: Json, day: str) -> bool:
    """Whether a Claim can be for a day: one of its items is, or none says when."""
    said = []
    items = claim.get("item")
    for item in items if isinstance(items, list) else ():
        period = (item.get("servicedPeriod") or {"start": item.get("servicedDate")}) if isinstance(item, dict) else None
        if isinstance(period, dict) and isinstance(first := period.get("start"), str):
            last = period.get("end", day if "servicedPeriod" in item else first)  # a period goes on until it ends
            said.append(first[:10] <= day[: len(first)] and day[: len(str(last))] <= str(last)[:10])
    return any(said) or not said


def _response(claim: Json, id: str, created: datetime, request: str | None) -> Json:
    for name in ("type", "patient", "insurer"):
        if not isinstance(claim.get(name), dict):
            raise InvalidResource(f"Claim.{name}", "is missing, and the response needs it")
    if request is None and not isinstance(claim.get("id"), str):
        raise InvalidResource("Claim.id", "is missing, and the response refers to it; name the request")
    optional = {"requestor": claim["provider"]} if isinstance(claim.get("provider"), dict) else {}
    return {
        "resourceType": "ClaimResponse",
        "id": id,
        "status": "active",
        "type": claim["type"],
        "use": "preauthorization",
        "patient": claim["patient"],
        "created": _instant(created),
        "insurer": claim["insurer"],
        **optional,
        "request": {"reference": request or f"Claim/{claim['id']}"},
    }


def _instant(created: datetime) -> str:
    if not isinstance(created, datetime) or created.tzinfo is None:
        raise InvalidValue("created must be a datetime with a time zone")
    return created.isoformat()


def _completed(response: Json, items: list[Json], notes: list[str], *flags: Json) -> Json:
    reviewer = {"url": f"{_PAS}claimResponseReviewer", "extension": list(flags)}
    said = {"processNote": [{"number": n, "type": "display", "text": text} for n, text in enumerate(notes, 1)]}
    if notes:
        items = [{"noteNumber": [*range(1, len(notes) + 1)], **item} for item in items]
    # In the order of the elements, as people read it.
    items = [{name: item[name] for name in _ITEM if item.get(name)} for item in items]
    head = {"resourceType": response["resourceType"], "id": response["id"], "extension": [reviewer]}
    return {**head, **response, "outcome": "complete", "item": items} | (said if notes else {})


_ITEM = ("extension", "itemSequence", "noteNumber", "adjudication")


def _day(given: date, name: str) -> str:
    """A date as FHIR has it: a datetime would be one of another type."""
    if not isinstance(given, date) or isinstance(given, datetime):
        raise InvalidValue(f"{name} must be a date")
    return given.isoformat()


def _errors(errors: Iterable[tuple[str, str]]) -> Json:
    """What is wrong, and where; a message holds no value."""
    found = list(errors)
    return {
        "outcome": "error",
        "disposition": "; ".join(f"{path} {message}" for path, message in found),
        "error": [
            {
                "extension": [{"url": f"{_PAS}errorPath", "valueString": path}],
                "code": {"coding": [{"system": f"{_X12}901", "code": _INPUT_ERRORS}]},
            }
            for path, _ in found
        ],
    }


def _reviewed(claim: Json, action: str, number: str | None, reasons: Sequence[str], *extensions: Json) -> list[Json]:
    """The items of a Claim, each with its sequence and what is done with it."""
    items = claim.get("item")
    if not isinstance(items, list) or not items:
        raise InvalidResource("Claim.item", "is missing, and the response answers each")
    review = [{"url": f"{_PAS}reviewActionCode", "valueCodeableConcept": _concept(f"{_X12}306", action)}]
    if number is not None:
        review.append({"url": "number", "valueString": number})
    review += [{"url": "reasonCode", "valueCodeableConcept": _concept(_REASONS, reason)} for reason in reasons]
    made = []
    for place, item in enumerate(items):
        sequence = item.get("sequence") if isinstance(item, dict) else None
        if isinstance(sequence, bool) or not isinstance(sequence, int) or sequence < 1:
            raise InvalidResource(f"Claim.item[{place}].sequence", "must be a positive whole number")
        adjudication = {
            "extension": [{"url": f"{_PAS}reviewAction", "extension": review}],
            "category": _SUBMITTED,
        }
        made.append(
            {"itemSequence": sequence, "adjudication": [adjudication]}
            | ({"extension": list(extensions)} if extensions else {})
        )
    return made


def _pended(claim: Json, number: str) -> list[Json]:
    return _reviewed(claim, _PENDED, None, (), {"url": f"{_PAS}administrationReferenceNumber", "valueString": number})


def _certified(
    decision: Decision,
    claim: Json,
    created: datetime,
    number: str,
    provider_type: str | None,
    until: date | None,
    reasons: Sequence[str] = (),
) -> list[Json]:
    if provider_type is None:
        raise InvalidValue("provider_type must be given: who is authorized is named with it")
    if not isinstance(claim.get("provider"), dict):
        raise InvalidResource("Claim.provider", "is missing, and the response authorizes it")
    day = decision.date_of_service or created.date()
    if until is not None and _day(until, "until") < day.isoformat():
        raise InvalidValue("until must not be before the date of service")
    last = until or good_until(decision)
    period = {"start": day.isoformat()} | ({"end": last.isoformat()} if last else {})
    authorized = [
        {"url": "provider", "valueReference": claim["provider"]},
        {"url": f"{_PAS}authorizedProviderType", "valueCodeableConcept": _concept(f"{_X12}98", provider_type)},
    ]
    return _reviewed(
        claim,
        _CERTIFIED,
        number,
        reasons,
        {"url": f"{_PAS}itemPreAuthIssueDate", "valueDate": created.date().isoformat()},
        {"url": f"{_PAS}itemPreAuthPeriod", "valuePeriod": period},
        {"url": f"{_PAS}itemAuthorizedProvider", "extension": authorized},
    )


def good_until(decision: Decision) -> date | None:
    """The last day of an approval by its terms; None when they name none. Of several pathways any one is enough, so the
    longest counts, and one without a limit has none."""
    day, limits = decision.date_of_service, {terms.pathway: terms.duration for terms in decision.terms}
    if day is None:
        return None
    last = [_after(day, limits.get(pathway)) for pathway in decision.pathways_met]
    return None if None in last or not last else max(each for each in last if each is not None)


def _after(day: date, duration: str | None) -> date | None:
    """The last day of a duration that begins on a day."""
    parts = re.fullmatch(r"P(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", duration or "", re.ASCII)
    if parts is None or not any(parts.groups()):
        return None
    years, months, weeks, days = (int(part or 0) for part in parts.groups())
    month = day.month - 1 + months + 12 * years
    year, month = day.year + month // 12, month % 12 + 1
    first = date(year, month, min(day.day, monthrange(year, month)[1]))
    return first + timedelta(weeks=weeks, days=days - 1)


def _to_send_in(decision: Decision) -> list[str]:
    """The questions, the shortest way to an approval first; or that a person reviews it."""
    first, rest = to_ask(decision)
    if decision.next_step is NextStep.REQUEST_INFORMATION:
        return [item.question for item in (*first, *rest)]
    return [decision.summary, _REVIEW]


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def coverage_information(
    decision: Decision,
    coverage: str,
    *,
    day: date,
    assertion_id: str,
    number: str | None = None,
    questionnaire: Mapping[str, Any] | None = None,
) -> Json:
    """The extension of CRD for an order. `coverage` refers to the Coverage, `number` is the authorization number of
    what is approved, `questionnaire` the form of what is missing. Raises `InvalidValue` for an approval without a
    number."""
    must_be_a_decision(decision)
    parts: list[Json] = [_part("coverage", "Reference", {"reference": coverage})]
    if decision.review_action is ReviewAction.CERTIFIED_IN_TOTAL:
        if number is None:
            raise InvalidValue("number must be given: an approval names its authorization")
        parts += [_part("covered", "Code", "covered"), _part("pa-needed", "Code", "satisfied")]
        parts += [_part("satisfied-pa-id", "String", number)]
        last = good_until(decision)
        parts += [_part("expiry-date", "Date", last.isoformat())] if last else []
    elif decision.criteria is None:
        parts += [_part("covered", "Code", "indeterminate"), _part("pa-needed", "Code", "indeterminate")]
        parts += [_reason(decision.summary)]
    else:
        parts += [_part("covered", "Code", "conditional"), _part("pa-needed", "Code", "auth-needed")]
        parts += [_part("info-needed", "Code", "OTH"), _reason(decision.summary)]
        if decision.next_step is NextStep.REQUEST_INFORMATION:
            parts += [_part("doc-needed", "Code", "clinical"), _part("doc-purpose", "Code", "withpa")]
            if questionnaire is not None:
                canonical = f"{questionnaire['url']}|{questionnaire['version']}"
                parts.append(_part("questionnaire", "Canonical", canonical))
        parts += [_instructions(text) for text in _to_send_in(decision)]
    parts += [_part("date", "Date", _day(day, "day")), _part("coverage-assertion-id", "String", assertion_id)]
    return {"url": _CRD, "extension": parts}


def _part(url: str, kind: str, value: object) -> Json:
    return {"url": url, f"value{kind}": value}


def _reason(text: str) -> Json:
    return _part("reason", "CodeableConcept", {"text": text})


def _instructions(text: str) -> Json:
    code = _concept("http://terminology.hl7.org/CodeSystem/crd-coverage-detail", "instructions")
    parts = [
        _part("category", "Code", "cat-other"),
        _part("code", "CodeableConcept", code),
        _part("value", "String", text),
    ]
    return {"url": "detail", "extension": parts}


_LONGEST_SUMMARY = 140  # of a card, in CDS Hooks


def card(decision: Decision, *, uuid: str, source: str) -> Json:
    """A card of CDS Hooks: the summary, what to send in first, and each criterion with its state."""
    must_be_a_decision(decision)
    policy = decision.policy
    title = f"{policy.document} {policy.title}: " if policy else ""
    summary = f"{title}{decision.outcome.value.replace('_', ' ')}"
    first, rest = to_ask(decision)
    lines = [decision.summary]
    if first or rest:
        lines += [
            "",
            "To send in first:" if first else "To send in:",
            *(f"- {item.question}" for item in first or rest),
        ]
    if decision.reasons:
        lines += ["", "What settles it, or is open:"]
        lines += [
            f"- {each.criterion} ({each.state.value.replace('_', ' ')}): {each.text}" for each in decision.reasons
        ]
    if decision.review_action is not ReviewAction.CERTIFIED_IN_TOTAL and not (first or rest):
        lines += ["", _REVIEW]
    return {
        "uuid": uuid,
        "summary": summary if len(summary) <= _LONGEST_SUMMARY else f"{summary[: _LONGEST_SUMMARY - 1]}…",
        "detail": "\n".join(lines),
        "indicator": "info",
        "source": {
            "label": source,
            "topic": {
                "system": "http://terminology.hl7.org/CodeSystem/cdshooks-card-type",
                "code": "coverage-info",
            },
        },
    }
