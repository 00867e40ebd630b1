"""Looking after a frame store, as a person does it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests.conftest import Vscan
from tests.store.made import SPECS, fill, reading, sha256_of, track, unreadable

from vscan.cli.store import seconds
from vscan.errors import UsageError
from vscan.store.frames import FrameStore
from vscan.store.layout import TrackName, source_path
from vscan.store.specs import TrackSpec

OLD_SPEC = TrackSpec("pdq", {"hash": "pdq/0"})


@pytest.fixture(name="store")
def make_store(tmp_path: Path) -> Path:
    """A store of two contents, an error, and a track that nothing names, all two days old."""
    root = tmp_path / "store"
    store = FrameStore.open(root, create=True)
    fill(store, 1, "pdq", "embedding")
    fill(store, 2, "pdq")
    store.put_source(unreadable("gone\x1b.mp4"))
    store.write(reading(2), track("pdq", reading(2)), OLD_SPEC)
    then = time.time() - 2 * 86_400
    for file in store.files():
        os.utime(root / file.name, (then, then))
    return root


def damage(path: Path) -> None:
    """Flips a bit."""
    whole = bytearray(path.read_bytes())
    whole[-4] ^= 1
    path.write_bytes(whole)


def test_stats(vscan: Vscan, store: Path) -> None:
    """A row for each signal and spec, and one line of sums; the same as one object."""
    shown = vscan("store", "stats", store)
    assert 0 == shown.code
    rows = [line for line in shown.out.decode().splitlines() if line.startswith(("pdq", "emb"))]
    assert 3 == len(rows)
    assert sum("hash: pdq/1, sampling: fps:1" in row for row in rows) == 1
    assert "2 contents, 3 sources (1 errors)" in shown.err
    (record,) = vscan("store", "stats", store, "--json").records
    assert (2, 3, 1) == tuple(record[name] for name in ("contents", "sources", "errors"))
    orphaned = {each["key"]: each["orphaned"] for each in record["specs"]}
    assert {OLD_SPEC.key: 1, SPECS["pdq"].key: 0, SPECS["embedding"].key: 0} == orphaned


def test_verify(vscan: Vscan, store: Path) -> None:
    """A whole store is told so; damage is a line each and exit code 3; --remove deletes it."""
    whole = vscan("store", "verify", store)
    assert (0, b"") == (whole.code, whole.out)
    assert "7 files read, every one as it was written" in whole.err
    bad = TrackName(sha256_of(1), "pdq", SPECS["pdq"].key).path
    damage(store / bad)
    damage(store / source_path("clips/2.mp4"))
    for arguments in ((), ("--json",)):
        shown = vscan("store", "verify", store, *arguments)
        assert 3 == shown.code
        assert 2 == len(shown.out.splitlines())
        assert "2 problems; --remove" in shown.err
    assert bad in shown.records[0]["name"]
    assert "damaged" == shown.records[0]["state"]
    removed = vscan("store", "verify", store, "--remove")
    assert (3, 2) == (removed.code, len(removed.out.splitlines()))
    assert not (store / bad).exists()
    missing = vscan("store", "verify", store, "--json")
    assert [(bad, "missing")] == [(each["name"], each["state"]) for each in missing.records]
    fill(FrameStore.open(store), 1, "pdq", "embedding")
    assert 0 == vscan("store", "verify", store).code


def test_gc(vscan: Vscan, store: Path) -> None:
    """A dry run says what would go; then it goes, once; what is named stays."""
    orphan = TrackName(sha256_of(2), "pdq", OLD_SPEC.key).path
    before = sorted(file.name for file in FrameStore.open(store).files())
    told = vscan("store", "gc", store, "--dry-run")
    assert 0 == told.code
    assert orphan in told.out.decode()
    assert "1 files of" in told.err
    assert before == sorted(file.name for file in FrameStore.open(store).files())
    young = vscan("store", "gc", store, "--older-than", "1w", "--json")
    assert [] == young.records
    assert "1 files are younger than 1w" in young.err
    gone = vscan("store", "gc", store, "--json")
    assert [(orphan, "orphaned")] == [(each["name"], each["why"]) for each in gone.records]
    left = sorted(file.name for file in FrameStore.open(store).files())
    assert sorted(set(before) - {orphan}) == left
    assert [] == vscan("store", "gc", store, "--older-than", "0", "--json").records


def test_gc_beside_a_damaged_record(vscan: Vscan, store: Path) -> None:
    """While a record does not say what it names, no track is removed, and that is told."""
    damage(store / source_path("clips/1.mp4"))
    kept = vscan("store", "gc", store)
    assert (0, b"") == (kept.code, kept.out)
    assert "1 source records are damaged" in kept.err


def test_export(vscan: Vscan, store: Path, tmp_path: Path) -> None:
    """Two files, refused a second time without --force; what is damaged is left out and told."""
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "out"
    done = vscan("store", "export", store, out)
    assert (0, b"") == (done.code, done.out)
    assert "6 samples of 3 sources" in done.err
    assert 2 == vscan("store", "export", store, out).code
    damage(store / TrackName(sha256_of(1), "pdq", SPECS["pdq"].key).path)
    short = vscan("store", "export", store, out, "--force")
    assert 3 == short.code
    assert "left out" in short.err
    rows = parquet.read_table(out / "samples.parquet").to_pylist()
    assert 6 == len(rows)
    assert 3 == sum(row["pdq"] is None for row in rows)


@pytest.mark.parametrize("command", ["stats", "verify", "gc", "export"])
def test_what_is_no_store(vscan: Vscan, tmp_path: Path, command: str) -> None:
    """A folder that is no store ends with 2 and says what makes one; nothing is left there."""
    (tmp_path / "photos").mkdir()
    extra = (tmp_path / "out",) if command == "export" else ()
    refused = vscan("store", command, tmp_path / "photos", *extra)
    assert (2, b"") == (refused.code, refused.out)
    assert "no frame store here" in refused.err
    assert "vscan scan" in refused.err
    assert [] == list((tmp_path / "photos").iterdir())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1d", 86_400), ("12h", 43_200), ("90s", 90), ("0", 0), ("1.5m", 90), (" 2W ", 1_209_600)],
)
def test_lengths_of_time(text: str, expected: float) -> None:
    """A number and its unit."""
    assert expected == seconds(text)


@pytest.mark.parametrize("text", ["", "5", "-1d", "1y", "d", "1 d", "nan", "inf", "1e9d"])
def test_what_is_no_length_of_time(text: str) -> None:
    """A number without its unit could mean anything: it is refused, as what is no number."""
    with pytest.raises(UsageError, match="no length of time"):
        seconds(text)
