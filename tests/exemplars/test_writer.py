"""Writing an exemplar index: durable, one writer at a time, and whole after any crash."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exemplars.synthetic import (
    MODEL,
    OTHER_FINGERPRINT,
    all_tracks,
    exemplar,
    make_index,
    tracks,
)
from vscan.errors import ExemplarIndexError, OutputError
from vscan.exemplars import batches
from vscan.exemplars.carried import CarriedRecord, read_carried
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.manifest import SIGNALS
from vscan.exemplars.writer import IndexWriter, create_index


def sources(path: Path) -> list[str]:
    """Letters of the exemplars in the index at `path`."""
    return [each.source[0] for each in ExemplarIndex.open(path).exemplars]


def test_create_refuses_a_folder_in_use(tmp_path: Path) -> None:
    """An index is never made over another one or among other files."""
    create_index(tmp_path / "known", name="known", model=None)
    with pytest.raises(ExemplarIndexError, match="there already"):
        create_index(tmp_path / "known", name="known", model=None)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(ExemplarIndexError, match="not empty"):
        create_index(tmp_path / "full", name="known", model=None)


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "x" * 101])
def test_create_refuses_a_name_that_packs_cannot_write(tmp_path: Path, name: str) -> None:
    """The name must be one that a policy pack and a command line can hold."""
    with pytest.raises(ExemplarIndexError, match="not a name"):
        create_index(tmp_path / "known", name=name, model=None)


def test_the_same_content_is_held_once(tmp_path: Path) -> None:
    """Content is found by its SHA-256, and adding it again is an error that changes nothing."""
    make_index(tmp_path / "known", "ab")
    with IndexWriter(tmp_path / "known") as writing:
        found = writing.find(exemplar("a").sha256 or "")
        assert found is not None
        assert exemplar("a").id == found.id
        assert writing.find(exemplar("z").sha256 or "") is None
        with pytest.raises(ExemplarIndexError, match="there already"):
            writing.add(exemplar("a"), tracks(9))
    assert sources(tmp_path / "known") == ["a", "b"]


def test_a_missing_signal_is_refused(tmp_path: Path) -> None:
    """An exemplar must bring every signal that the index holds."""
    make_index(tmp_path / "known", "a")
    with (
        IndexWriter(tmp_path / "known") as writing,
        pytest.raises(ExemplarIndexError, match="embedding"),
    ):
        writing.add(exemplar("b"), {"pdq": tracks(1)["pdq"]})
    assert sources(tmp_path / "known") == ["a"]


def test_another_model_may_not_write(tmp_path: Path) -> None:
    """A writer with another model is refused before anything is touched."""
    make_index(tmp_path / "known", "a")
    with (
        pytest.raises(ExemplarIndexError, match="cannot be compared"),
        IndexWriter(tmp_path / "known", model_fingerprint=OTHER_FINGERPRINT),
    ):
        pass


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """A second writer is told so; readers go on; the lock goes with the first."""
    make_index(tmp_path / "known", "a")
    with IndexWriter(tmp_path / "known") as writing:
        with (
            pytest.raises(ExemplarIndexError, match="another vscan is writing"),
            IndexWriter(tmp_path / "known"),
        ):
            pass
        writing.add(exemplar("b"), tracks(1))
        assert sources(tmp_path / "known") == ["a", "b"]
    with IndexWriter(tmp_path / "known") as writing:
        writing.add(exemplar("c"), tracks(2))
    assert sources(tmp_path / "known") == ["a", "b", "c"]


def test_writing_where_there_is_no_index(tmp_path: Path) -> None:
    """Adding to what is no index is an error, and no file is left there."""
    with (
        pytest.raises(ExemplarIndexError, match="no exemplar index"),
        IndexWriter(tmp_path),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_full_batches_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding writes the last batch again and no other: the cost does not grow with the index."""
    monkeypatch.setattr(batches, "BATCH_EXEMPLARS", 2)
    make_index(tmp_path / "known", "abcde")
    before = ExemplarIndex.open(tmp_path / "known").manifest.batches
    assert [batch.count for batch in before] == [2, 2, 1]
    with IndexWriter(tmp_path / "known") as writing:
        writing.add(exemplar("f"), tracks(5))
    after = ExemplarIndex.open(tmp_path / "known").manifest.batches
    assert [batch.count for batch in after] == [2, 2, 2]
    assert before[:2] == after[:2]
    assert list("abcdef") == sources(tmp_path / "known")
    kept = {part.path for part in ExemplarIndex.open(tmp_path / "known").manifest.parts}
    on_disk = {
        file.relative_to(tmp_path / "known").as_posix()
        for folder in ("exemplars", "tracks")
        for file in (tmp_path / "known" / folder).iterdir()
    }
    assert kept == on_disk


def test_remove(tmp_path: Path) -> None:
    """An exemplar goes with its tracks; what is left is found, searched and added to as before."""
    path = tmp_path / "known"
    make_index(path, "abc")
    with IndexWriter(path) as writing:
        removed = writing.remove(exemplar("b").id)
        assert "b.mp4" == removed.source
        assert writing.find(exemplar("b").sha256 or "") is None
        with pytest.raises(ExemplarIndexError, match="has no exemplar"):
            writing.remove(exemplar("b").id)
    index = ExemplarIndex.open(path)
    assert ["a", "c"] == sources(path)
    assert 80 == len(index.vectors("pdq"))
    assert tracks(2)["pdq"].values[:, :32].tolist() == (
        index.rows("pdq").values[index.rows("pdq").exemplar == 1].tolist()
    )
    with IndexWriter(path) as writing:
        writing.add(exemplar("b"), tracks(1))
    assert ["a", "c", "b"] == sources(path)


