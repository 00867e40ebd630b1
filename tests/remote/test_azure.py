"""Azure Blob Storage, as azurite plays it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.remote.contract import Provider, check_fetching, check_listing
from tests.remote.emulators import forget_everything, started
from tests.remote.fault_proxy import FaultProxy, forwarding

pytestmark = pytest.mark.soak
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Of the one account that every azurite has, as its documentation gives it."""


@pytest.fixture(scope="module", name="azurite")
def find_azurite(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program that VSCAN_AZURITE names, or one that npm installs."""
    pytest.importorskip("adlfs")
    if named := os.environ.get("VSCAN_AZURITE"):
        return named
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("azurite needs npm, which is not installed; or name it: VSCAN_AZURITE")
    folder = tmp_path_factory.mktemp("azurite")
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "azurite"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"npm cannot install azurite: {done.stderr[-300:]}")
    return str(folder / "node_modules" / ".bin" / "azurite-blob")


@pytest.fixture(name="provider")
def make_provider(
    azurite: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Provider]:
    """The emulator, with a container."""
    from azure.storage.blob import BlobServiceClient

    command = [azurite, "--blobHost", "127.0.0.1", "--blobPort", "0", "--skipApiVersionCheck",
               "--inMemoryPersistence", "--disableTelemetry"]  # fmt: skip
    listening = r"listens on (http://127\.0\.0\.1:\d+)"
    with started(command, listening, cwd=tmp_path_factory.mktemp("blobs")) as found:
        account = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=" + KEY
        client: Any = BlobServiceClient.from_connection_string(
            f"{account};BlobEndpoint={found[1]}/devstoreaccount1;"
        ).create_container("videos")

        def put(key: str, data: bytes) -> None:
            client.upload_blob(key, data, overwrite=True)

        with FaultProxy(forwarding(found[1])) as proxy:
            endpoint = f"{proxy.url}/devstoreaccount1"
            monkeypatch.setenv(
                "AZURE_STORAGE_CONNECTION_STRING", f"{account};BlobEndpoint={endpoint};"
            )
            monkeypatch.setattr("vscan.remote.azure.PAGE_KEYS", 3)
            forget_everything()
            yield Provider("az://videos", put, proxy, lambda seen: "x-ms-range" in seen.headers)
            forget_everything()


def test_listing(provider: Provider) -> None:
    """As of every provider."""
    check_listing(provider)
    assert sum("comp=list" in seen.path for seen in provider.proxy.seen) > 8


def test_fetching(provider: Provider, tmp_path: Path) -> None:
    """As of every provider."""
    check_fetching(provider, tmp_path)
