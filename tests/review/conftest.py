"""What the tests of requests share: two videos, and a client of their page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.review.asked import both, served
from tests.review.served import TOKEN, clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small videos, a.mp4 and b.avi, and a secret beside them."""
    made = tmp_path_factory.mktemp("videos")
    clip(made / "a.mp4", seconds=4)
    clip(made / "b.avi", 2, seconds=4)
    (made / "secret.txt").write_text("secret")
    return made


@pytest.fixture
def stranger(folder: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A client that was not given the address."""
    with served(tmp_path / "d.db", *both(folder)) as client:
        yield client


@pytest.fixture
def client(stranger: TestClient) -> TestClient:
    """A client that has opened the address."""
    assert 200 == stranger.get(f"/?token={TOKEN}").status_code
    return stranger
