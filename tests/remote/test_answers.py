"""Every error of the libraries means what its service meant, at one border."""

from __future__ import annotations

import errno
import importlib
import inspect
import re
import socket
from email.utils import formatdate
from time import time
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from vscan.remote.answers import BadBody, Changed, Refused, Unusable, answer_of, remote_error
from vscan.remote.failures import fetch_error

# Without types of their own.
botocore: Any = importlib.import_module("botocore.exceptions")
gcsfs: Any = importlib.import_module("gcsfs.retry")
google: Any = importlib.import_module("google.auth.exceptions")
translate_boto_error: Any = importlib.import_module("s3fs.errors").translate_boto_error

CANARY = "cAnArY0123456789"
SIGNED = f"https://u:{CANARY}@h/a?X-Amz-Signature={CANARY}"


def boto(status: int, code: str, headers: dict[str, str] | None = None) -> Any:
    """As botocore raises it."""
    return botocore.ClientError(
        {
            "Error": {"Code": code, "Message": f"{SIGNED} is not it"},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers or {}},
        },
        "GetObject",
    )


def web(status: int, headers: dict[str, str] | None = None) -> aiohttp.ClientResponseError:
    """As aiohttp raises it."""
    told: Any = CIMultiDictProxy(CIMultiDict(headers or {}))
    request = aiohttp.RequestInfo(URL(SIGNED), "GET", told, URL(SIGNED))
    return aiohttp.ClientResponseError(request, (), status=status, message="no", headers=told)


def azure(status: int, code: str | None = None) -> HttpResponseError:
    """As azure raises it."""
    error = HttpResponseError(f"no {SIGNED}")
    error.status_code = status
    if code is not None:
        error.error_code = code  # type: ignore[attr-defined]  # azure-storage-blob sets it
    return error


def connecting(cause: OSError) -> aiohttp.ClientConnectorError:
    """As aiohttp raises it."""
    key = aiohttp.client_reqrep.ConnectionKey("h", 443, True, True, None, None, None)
    error = aiohttp.ClientConnectorError(key, cause)
    error.__cause__ = cause
    return error


def caused(error: BaseException, cause: BaseException) -> BaseException:
    """An error with its cause."""
    error.__cause__ = cause
    return error


TABLE: list[tuple[BaseException, str]] = [
    (boto(404, "NoSuchKey"), "not_found"),
    (boto(404, "404"), "not_found"),
    (boto(404, "NoSuchBucket"), "not_found"),
    (boto(403, "AccessDenied"), "permission_denied"),
    (boto(400, "ExpiredToken"), "permission_denied"),
    (boto(403, "RequestTimeTooSkewed"), "permission_denied"),
    (boto(301, "PermanentRedirect"), "refused"),
    (boto(400, "InvalidRequest"), "refused"),
    (boto(400, "RequestTimeout"), "passing"),
    (boto(503, "SlowDown"), "passing"),
    (boto(500, "InternalError"), "passing"),
    (boto(412, "PreconditionFailed"), "changed"),
    (translate_boto_error(boto(403, "403")), "permission_denied"),
    (translate_boto_error(boto(404, "NoSuchKey")), "not_found"),
    (translate_boto_error(boto(503, "SlowDown")), "passing"),
    (translate_boto_error(boto(412, "PreconditionFailed")), "changed"),
    (botocore.NoCredentialsError(), "permission_denied"),
    (botocore.ReadTimeoutError(endpoint_url=SIGNED), "passing"),
    (web(404), "not_found"),
    (web(410), "not_found"),
    (web(401), "permission_denied"),
    (web(403), "permission_denied"),
    (web(429), "passing"),
    (web(502), "passing"),
    (web(501), "refused"),
    (web(418), "refused"),
    (caused(FileNotFoundError(SIGNED), web(403)), "permission_denied"),
    (caused(FileNotFoundError("/a"), KeyError("/a")), "not_found"),
    (connecting(ConnectionRefusedError(111, "refused")), "passing"),
    (connecting(socket.gaierror(-2, "Name or service not known")), "passing"),
    (connecting(OSError(errno.ENETUNREACH, "unreachable")), "passing"),
    (connecting(PermissionError(errno.EACCES, "10.0.0.1: address is not public")),
     "permission_denied"),
    (aiohttp.ServerDisconnectedError(), "passing"),
    (caused(aiohttp.ClientPayloadError("cut"),
            aiohttp.http_exceptions.ContentLengthError("cut")), "passing"),
    (aiohttp.InvalidURL(SIGNED), "refused"),
    (azure(404), "not_found"),
    (azure(403, "AuthenticationFailed"), "permission_denied"),
    (azure(412, "ConditionNotMet"), "changed"),
    (azure(503, "ServerBusy"), "passing"),
    (ClientAuthenticationError("no credential"), "permission_denied"),
    (gcsfs.HttpError({"code": 404, "message": SIGNED}), "not_found"),
    (gcsfs.HttpError({"code": 401, "message": "Invalid Credentials"}), "permission_denied"),
    (gcsfs.HttpError({"code": 429, "message": "slower"}), "passing"),
    (google.DefaultCredentialsError("none"), "permission_denied"),
    (google.TransportError("unreachable"), "passing"),
    (FileNotFoundError(2, "none"), "not_found"),
    (NotADirectoryError(20, "none"), "not_found"),
    (PermissionError(13, "no"), "permission_denied"),
    (TimeoutError(), "passing"),
    (ConnectionResetError(104, "reset"), "passing"),
    (Refused(503, "busy"), "passing"),
    (Refused(404, "none"), "not_found"),
    (BadBody("3 bytes came of 4"), "passing"),
    (Changed("it changed"), "changed"),
    (Unusable("nonsense"), "refused"),
    (ValueError(SIGNED), "refused"),
    (RuntimeError(""), "refused"),
]  # fmt: skip


