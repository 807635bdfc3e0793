"""What can go wrong, flat under `PolicyError`. No message holds a value of a request: requests hold health data."""

from __future__ import annotations

from payer_policy.runtime.values import Decision, RequestError


class PolicyError(Exception):
    """The base of every error that this package raises."""


class PolicyUnreachable(PolicyError):
    """No answer within the attempts and the deadline: the connection fails or is dropped, the reply is late or
    truncated, the status is 429 or 5xx. Or the client is closed."""


class PolicyRefused(PolicyError):
    """The server refuses the caller: 401 or 403."""


class PolicyNotLoaded(PolicyError):
    """No such policy here: 404, or a 200 without a result; or the embedded policy cannot be loaded."""


class RevisionRefused(PolicyError):
    """A bundle has none of the revisions that the client accepts, an older one that was published again, say."""


# Errors that are of no request in particular.
NOBODY_DECIDES = (PolicyUnreachable, PolicyRefused, PolicyNotLoaded, RevisionRefused)


class ProtocolError(PolicyError):
    """The answer is not what the contract says: not OPA's, not JSON, too long, a warning, a field missing or of another
    kind, a decision that does not follow from its own criteria or answers another request."""


class RequestTooLarge(PolicyError):
    """A request, or a batch, is larger than the embedded policy takes, or needs more memory than it may have."""


class InvalidRequest(PolicyError):
    """The policy finds the request invalid. `errors` holds every error with its path, `decision` the whole decision."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.errors: tuple[RequestError, ...] = decision.errors
        super().__init__("; ".join(f"{error.path or 'the request'} {error.message}" for error in self.errors))

    def __reduce__(self) -> tuple[type[InvalidRequest], tuple[Decision]]:
        """So that it crosses process boundaries."""
        return type(self), (self.decision,)


class InvalidValue(PolicyError):
    """A value cannot be used: a request that JSON cannot hold (NaN, an unknown class), a word that means no value of
    its fact, an argument out of range. Names the field."""


class MissingExtra(PolicyError):
    """An optional part is used without its dependency; names what to install."""


class InvalidResource(InvalidValue):
    """What was given is no FHIR R4 that can be used. Its message begins with the `path`, the FHIRPath of the place."""

    def __init__(self, path: str, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path} {problem}")

    def __reduce__(self) -> tuple[type[InvalidResource], tuple[str, str]]:
        """So that it crosses process boundaries."""
        return type(self), (self.path, self.problem)


def must_be_a_decision(given: object) -> None:
    """What is made of a decision is made of nothing else, its dict say. Raises `InvalidValue`."""
    if not isinstance(given, Decision):
        raise InvalidValue(f"decision must be a Decision, as decide returns it, and is a {type(given).__name__}")
