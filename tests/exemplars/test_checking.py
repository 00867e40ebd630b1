"""Checking and counting an index: nothing to say of a whole one, and every damage named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.exemplars.synthetic import all_tracks, exemplar, make_index
from vscan.exemplars import batches
from vscan.exemplars.carried import CarriedRecord
from vscan.exemplars.cells import Cells, encode_cells
from vscan.exemplars.checking import verify
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.index import ExemplarIndex, read_cells
from vscan.exemplars.manifest import MANIFEST_NAME, SIGNALS, encode_manifest
from vscan.exemplars.parts import write_part
from vscan.exemplars.statistics import stats
from vscan.exemplars.writer import IndexWriter


@pytest.fixture
def path(tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of two batches, with records and cells of two signals."""
    monkeypatch.setattr(batches, "BATCH_EXEMPLARS", 2)
    make_index(tmp_path, "abc", signals=SIGNALS)
    with IndexWriter(tmp_path) as writer:
        writer.change(carry=[CarriedRecord(HashRecord(signal_type="md5", value="0" * 32))])
    return tmp_path


def test_a_whole_index(path: Path) -> None:
    """There is nothing to find in it."""
    assert [] == verify(path)


def test_every_damaged_file_is_named(path: Path) -> None:
    """Damages in several files are all found, missing files too."""
    damaged = [
        part.path for part in ExemplarIndex.open(path).manifest.parts if "records" not in part.path
    ]
    for name in damaged[1:]:
        data = bytearray((path / name).read_bytes())
        data[len(data) // 2] ^= 4
        (path / name).write_bytes(data)
    (path / damaged[0]).unlink()
    assert set(damaged) == {finding.part for finding in verify(path)}
    for file in (path / "records").iterdir():
        file.write_bytes(b"")
    assert "records" in {finding.part for finding in verify(path)}


def test_a_damaged_manifest_is_found(path: Path) -> None:
    """A damaged manifest is the one finding: nothing else can be believed."""
    (path / MANIFEST_NAME).write_bytes(b"{}")
    assert [MANIFEST_NAME] == [finding.part for finding in verify(path)]


@pytest.mark.parametrize("signal", ["embedding", "keypoints"])
def test_cells_that_are_not_those_of_the_tracks_are_found(path: Path, signal: str) -> None:
    """Cells with the right SHA-256, and wrong all the same, are made again and compared."""
    manifest = ExemplarIndex.open(path).manifest
    cells = read_cells(path, manifest, signal)
    assert cells is not None
    moved = {
        name: np.where(np.arange(len(each)) == 7, (each + 1) % len(cells.centroids), each)
        for name, each in cells.by_track.items()
    }
    forged = Cells(cells.centroids, {n: each.astype(np.uint16) for n, each in moved.items()})
    part = write_part(path, "cells", signal, "safetensors", encode_cells(forged))
    search = {**manifest.search, signal: replace(manifest.search[signal], cells=part)}
    (path / MANIFEST_NAME).write_bytes(encode_manifest(replace(manifest, search=search)))
    problems = [finding.problem for finding in verify(path)]
    assert 3 == len(problems)
    assert all(
        "saved cells" in problem and problem.endswith(f"its {signal}") for problem in problems
    )


def test_stats(path: Path) -> None:
    """Exemplars by policy and opinion, what is set aside, and each signal's size and structure."""
    with IndexWriter(path) as writer:
        writer.add(exemplar("d", opinion="benign"), all_tracks(3))
        writer.update(exemplar("a").id, enabled=False)
        writer.update(exemplar("b").id, quarantined="why", expires_at="2026-12-01T00:00:00Z")
    found = stats(path, now="2027-01-01T00:00:00Z")
    assert (4, 1, 1, 1, 1) == (
        found.exemplars, found.disabled, found.quarantined, found.expired, found.records,
    )  # fmt: skip
    assert {("weapons.firearms", "violating"): 3, ("weapons.firearms", "benign"): 1} == (
        found.by_policy
    )
    embedding, pdq = found.signals["embedding"], found.signals["pdq"]
    assert (160, 160, 160 * (64 + 9), "IndexIVFFlat") == (
        embedding.rows, embedding.vectors, embedding.bytes, embedding.type,
    )  # fmt: skip
    assert (160 * (32 + 9), "BitTables", None) == (pdq.bytes, pdq.type, pdq.missing_share)
    assert (0.25, 0.0) == (embedding.missing_share, embedding.gone_share)
    features = found.signals["keypoints"]
    held = [each.tracks["keypoints"].vectors for each in ExemplarIndex.open(path).exemplars]
    assert (sum(held), "IndexBinaryIVF") == (features.vectors, features.type)
    assert (held[3] / sum(held), 0.0) == pytest.approx(
        (features.missing_share, features.gone_share)
    )
    on_disk = [each for each in path.rglob("*") if each.is_file() and each.name != MANIFEST_NAME]
    assert found.bytes == sum(each.stat().st_size for each in on_disk)
    assert 0 == stats(path).expired
