"""Places for folders of verdict parts: a local folder and a URI, which are alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from vscan.storage import location


@pytest.fixture(params=["local", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """A folder that is not there yet, and a URI."""
    if request.param == "local":
        yield location(f"{tmp_path}/run/")
    else:
        yield from _uri(tmp_path)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[str]:
    """A URI, for what is alike everywhere."""
    yield from _uri(tmp_path)


def _uri(tmp_path: Path) -> Iterator[str]:
    yield str(location(f"memory://{tmp_path.name}/run/"))
    system = fsspec.filesystem("memory")
    if system.exists(f"/{tmp_path.name}"):
        system.rm(f"/{tmp_path.name}", recursive=True)
