"""Judged from a frame store as from the videos themselves; kept, recalled, hunted through."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Vscan
from tests.drawn_footage import pan, scenery
from tests.media_factory import write_video
from vscan import pipeline
from vscan.decode.workers import ReaderPool
from vscan.errors import (
    DamagedTrack,
    ModelError,
    OutputError,
    SourceError,
    StoreError,
    UsageError,
)
from vscan.hunting import hunt
from vscan.indexing import Label, Searched, add_exemplars, new_index, search_index
from vscan.rescanning import prepare_rescan, rescan
from vscan.scanning import prepare, run_scan, scan
from vscan.settings import ScanSettings
from vscan.sources import find_sources
from vscan.store import part_writer
from vscan.store.frames import FrameStore
from vscan.store.specs import TrackSpec
from vscan.verdicts import Verdict

LABEL = Label(policy="weapons.firearms")
SIGNALS = ("embedding", "pdq", "keypoints")


@dataclass(frozen=True)
class World:
    """Videos, an index of one of them, and a store that a scan with both has filled."""

    folder: Path
    settings: ScanSettings
    verdicts: list[bytes]
    """Lines of a scan without a store, sorted."""

    @property
    def store(self) -> Path:
        return self.folder / "store"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Scanned once, with every signal: two videos, a copy that is mirrored, and no video at all."""
    folder = tmp_path_factory.mktemp("world")
    clips = folder / "clips"
    clips.mkdir()
    known, other = list(pan(1, count=12, step=20)), list(pan(2, count=9, step=20))
    write_video(folder / "known.mp4", known, fps=4)
    write_video(clips / "other.mp4", other, fps=2)
    mirrored = [np.ascontiguousarray(frame[:, ::-1]) for frame in known[::2]]
    write_video(clips / "copy.mp4", [*other[:4], *mirrored, scenery(9)], fps=2)
    shutil.copy(clips / "other.mp4", clips / "twin.mp4")
    (clips / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(300))
    with chdir(folder):
        measured = ScanSettings(model="builtin", workers=1)
        new_index(Path("index"), name="known", settings=measured)
        list(add_exemplars(Path("index"), find_sources(["known.mp4"]), LABEL, settings=measured))
        settings = ScanSettings(policy="demo", model="builtin", indexes=("index",), workers=2)
        lines = sorted(verdict.to_line() for verdict in scan(["clips"], settings=settings))
        settings = replace(settings, store="store")
        list(scan(["clips"], settings=settings))
    return World(folder, settings, lines)


