"""FHIR R4 in, Da Vinci out: a patient's record becomes a request, and the decision on it the answer that is due.

with EmbeddedPolicy() as policy:
    reading = Records(policy).read(bundle)
    decision = policy.decide(reading.request)
"""

from payer_policy.fhir.answer import card, claim_response, coverage_information, person_decided, response_bundle
from payer_policy.fhir.bundle import Skipped
from payer_policy.fhir.form import next_question, questionnaire
from payer_policy.fhir.record import Evidence, Reading, Records, read_bundle

__all__ = [
    "Evidence",
    "Reading",
    "Records",
    "Skipped",
    "card",
    "claim_response",
    "coverage_information",
    "next_question",
    "person_decided",
    "questionnaire",
    "read_bundle",
    "response_bundle",
]
