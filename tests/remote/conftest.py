"""What these tests share: an emulator of S3, small blocks, short waits."""

from __future__ import annotations

import pytest

from tests.remote.emulators import s3 as s3
from tests.remote.emulators import s3_server as s3_server
from vscan.remote import fetching, retrying


@pytest.fixture(autouse=True)
def small_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 64 KiB and waits of milliseconds: what is tested is not how long they are."""
    monkeypatch.setattr(fetching, "BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(retrying, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(retrying, "LONGEST_WAIT_S", 0.01)
