"""fsspec's file system for a URI: it brings the session, and the provider's own credentials."""

from __future__ import annotations

import os
import re
from typing import Any

from vscan.errors import UsageError
from vscan.remote.answers import one_line
from vscan.remote.redacted import redacted

EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "az": "azure",
    "abfs": "azure",
    "abfss": "azure",
    "http": "http",
    "https": "http",
}
"""Scheme of a URI -> the extra of vscan that reads it."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def scheme_of(name: str) -> str | None:
    """The scheme of a URI in lower case, None for a plain path."""
    match = _SCHEME.match(name)
    return match.group(1).lower() if match else None


def file_system(uri: str, **options: Any) -> Any:
    """fsspec's file system for a URI, by its scheme alone: no chains of several.

    options: of the file system's own constructor, beside what it takes from the URI. Raises
    UsageError where the scheme is unknown, its extra of vscan is not installed, or the library
    finds no account to connect to.
    """
    # gcsfs asks every bucket for its kind otherwise, over gRPC: a minute a call at an emulator.
    # It looks when it is imported.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    import fsspec

    scheme = scheme_of(uri) or ""
    extra = EXTRAS.get(scheme)
    if extra is None and scheme != "memory":
        raise UsageError(
            f"{redacted(uri)}: {scheme}:// is unknown",
            remedy=f"use a local path, or one of {', '.join(sorted(EXTRAS))}",
        )
    try:
        kind = fsspec.get_filesystem_class(scheme)
        system = fsspec.filesystem(scheme, **{**kind._get_kwargs_from_urls(uri), **options})
    except ImportError as error:
        raise UsageError(
            f"{redacted(uri)}: reading {scheme}:// needs vscan[{extra}]",
            remedy=f"install it: pip install 'vscan[{extra}]'",
        ) from error
    except Exception as error:  # noqa: BLE001 -- its cause may hold credentials
        raise UsageError(
            f"{redacted(uri)}: cannot be opened: {one_line(error)}",
            remedy=CREDENTIALS.get(extra or "", ""),
        ) from None
    if extra == "azure":
        _check_account(uri, system.service_client.account_name or system.account_name)
    return system


def _check_account(uri: str, account: str | None) -> None:
    """Raises UsageError where an Azure URI names another account than the credentials are of.

    They win in adlfs, which would read there what has the same name; and of an account that could
    not be one's name it would make the name of a host, which gets the credentials.
    """
    host = uri.partition("://")[2].partition("/")[0].rpartition("@")
    if not host[1] and not re.search(r"\.(?:dfs|blob)\.core\.", host[2]):
        return  # a container alone
    named = re.split(r"\.(?:dfs|blob)\.core\.", host[2])[0]
    if named != account or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", named):
        raise UsageError(
            f"{redacted(uri)}: names another account than the credentials of this machine are of",
            remedy=CREDENTIALS["azure"],
        )


def path_of(system: Any, uri: str) -> str:
    """A URI as its file system names it."""
    return str(system._strip_protocol(uri))


CREDENTIALS = {
    "s3": "see to the credentials of this machine: AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY; AWS_ENDPOINT_URL for another service than AWS",
    "gcs": "see to the credentials of this machine: GOOGLE_APPLICATION_CREDENTIALS, or "
    "`gcloud auth application-default login`",
    "azure": "see to the credentials of this machine: AZURE_STORAGE_CONNECTION_STRING, or "
    "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN or what "
    "`az login` left",
    "http": "have the URL signed anew, or ask whoever runs the server",
}
"""Extra -> where its library finds credentials: what to do where access is denied."""