def named(case: object) -> str | None:
    """Of a case, for pytest."""
    return type(case).__name__ if isinstance(case, BaseException) else None


@pytest.mark.parametrize(("error", "expected"), TABLE, ids=named)
def test_answers(error: BaseException, expected: str) -> None:
    """What it means, as a code of a source and as an error of the system; never a credential."""
    answer, failed, told = answer_of(error), fetch_error(error, SIGNED, 5), remote_error(error)
    kinds = {"not_found": "absent", "permission_denied": "denied"}
    assert kinds.get(expected, expected) == answer.kind
    assert (expected if expected in kinds else "fetch_failed") == failed.code
    assert failed.remedy
    if expected in kinds:
        assert isinstance(told, FileNotFoundError if expected == "not_found" else PermissionError)
    assert answer.text
    assert CANARY not in f"{answer}{failed}{failed!r}{told}{told!r}"


@pytest.mark.parametrize(
    ("module", "passing", "denied"),
    [
        (
            "aiohttp.client_exceptions",
            "(Unix)?Client(OS|.*Connect).*|Server.*|.*Timeout.*|.*Payload.*",
            "",
        ),
        (
            "botocore.exceptions",
            "HTTPClient.*|.*(Connection|ReadTimeout|ConnectTimeout|ConnectionClosed)Error"
            "|.*(Streaming|IncompleteRead|FlexibleChecksum)Error",
            "(?!Unknown).*Credential.*|.*Token.*|SSO.*|Login.*|Profile.*|RefreshWithMFA.*",
        ),
        ("azure.core.exceptions", "Service.*|IncompleteRead.*|Decode.*", "ClientAuthentication.*"),
        ("google.auth.exceptions", "Transport.*|Timeout.*", ".*"),
    ],
)
def test_no_error_of_a_library_is_missed(module: str, passing: str, denied: str) -> None:
    """Of every class that a library has: what is of the network is tried again, what is of
    credentials never is."""
    wrong = []
    for name, kind in vars(importlib.import_module(module)).items():
        if not (inspect.isclass(kind) and issubclass(kind, Exception)):
            continue
        if not kind.__module__.startswith(module.partition(".")[0]):
            continue
        bare = {"__init__": lambda self: None, "__str__": lambda self: "said"}
        told = answer_of(type("Bare", (kind,), bare)()).kind
        expected = "refused"
        if re.search("SSL|Certificate|UnknownToken|Fingerprint", name):
            expected = told if told != "denied" else "refused"
        elif re.fullmatch(passing, name):
            expected = "passing"
        elif re.fullmatch(denied, name):
            expected = "denied"
        if told != expected:
            wrong.append((name, told, expected))
    assert [] == wrong


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (boto(503, "SlowDown", {"retry-after": "3"}), 3),
        (translate_boto_error(boto(503, "SlowDown", {"retry-after": "3"})), 3),
        (web(429, {"Retry-After": "4"}), 4),
        (Refused(429, "slow", retry_after="5"), 5),
        (Refused(429, "slow", retry_after="soon"), None),
        (Refused(429, "slow", retry_after=formatdate(time() - 100, usegmt=True)), 0),
        (web(429), None),
        (TimeoutError(), None),
    ],
)
def test_how_long_to_wait(error: BaseException, expected: float | None) -> None:
    """Retry-After in seconds, wherever a library keeps it; a date that has passed is now."""
    assert expected == answer_of(error).retry_after_s


def test_a_date_to_wait_for() -> None:
    """Retry-After may be a date."""
    told = answer_of(Refused(503, "", retry_after=formatdate(time() + 100, usegmt=True)))
    assert told.retry_after_s is not None
    assert 90 < told.retry_after_s <= 100
