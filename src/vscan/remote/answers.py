"""What services and their libraries answer, told apart once: absent, denied, changed, passing.

The libraries are known by the names of their exceptions, so that none of them is imported here.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vscan.remote.redacted import scrubbed

Kind = Literal["absent", "denied", "changed", "passing", "refused"]
PRIVATE_ADDRESS = "address is not public"
"""Stands in what is said of an address that must not be connected to."""

_BY_STATUS: dict[int, Kind] = {
    401: "denied", 403: "denied", 407: "denied", 404: "absent", 410: "absent", 412: "changed",
    408: "passing", 425: "passing", 429: "passing", 501: "refused", 505: "refused",
}  # fmt: skip
_BY_CODE: dict[str, Kind] = {
    **dict.fromkeys(("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "BlobNotFound"), "absent"),
    **dict.fromkeys(
        ("AccessDenied", "ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "RequestExpired",
         "SignatureDoesNotMatch", "RequestTimeTooSkewed", "TokenRefreshRequired", "InvalidSecurity",
         "AuthorizationHeaderMalformed", "AuthenticationFailed", "NoAuthenticationInformation"),
        "denied",
    ),
    **dict.fromkeys(("PreconditionFailed", "ConditionNotMet"), "changed"),
    **dict.fromkeys(
        ("SlowDown", "Throttling", "ThrottlingException", "RequestThrottled", "TooManyRequests",
         "RequestTimeout", "InternalError", "ServiceUnavailable", "ServerBusy"),
        "passing",
    ),
}  # fmt: skip
"""Codes of S3 and Azure, which say more than the status that they come with."""
_BY_NAME: dict[str, Kind] = {
    # aiohttp and ssl
    **dict.fromkeys(
        ("ClientConnectorCertificateError", "ClientConnectorSSLError", "ClientSSLError",
         "SSLCertVerificationError", "InvalidURL"),
        "refused",
    ),
    **dict.fromkeys(("ClientConnectionError", "ClientPayloadError"), "passing"),
    # botocore
    **dict.fromkeys(
        ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
         "TokenRetrievalError", "SSOError", "UnauthorizedSSOTokenError", "SSOTokenLoadError",
         "ProfileNotFound", "NoAuthTokenError", "RefreshWithMFAUnsupportedError", "LoginError"),
        "denied",
    ),
    "SSLError": "refused",
    **dict.fromkeys(
        ("HTTPClientError", "ResponseParserError", "ResponseStreamingError", "IncompleteReadError",
         "FlexibleChecksumError"),
        "passing",
    ),
    # azure and google
    **dict.fromkeys(("ClientAuthenticationError", "CredentialUnavailableError"), "denied"),
    **dict.fromkeys(("ServiceRequestError", "ServiceResponseError", "DecodeError"), "passing"),
    "TransportError": "passing",
    "GoogleAuthError": "denied",
    # requests, which google's credentials use
    **dict.fromkeys(("ConnectionError", "Timeout", "ChunkedEncodingError"), "passing"),
    # the system
    **dict.fromkeys(("TimeoutError", "IncompleteRead", "gaierror"), "passing"),
}  # fmt: skip
"""By the name of an exception's class or of one above it; the nearest counts."""
_OF_FILES: dict[str, Kind] = {
    "FileNotFoundError": "absent", "NotADirectoryError": "absent", "PermissionError": "denied",
}  # fmt: skip


class Refused(Exception):  # noqa: N818 -- an answer of a service, of a status that is no success
    """An HTTP status that is no success, where no library makes an error of it."""

    def __init__(self, status: int, reason: str, *, retry_after: str | None = None) -> None:
        super().__init__(f"HTTP {status} {reason}".rstrip())
        self.status = status
        self.retry_after = retry_after


class Changed(Exception):  # noqa: N818 -- as above
    """The object is not of the version that was asked for."""


class BadBody(Exception):  # noqa: N818 -- as above
    """Fewer or other bytes came than were promised: worth another try."""


class Unusable(Exception):  # noqa: N818 -- as above
    """An answer from which nothing can be had, however often it is asked for."""