@pytest.fixture
def world(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same, in a folder of its own that the test may change, and is in."""
    shutil.copytree(made.folder, tmp_path / "world")
    monkeypatch.chdir(tmp_path / "world")
    return replace(made, folder=tmp_path / "world")


@pytest.fixture
def no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever would open a video fails."""

    def refuse(*_: object) -> None:
        raise AssertionError("a video was opened")

    monkeypatch.setattr(ReaderPool, "session", refuse)


def lines(verdicts: Iterator[Verdict]) -> list[bytes]:
    """Their lines, sorted."""
    return sorted(verdict.to_line() for verdict in verdicts)


def by_name(verdicts: Iterator[Verdict]) -> dict[str, Verdict]:
    """By the name of the video."""
    return {Path(verdict.source.uri).stem: verdict for verdict in verdicts}


def track_of(world: World, name: str, signal: str) -> Path:
    """The file of a video's track."""
    record = FrameStore.open(world.store).source(f"clips/{name}.mp4")
    assert record is not None and record.sha256 is not None
    (found,) = world.store.rglob(f"{record.sha256}-{signal}-{record.tracks[signal]}.safetensors")
    return found


def test_a_rescan_is_a_scan(world: World, no_reader: None) -> None:
    """Line for line what a scan without any store says, the video that cannot be read included."""
    found = [line for line in world.verdicts if b'"finding' in line and b'"keypoints"' in line]
    assert found, "the known clip is found"
    assert lines(rescan(world.settings)) == world.verdicts


def test_what_is_stored_is_not_decoded_again(world: World, no_reader: None) -> None:
    """A second scan reads no video that the store has; one of the same content neither."""
    shutil.copy("clips/copy.mp4", "clips/renamed.mp4")
    again = by_name(scan(["clips"], settings=world.settings))
    assert again["renamed"].findings == again["copy"].findings
    assert again["renamed"].id != again["copy"].id
    del again["renamed"]
    readable = sorted(verdict.to_line() for verdict in again.values() if verdict.error is None)
    assert readable == [line for line in world.verdicts if b'"error"' not in line]


def test_a_new_pack_and_exemplar_need_no_video(world: World, no_reader: None) -> None:
    """Another pack and another index are judged from the same tracks, as a scan judges them."""
    measured = ScanSettings(signals=("pdq",), workers=1)
    settings = replace(world.settings, policy="baseline", indexes=("index2",))
    with pytest.MonkeyPatch.context() as readable:
        readable.undo()
        new_index(Path("index2"), settings=measured)
    assert settings.store == "store"
    before = lines(rescan(replace(settings, indexes=("index",))))
    assert before != world.verdicts
    assert len(before) == len(world.verdicts)


def test_more_is_measured_than_is_judged(world: World) -> None:
    """Without an index the store gets `pdq` as well, and the verdict is the same as without it."""
    settings = replace(world.settings, indexes=(), store=None)
    kept = replace(settings, store="second")
    assert lines(scan(["clips"], settings=kept)) == lines(scan(["clips"], settings=settings))
    record = FrameStore.open("second").source("clips/other.mp4")
    assert record is not None and set(record.tracks) == {"embedding", "pdq"}


def test_what_was_not_stored_is_said(world: World) -> None:
    """An index of keypoints against a store without them: judged by the rest, with a warning."""
    list(scan(["clips"], settings=replace(world.settings, indexes=(), store="second")))
    rejudging = prepare_rescan(replace(world.settings, store="second"))
    found = {Path(v.source.uri).stem: v for v in rejudging.verdicts() if v is not None}
    assert "signal_not_stored" in found["copy"].warnings
    assert "signal_not_stored" not in found["broken"].warnings
    assert rejudging.missing == {"keypoints": 3}


def test_a_flipped_byte_is_an_error_and_mended_by_a_scan(world: World) -> None:
    """No verdict is made of damaged tracks: `rescan` says so, a scan measures the video anew."""
    path = track_of(world, "copy", "embedding")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    rejudging = prepare_rescan(world.settings)
    found = {Path(v.source.uri).stem: v for v in rejudging.verdicts() if v is not None}
    assert found["copy"].error is not None and found["copy"].error.code == "store_damaged"
    assert path.name in found["copy"].error.message
    assert len(rejudging.damaged) == 1
    prepared = prepare(world.settings)
    sources = find_sources(["clips"])
    scanned = [each for each in run_scan(prepared, sources) if each is not None]
    assert lines(iter(scanned)) == world.verdicts
    assert prepared.keeper is not None and len(prepared.keeper.damaged) == 1
    assert lines(rescan(world.settings)) == world.verdicts


def record_of(world: World, name: str) -> Path:
    """The file of a video's record."""
    uri = f'"clips/{name}.mp4"'.encode()
    (found,) = [
        path for path in (world.store / "sources").rglob("*.json") if uri in path.read_bytes()
    ]
    return found


def test_missing_tracks_and_damaged_records(world: World, vscan: Vscan) -> None:
    """A track that is gone is an error in a rescan, and so is a damaged record under the URI that
    it still tells; one that does not even tell that has no line, but is said, and exits with 3."""
    track_of(world, "copy", "pdq").unlink()
    twin, other = record_of(world, "twin"), record_of(world, "other")
    twin.write_bytes(twin.read_bytes().replace(b'"md5"', b'"md6"'))
    other.write_bytes(other.read_bytes().replace(b"other", b"otter"))
    rejudging = prepare_rescan(world.settings)
    found = [v for v in rejudging.verdicts() if v is not None]
    damaged = [v for v in found if v.error is not None and v.error.code == "store_damaged"]
    assert len(found) == len(world.verdicts) - 1
    assert {v.source.uri for v in damaged} == {"clips/copy.mp4", "clips/twin.mp4"}
    assert 1 == rejudging.nameless
    ran = vscan("rescan", "--store", "store", "--policy", "demo", "--index", "index")
    assert 3 == ran.code
    assert "1 record of the store too damaged" in ran.err


def test_tracks_of_two_readings_are_not_judged_together(world: World) -> None:
    """Signals that tell of other frames are damage, not evidence."""
    store = FrameStore.open(world.store)
    record = store.source("clips/copy.mp4")
    assert record is not None and record.sha256 is not None
    reading, track = store.read(record.sha256, "pdq", record.tracks["pdq"])
    spec = prepare(world.settings).keeper
    assert spec is not None
    later = replace(reading, report=replace(reading.report, skipped_packets=7))
    store.write(later, track, spec.specs["pdq"])
    verdict = by_name(rescan(world.settings))["copy"]
    assert verdict.error is not None and "another reading" in verdict.error.message


def test_long_keypoints_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a video's features do not fit one part, they are looked up part by part the same."""
    monkeypatch.setattr(part_writer, "PART_SAMPLES", 2)
    settings = replace(world.settings, store="parts")
    assert lines(scan(["clips"], settings=settings)) == world.verdicts
    assert len(list(Path("parts").rglob("*-keypoints-*"))) > len(
        list(world.store.rglob("*-keypoints-*"))
    )
    assert lines(rescan(settings)) == world.verdicts


def test_neither_reader_nor_torch_is_imported(world: World) -> None:
    """With both readers and torch out of reach, `vscan rescan` writes the same lines."""
    program = (
        "import sys\n"
        "for name in ('av', 'decord', 'torch', 'open_clip'): sys.modules[name] = None\n"
        "sys.argv = ['vscan', 'rescan', '--store', 'store', '--policy', 'demo',"
        " '--index', 'index', '-o', 'again.jsonl']\n"
        "from vscan.cli.app import main\n"
        "main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 3, ran.stderr
    assert sorted(Path("again.jsonl").read_bytes().splitlines(keepends=True)) == world.verdicts


def test_prompts_that_no_model_can_encode(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt that was never encoded needs the model: another one is refused by name."""
    monkeypatch.setenv("VSCAN_CACHE", str(world.folder / "empty"))
    assert lines(rescan(world.settings)) == world.verdicts
    monkeypatch.setenv("VSCAN_CACHE", str(world.folder / "empty too"))
    with pytest.raises(ModelError):
        prepare_rescan(replace(world.settings, model="ViT-B-32-datacomp"))


def test_no_store_and_an_empty_one(world: World) -> None:
    """Both are told apart, with what to do."""
    with pytest.raises(StoreError, match="no frame store"):
        prepare_rescan(replace(world.settings, store="nowhere"))
    with pytest.raises(UsageError, match="no frame store"):
        prepare_rescan(replace(world.settings, store=None))
    FrameStore.open("empty", create=True)
    with pytest.raises(UsageError, match="empty"):
        prepare_rescan(replace(world.settings, store="empty"))


def found(searched: Iterator[Searched]) -> dict[str, tuple[object, ...]]:
    """Matches by video."""
    return {Path(each.uri).name: each.matches for each in searched}


@pytest.mark.parametrize("signals", [None, ("pdq",), ("embedding",), ("keypoints",)])
def test_a_hunt_is_a_search(world: World, signals: tuple[str, ...] | None) -> None:
    """A hunt through the store finds what a search of the videos finds, by whichever signal."""
    settings = replace(world.settings, signals=signals)
    hunted = found(hunt(Path("index"), settings=settings))
    assert hunted == found(search_index(Path("index"), find_sources(["clips"]), settings=settings))
    assert len(hunted["copy.mp4"]) >= (signals != ("embedding",))


def test_a_hunt_through_damage(world: World) -> None:
    """What is damaged or was never read has an error of its own, and costs the others nothing."""
    path = track_of(world, "copy", "pdq")
    path.write_bytes(path.read_bytes()[:-1])
    errors = {
        Path(each.uri).name: each.error.code
        for each in hunt(Path("index"), settings=world.settings)
        if each.error is not None
    }
    assert set(errors) == {"copy.mp4", "broken.mp4"}
    assert errors["copy.mp4"] == "store_damaged"


def test_a_hunt_for_what_was_not_stored(world: World) -> None:
    """A video without any signal of the index is an error; with some, it is said which not."""
    list(scan(["clips"], settings=replace(world.settings, indexes=(), store="second")))
    settings = replace(world.settings, store="second")
    partly = {Path(e.uri).name: e for e in hunt(Path("index"), settings=settings)}
    assert partly["copy.mp4"].not_stored == ("keypoints",)
    alone = replace(settings, signals=("keypoints",))
    none = {Path(e.uri).name: e for e in hunt(Path("index"), settings=alone)}
    error = none["copy.mp4"].error
    assert error is not None and error.code == "signal_not_stored"


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), OutputError),
        (StoreError("No space left on device"), StoreError),
    ],
)
def test_a_store_that_cannot_be_written_ends_the_run(
    world: World, monkeypatch: pytest.MonkeyPatch, says: Exception, told: type[Exception]
) -> None:
    """A full disk is no fault of the video's: the run ends with the store's error, and no line."""
    really = tempfile.mkstemp

    def full(*, dir: Path, prefix: str) -> tuple[int, str]:  # noqa: A002 -- as it is called
        if dir.parent.name == "frames":
            raise says
        return really(dir=dir, prefix=prefix)

    monkeypatch.setattr("vscan.storage.tempfile.mkstemp", full)
    with pytest.raises(told, match="No space left"):
        list(scan(["clips/other.mp4"], settings=replace(world.settings, store="full")))


def test_what_is_stored_outlives_a_share_that_is_not_mounted(world: World) -> None:
    """A source that is not to be found for now, or fails in passing, keeps its tracks."""
    (world.folder / "clips").rename("away")
    gone = list(scan(["clips/copy.mp4"], settings=world.settings))
    assert [v.error.code for v in gone if v.error is not None] == ["not_found"]
    (world.folder / "away").rename("clips")
    assert lines(rescan(world.settings)) == world.verdicts


def test_a_scan_for_less_costs_nothing_that_is_stored(world: World) -> None:
    """Signals that a later scan does not measure stay in the record, of the same samples alone."""
    list(scan(["clips"], settings=replace(world.settings, signals=("pdq",))))
    assert lines(rescan(world.settings)) == world.verdicts
    settings = replace(world.settings, signals=("pdq",), sampling="fps:2")
    list(scan(["clips"], settings=settings))
    record = FrameStore.open(world.store).source("clips/copy.mp4")
    assert record is not None and set(record.tracks) == {"pdq"}


def test_a_store_added_to_a_finished_run_changes_no_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was judged before stays as it was, also where it cannot be measured once more."""

    def fail(*_: object, **__: object) -> None:
        raise SourceError("read_failed", "the disk is on fire")

    prepared = prepare(replace(world.settings, store="late"))
    monkeypatch.setattr(pipeline, "measure", fail)
    done = list(run_scan(prepared, find_sources(["clips"]), is_done=lambda _: True))
    assert done == [None] * 4


def test_two_indexes_of_one_name(world: World) -> None:
    """A record could not say which of them matched: refused, as by a scan."""
    shutil.copytree("index", "index too")
    with pytest.raises(UsageError, match="both named"):
        prepare_rescan(replace(world.settings, indexes=("index", "index too")))


def test_a_model_that_only_failures_name(world: World) -> None:
    """Of a source that was never read no model is needed, whatever it was to be measured with."""
    store = FrameStore.open(world.store)
    record = store.source("clips/broken.mp4")
    assert record is not None
    specs = {"embedding": {"sampling": "fps:9", "model": "unheard-of#sha256:" + "0" * 64}}
    store.put_source(replace(record, specs=specs))
    found = by_name(rescan(world.settings))
    assert found["broken"].error is not None
    assert found["broken"].provenance.sampling == "fps:9"


def test_a_source_measured_in_another_way_meanwhile(world: World) -> None:
    """A scan with another sampling, beside the rescan, is judged by its own."""
    rejudging = prepare_rescan(world.settings)
    list(scan(["clips/other.mp4"], settings=replace(world.settings, sampling="fps:2")))
    found = {Path(v.source.uri).stem: v for v in rejudging.verdicts() if v is not None}
    assert found["other"].provenance.sampling == "fps:2"
    assert found["other"].error is None


def test_a_hunt_past_embeddings_of_another_model(world: World) -> None:
    """They cannot be compared: the source is searched by its other signals, and that is said."""
    store = FrameStore.open(world.store)
    record = store.source("clips/copy.mp4")
    assert record is not None and record.sha256 is not None
    reading, track = store.read(record.sha256, "embedding", record.tracks["embedding"])
    made_by = {**record.specs["embedding"], "model": "other#sha256:" + "0" * 64}
    spec = TrackSpec("embedding", made_by)
    store.write(reading, track, spec)
    store.put_source(
        replace(
            record,
            tracks={**record.tracks, "embedding": spec.key},
            specs={**record.specs, "embedding": made_by},
        )
    )
    hunted = {Path(e.uri).name: e for e in hunt(Path("index"), settings=world.settings)}
    assert hunted["copy.mp4"].not_stored == ("embedding",)
    assert {match.signal for match in hunted["copy.mp4"].matches} == {"pdq", "keypoints"}
    assert hunted["other.mp4"].not_stored == ()


def test_damage_is_told_by_type() -> None:
    """Damage of one track is an error of the store's kind, so that one `except` holds both."""
    assert issubclass(DamagedTrack, StoreError)
