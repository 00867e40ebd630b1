"""What is said of an object that could not be fetched: the code, the cause and what to do."""

from __future__ import annotations

from vscan.errors import SourceError
from vscan.remote.answers import PRIVATE_ADDRESS, answer_of
from vscan.remote.systems import CREDENTIALS, EXTRAS, scheme_of

NETWORK = "see to the network and the service, and to an endpoint that the environment names"


def fetch_error(error: BaseException, uri: str, attempts: int) -> SourceError:
    """An error of a service or its library as the error of the source, without credentials.

    attempts: that a request has, for the message of one that had them all.
    """
    answer = answer_of(error)
    match answer.kind:
        case "absent":
            return SourceError(
                "not_found", "there is no object of this name", remedy="check the name"
            )
        case "denied":
            return _denied(f"access is denied: {answer.text}", uri)
        case "changed":
            return SourceError(
                "fetch_failed",
                "it changed while it was fetched, and again when the fetch began anew",
                remedy="scan it again once nothing writes to it",
            )
        case "passing":
            return SourceError(
                "fetch_failed",
                f"it could not be fetched in {attempts} attempts: {answer.text}",
                remedy="see to the network and the service, and scan it again",
            )
        case "refused":
            return SourceError(
                "fetch_failed",
                f"it cannot be fetched: {answer.text}",
                remedy="see to what the service says, and scan it again",
            )


def looked_error(error: OSError, uri: str) -> SourceError:
    """What `objects.look_at` and a listing raise, as the error of a source, with the same codes."""
    if isinstance(error, FileNotFoundError):
        return SourceError("not_found", str(error), remedy="check the name")
    if isinstance(error, PermissionError):
        return _denied(str(error), uri)
    return SourceError("fetch_failed", str(error), remedy=NETWORK)


def _denied(told: str, uri: str) -> SourceError:
    remedy = CREDENTIALS.get(EXTRAS.get(scheme_of(uri) or "", ""), "")
    if PRIVATE_ADDRESS in told:
        remedy = "if that host is meant: --allow-private-hosts"
    return SourceError("permission_denied", told, remedy=remedy)