_OWN: dict[type[BaseException], Kind] = {
    Changed: "changed", BadBody: "passing", Unusable: "refused",
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What an error means."""

    kind: Kind
    """`absent`; `denied`; `changed`: of another version than was asked for; `passing`: worth
    another try; `refused`: anything else, which trying again does not mend."""
    text: str
    """What was said, on one line, without credentials."""
    retry_after_s: float | None = None
    """How long the service asks to be left alone."""


def answer_of(error: BaseException) -> Answer:
    """What an error of a library or a service means."""
    chain = list(_causes(error))
    telling = chain[0]
    if _status(chain[-1]) is not None or type(chain[-1]) in _OWN:
        telling = chain[-1]
    elif type(telling).__module__ == "builtins" and len(chain) > 1:
        telling = chain[1]
    return Answer(_kind(chain), one_line(telling), _retry_after_s(chain))


def _causes(error: BaseException) -> Iterator[BaseException]:
    # fsspec calls whatever went wrong over HTTP a file that is not there: the cause knows better,
    # unless it is but the key of a table in memory.
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None or (seen is not error and isinstance(seen, LookupError)):
            return
        yield seen
        if _status(seen) is not None or isinstance(seen, tuple(_OWN)):
            return
        seen = seen.__cause__


def _kind(chain: list[BaseException]) -> Kind:
    if any(PRIVATE_ADDRESS in str(each) for each in chain):
        return "denied"
    for each in reversed(chain):
        if (own := _OWN.get(type(each))) is not None:
            return own
        if (known := _BY_CODE.get(_code(each))) is not None:
            return known
        status = _status(each)
        if status is not None:
            return _BY_STATUS.get(status, "passing" if status >= 500 else "refused")
    # What the system says of a file comes last: it may be one of credentials.
    for names in (_BY_NAME, _OF_FILES):
        for each in reversed(chain):
            for above in type(each).__mro__:
                if (known := names.get(above.__name__)) is not None:
                    return known
    return "refused"


def _status(error: BaseException) -> int | None:
    """The HTTP status of an answer, as aiohttp, azure, gcsfs and botocore keep it."""
    told: Any = getattr(error, "status", None) or getattr(error, "status_code", None)
    if type(error).__name__ == "HttpError":
        # gcsfs'. What aiohttp says of a body that broke off has a code as well, which nobody sent.
        told = getattr(error, "code", None)
    told = told or _response(error).get("ResponseMetadata", {}).get("HTTPStatusCode")
    try:
        status = int(told)
    except (TypeError, ValueError):
        return None
    return status if 100 <= status < 600 else None


def _code(error: BaseException) -> str:
    told = _response(error).get("Error", {}).get("Code") or getattr(error, "error_code", None)
    return str(getattr(told, "value", told))


def _response(error: BaseException) -> Mapping[str, Any]:
    response = getattr(error, "response", None)
    return response if isinstance(response, Mapping) else {}


def _retry_after_s(chain: list[BaseException]) -> float | None:
    for each in chain:
        headers = _response(each).get("ResponseMetadata", {}).get("HTTPHeaders")
        headers = headers or getattr(getattr(each, "response", None), "headers", None)
        headers = headers or getattr(each, "headers", None) or {}
        told = getattr(each, "retry_after", None)
        if told is None and isinstance(headers, Mapping):
            told = headers.get("retry-after", headers.get("Retry-After"))
        if told is not None:
            return _seconds(str(told))
    return None


def _seconds(told: str) -> float | None:
    """Seconds of a Retry-After header: a number, or a date (RFC 9110, section 10.2.3)."""
    if told.strip().isdecimal():
        return float(told)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def remote_error(error: BaseException) -> OSError:
    """What a service said, as the error that the system has for it."""
    answer = answer_of(error)
    if answer.kind == "absent":
        return FileNotFoundError(answer.text)
    if answer.kind == "denied":
        return PermissionError(f"access is denied: {answer.text}")
    return OSError(answer.text)


def one_line(error: BaseException) -> str:
    """What an error says, without credentials, on one line of at most 300 characters."""
    # What may be struck out must not be cut in two first, nor a megabyte be searched.
    told = scrubbed(" ".join(str(error)[:20_000].split()))
    told = told.replace(" (reached max retries: 0)", "")  # botocore's own; `retrying` is ours
    return told[:300] or type(error).__name__
