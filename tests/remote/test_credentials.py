"""Credentials come from the provider's own places, and go nowhere."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

from tests.remote.emulators import CANARY_ID, CANARY_KEY, Bucket
from tests.remote.fault_proxy import FaultProxy, Status
from vscan.errors import SourceError, UsageError
from vscan.remote.fetching import Fetching
from vscan.remote.objects import look_at


def test_no_credentials(
    s3: Bucket, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is tried anonymously; the remedy says where credentials are looked for."""
    uri = s3.put("a", b"12345")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SourceError, match="(?s)credentials.*AWS_PROFILE") as caught:
        Fetching().fetch(uri, tmp_path / "a")
    assert ("permission_denied", []) == (caught.value.code, proxy.seen)


def test_no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a library finds nothing to connect to, the remedy says what it looks for."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "cAnArY")
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_CONNECTION_STRING"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SourceError, match="(?s)connection.*AZURE_STORAGE_ACCOUNT_NAME") as caught:
        Fetching().fetch("az://container/a", tmp_path / "a")
    assert "fetch_failed" == caught.value.code
    with pytest.raises(UsageError, match="AZURE_STORAGE_CONNECTION_STRING"):
        look_at("az://container/a")


def test_no_message_holds_a_credential(
    s3: Bucket, proxy: FaultProxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a service echoes."""
    caplog.set_level(logging.DEBUG, logger="vscan")
    uri = s3.put("a", b"12345")
    echo = (
        f"<Error><Code>Odd</Code><Message>AWS_SECRET={CANARY_KEY} {CANARY_ID} at "
        f"https://u:{CANARY_KEY}@h/x?X-Amz-Signature={CANARY_ID}</Message></Error>"
    ).encode()
    said = []
    fetching = Fetching()
    for status in (400, 403, 404, 500):
        proxy.forget()
        proxy.fault(Status(status, {}, echo), times=5, where=lambda seen: seen.method == "GET")
        with pytest.raises(SourceError) as caught:
            fetching.fetch(uri, tmp_path / "a")
        said += [str(caught.value), repr(caught.value)]
        said += traceback.format_exception(caught.value)
    told = "\n".join((*said, caplog.text))
    assert "attempt 1 of 5" in caplog.text
    assert [] == [each for each in (CANARY_ID, CANARY_KEY) if each in told]
