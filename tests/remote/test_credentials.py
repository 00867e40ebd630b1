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
from vscan.remote.services import Services


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


@pytest.mark.parametrize(
    "uri",
    [
        "abfs://c@other.dfs.core.windows.net/a", "abfs://other.dfs.core.windows.net/c/a",
        "abfs://c@other.dfs.core.chinacloudapi.cn/a", "abfs://c@host.org/a",
        "abfs://c@host.org\\.dfs.core.windows.net/a", "abfs://c@host.org%2F.dfs.core.windows.net/a",
    ],
)  # fmt: skip
@pytest.mark.parametrize("connected", [True, False])
def test_another_account(uri: str, connected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an account has under a name is not taken for what another has; and nobody makes a host
    of their own of the account, which would get the signature."""
    pytest.importorskip("adlfs")
    mine = "DefaultEndpointsProtocol=https;AccountName=mine;AccountKey=bWluZQ=="
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=cAnArY")
    if connected:
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", mine)
    services = Services(allow_private=False)
    if not connected and uri.partition("@")[2] == "other.dfs.core.windows.net/a":
        assert "c" == services.at(uri)[1].bucket  # it says itself whose it is
        return
    if not connected and "@" not in uri:
        assert "a" == services.at(uri)[1].key
        return
    with pytest.raises(UsageError, match="account"):
        services.at(uri)
    if connected:
        services.at("az://c/a")
        services.at("abfs://c@mine.dfs.core.windows.net/a")


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