def test_removing_writes_its_batch_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other batches stay as they are, and one that is left empty goes."""
    monkeypatch.setattr(batches, "BATCH_EXEMPLARS", 2)
    path = tmp_path / "known"
    make_index(path, "abcde")
    before = ExemplarIndex.open(path).manifest.batches
    with IndexWriter(path) as writing:
        writing.remove(exemplar("c").id)
        after = writing.manifest.batches
        assert ([2, 1, 1], before[0], before[2]) == (
            [batch.count for batch in after], after[0], after[2],
        )  # fmt: skip
        writing.remove(exemplar("d").id)
        assert (before[0], before[2]) == writing.manifest.batches
    assert list("abe") == sources(path)


def test_removing_the_last_exemplar(tmp_path: Path) -> None:
    """An index may become empty, and fill again."""
    path = tmp_path / "known"
    empty = make_index(path, "").digest
    with IndexWriter(path) as writing:
        writing.add(exemplar("a"), tracks(0))
        writing.remove(exemplar("a").id)
    index = ExemplarIndex.open(path)
    assert ((), empty, 0) == (index.exemplars, index.digest, len(index.vectors("pdq")))


def test_many_changes_in_one_step(tmp_path: Path) -> None:
    """Exemplars come and go, and records with them, under one new manifest."""
    path = tmp_path / "known"
    generation = make_index(path, "ab").manifest.generation
    md5, url = (HashRecord(signal_type=each, value="0" * 32) for each in ("md5", "url"))
    with IndexWriter(path) as writing:
        writing.change(carry=[CarriedRecord(md5), CarriedRecord(url, exemplar("c").id)])
        added = writing.change(
            add=[(exemplar(name), tracks(seed)) for seed, name in ((2, "c"), (3, "b"))],
            remove=[exemplar("b").id],
            drop=lambda each: each.record == md5,
        )
        assert (["c.mp4", "b.mp4"], generation + 2) == (
            [each.source for each in added], writing.manifest.generation,
        )  # fmt: skip
        assert [url] == [each.record for each in read_carried(path, writing.manifest)]
        writing.remove(exemplar("c").id)
        assert [] == read_carried(path, writing.manifest)
    assert ["a", "b"] == sources(path)
    assert not list((path / "records").iterdir())


CHANGES = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from tests.exemplars.synthetic import all_tracks, exemplar
from vscan import storage
from vscan.exemplars import parts, structures, writer
from vscan.exemplars.carried import CarriedRecord
from vscan.exemplars.formats.record import HashRecord

path, moment, torn = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "torn"
structures.FLAT_UP_TO.update(embedding=50, keypoints=50)
steps = iter(range(100))
original = storage.atomic_write_bytes

def dying(target, data):
    if next(steps) == moment:
        if torn:
            target.with_name(f".{target.name}.x3k").write_bytes(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    original(target, data)

parts.atomic_write_bytes = writer.atomic_write_bytes = dying
with writer.IndexWriter(path) as writing:
    writing.change(
        add=[(exemplar("d"), all_tracks(3))],
        remove=[exemplar("a").id],
        update=[replace(writing.exemplars[exemplar("b").id], note="changed")],
        carry=[CarriedRecord(HashRecord(signal_type="new", value="x"))],
    )
sys.exit(next(steps))
"""
"""A writer that kills itself before its n-th write, and says how many there were if it came
through: exemplars, tracks, records, manifest, cells of two signals, manifest."""


@pytest.mark.parametrize("torn", ["torn", pytest.param("whole", marks=pytest.mark.soak)])
def test_kill_9_between_any_two_writes_leaves_the_old_or_the_new_state(
    tmp_path: Path, torn: str
) -> None:
    """Wherever a writer is killed outright, the index opens as it was or as it was to be, is
    unlocked, and the next writer leaves nothing of the dead one behind."""
    old, new = (["a", "b", "c"], ["", "", ""], 0), (["b", "c", "d"], ["changed", "", ""], 1)
    make_index(tmp_path / "fresh", "abc", signals=SIGNALS)
    states = []
    for moment in range(20):
        path = tmp_path / str(moment)
        shutil.copytree(tmp_path / "fresh", path)
        done = subprocess.run(
            [sys.executable, "-c", CHANGES, str(path), str(moment), torn],
            cwd=Path(__file__).parents[2],
            check=False,
        )
        index = ExemplarIndex.open(path)
        notes = [each.note for each in index.exemplars]
        states.append((sources(path), notes, len(read_carried(path, index.manifest))))
        assert states[-1] in (old, new)
        with IndexWriter(path) as writing:
            writing.add(exemplar("e"), all_tracks(4))
        assert [*states[-1][0], "e"] == sources(path)
        named = {part.path for part in ExemplarIndex.open(path).manifest.parts}
        assert named | {"manifest.json", "lock"} == {
            file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()
        }
        if done.returncode != -signal.SIGKILL:
            assert moment == done.returncode
            break
    assert (7, old, new) == (moment, states[0], states[-1])


def test_a_full_disk_is_an_error_that_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the system refuses to write, the error says so and the index is as it was."""
    path = tmp_path / "known"
    make_index(path, "a")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    with IndexWriter(path) as writing:
        monkeypatch.setattr("os.fsync", no_space)
        with pytest.raises(OutputError, match="No space left"):
            writing.add(exemplar("b"), tracks(1))
        monkeypatch.undo()
    assert sources(path) == ["a"]


def test_the_model_is_kept(tmp_path: Path) -> None:
    """The manifest says which model made the embeddings and its operating point."""
    assert make_index(tmp_path / "known", "a").manifest.model == MODEL
