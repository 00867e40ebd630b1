"""Object stores on this machine: moto for S3, started once for all tests of a process.

The fixtures `s3_server` and `s3` are handed on by `conftest.py`; elsewhere import both by name.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from vscan.remote.services import forget_services

CANARY_ID = "AKIACANARYCANARY0001"
CANARY_KEY = "canary+secret/key0123456789abcdefghijkl"
"""Credentials that no message may hold."""
_numbers = itertools.count()


@contextlib.contextmanager
def started(command: list[str], listening: str, **options: Any) -> Iterator[re.Match[str]]:
    """Runs a server until the block ends; what it says when it listens, by a pattern."""
    # To a file: nobody reads on, and a full pipe would stop it.
    with tempfile.TemporaryFile("w+b") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, **options)
        try:
            yield _listening(process, said, listening)
        finally:
            process.terminate()
            process.wait(timeout=10)


def _listening(process: subprocess.Popen[bytes], said: IO[bytes], text: str) -> re.Match[str]:
    for _ in range(600):
        said.seek(0)
        told = said.read().decode("utf-8", "replace")
        if (found := re.search(text, told)) is not None:
            return found
        if process.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"it did not start:\n{told}")


@dataclass(frozen=True)
class Bucket:
    """A bucket of its own for each test."""

    name: str
    endpoint: str
    """Of the emulator, past any proxy."""
    client: Any
    """botocore's, past any proxy."""

    @property
    def uri(self) -> str:
        """`s3://` and the name."""
        return f"s3://{self.name}"

    def put(self, key: str, data: bytes) -> str:
        """Writes an object; its URI."""
        self.client.put_object(Bucket=self.name, Key=key, Body=data)
        return f"{self.uri}/{key}"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """URL of a running moto server; skipped where moto is not installed."""
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", "0"]
    with started(command, r"Running on (http://127\.0\.0\.1:\d+)") as found:
        yield found[1]


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bucket]:
    """An empty bucket, and an environment in which every client finds it."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": CANARY_ID,
        "AWS_SECRET_ACCESS_KEY": CANARY_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    client = _client(s3_server)
    bucket = Bucket(f"bucket-{next(_numbers)}", s3_server, client)
    client.create_bucket(Bucket=bucket.name)
    forget_everything()
    yield bucket
    forget_everything()


@functools.cache
def _client(endpoint: str) -> Any:
    botocore: Any = importlib.import_module("botocore.session")
    return botocore.get_session().create_client("s3", endpoint_url=endpoint)


def forget_everything() -> None:
    """The next one who asks reads the environment anew: fsspec keeps file systems for ever."""
    import fsspec

    forget_services()
    for scheme in ("s3", "gs", "az", "http"):
        with contextlib.suppress(ImportError):
            fsspec.get_filesystem_class(scheme).clear_instance_cache()
