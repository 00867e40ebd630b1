"""What these tests share: an emulator of S3, small blocks, short waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.remote.contract import DATA
from tests.remote.emulators import Bucket, forget_everything
from tests.remote.emulators import s3 as s3
from tests.remote.emulators import s3_server as s3_server
from tests.remote.fault_proxy import FaultProxy, Held, forwarding, serving
from vscan.remote import fetching, retrying

TIME = "Sun, 29 Nov 2026 10:00:00 GMT"


@pytest.fixture(autouse=True)
def small_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 64 KiB and waits of milliseconds: what is tested is not how long they are."""
    monkeypatch.setattr(fetching, "BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(retrying, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(retrying, "LONGEST_WAIT_S", 0.01)


@pytest.fixture
def proxy(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """A proxy before the emulator of S3, which is what clients find."""
    with FaultProxy(forwarding(s3.endpoint)) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        forget_everything()
        yield made


@pytest.fixture
def files() -> dict[str, Held]:
    """What the server has, by path."""
    return {"/a": Held(DATA, '"one"', TIME)}


@pytest.fixture
def web(files: dict[str, Held]) -> Iterator[FaultProxy]:
    """A web server on this machine."""
    forget_everything()
    with FaultProxy(serving(files)) as proxy:
        yield proxy
    forget_everything()
