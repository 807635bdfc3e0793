"""Ask a payer's clinical criteria for a prior-authorisation decision, from a server or in process.

from datetime import date
from payer_policy import EmbeddedPolicy, Request
from payer_policy.cc0126 import Facts

with EmbeddedPolicy() as policy:
    decision = policy.decide(Request("CC-0126", date(2025, 6, 1), Facts(disease="all")))
"""

from payer_policy.runtime.answers import decision_of
from payer_policy.runtime.asynchronous import AsyncEmbeddedPolicy, AsyncPolicy, AsyncPolicyClient
from payer_policy.runtime.client import PolicyClient
from payer_policy.runtime.embedded import EmbeddedPolicy
from payer_policy.runtime.errors import (
    InvalidRequest,
    InvalidResource,
    InvalidValue,
    MissingExtra,
    PolicyError,
    PolicyNotLoaded,
    PolicyRefused,
    PolicyUnreachable,
    ProtocolError,
    RequestTooLarge,
    RevisionRefused,
)
from payer_policy.runtime.facts import Quantity
from payer_policy.runtime.policy import CallRecord, PolicyBase
from payer_policy.runtime.request import Request
from payer_policy.runtime.values import (
    Advisory,
    AskFirst,
    Criteria,
    Criterion,
    Decision,
    Missing,
    NextStep,
    Outcome,
    Policy,
    Provenance,
    Reason,
    RequestError,
    ReviewAction,
    State,
    Terms,
)

__all__ = [
    "Advisory",
    "AskFirst",
    "AsyncEmbeddedPolicy",
    "AsyncPolicy",
    "AsyncPolicyClient",
    "CallRecord",
    "Criteria",
    "Criterion",
    "Decision",
    "EmbeddedPolicy",
    "InvalidRequest",
    "InvalidResource",
    "InvalidValue",
    "Missing",
    "MissingExtra",
    "NextStep",
    "Outcome",
    "Policy",
    "PolicyBase",
    "PolicyClient",
    "PolicyError",
    "PolicyNotLoaded",
    "PolicyRefused",
    "PolicyUnreachable",
    "ProtocolError",
    "Provenance",
    "Quantity",
    "Reason",
    "Request",
    "RequestError",
    "RequestTooLarge",
    "ReviewAction",
    "RevisionRefused",
    "State",
    "Terms",
    "decision_of",
]
