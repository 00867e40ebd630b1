"""Received lists: their entries as tracks, and what an import adds, replaces and removes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.exemplars.synthetic import DIM, MODEL
from vscan.exemplars.carried import CarriedRecord
from vscan.exemplars.formats import frames
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.received import Changes, changes_for, empty_tracks, items_of, track_of
from vscan.exemplars.writer import create_index

IMAGE = HashRecord(origin="ncmec-xml", signal_type="pdq", value="01" * 32, source_id="a",
                   member_id="1", media="image")  # fmt: skip
MD5 = replace(IMAGE, signal_type="md5", value="0" * 32)
GONE = replace(IMAGE, signal_type="", value="", withdrawn=True)


def frame(number: int, time_s: float, quality: int | None = 80) -> HashRecord:
    """A frame of a vPDQ video."""
    return HashRecord(
        origin="vpdq-text", signal_type="pdq", value=f"{number:064x}", time_s=time_s,
        quality=quality,
    )  # fmt: skip


def taken(*lists: list[HashRecord]) -> tuple[list[CarriedRecord], set[str], list[Changes]]:
    """What an index carries and which exemplars it has after importing the lists in turn."""
    held: list[CarriedRecord] = []
    known: set[str] = set()
    made = []
    for records in lists:
        changes = changes_for(items_of(records), held, known)
        held = [each for each in held if each.key not in changes.drop] + changes.carry
        known = (known - changes.remove) | set(changes.add)
        made.append(changes)
    return held, known, made


def statuses(changes: Changes) -> list[str]:
    """What became of each item."""
    return [status for _, status in changes.said]


def test_a_track_is_in_time_order() -> None:
    """Frames come in any order; hash, time and quality stay together, no quality is the best."""
    track = track_of([frame(2, 0.5, 7), frame(1, 0.25, None)], "vpdq-text")
    assert track is not None
    assert ([0.25, 0.5], [100, 7], [1, 2]) == (
        track.times_s.tolist(), track.quality.tolist() if track.quality is not None else None,
        track.values[:, 31].tolist(),
    )  # fmt: skip
    assert {"received": "vpdq-text"} == track.spec


def test_a_whole_video_and_its_frames_make_the_same_exemplar() -> None:
    """vPDQ as a column of a table and as a file of its own are one content with one id."""
    video = [frame(number, number / 4) for number in range(3)]
    (one,), (other,) = items_of(video), items_of([replace(frames.join(video), entry=3)])
    assert one.exemplar == other.exemplar is not None
    assert (3, 1) == (len(one.records), len(other.records))


def test_hashes_without_pictures_make_no_track() -> None:
    """What cannot be searched is carried."""
    assert track_of([MD5], "x") is None
    ((item,), _) = items_of([MD5]), None
    assert (None, (MD5,)) == (item.exemplar, item.records)


def test_hashes_of_one_entry_stay_together() -> None:
    """One entry is one item; the exemplar is of its PDQ hash, both hashes are carried."""
    held, known, (changes,) = taken([MD5, IMAGE])
    assert (["added"], 1) == (statuses(changes), len(known))
    assert [(MD5, None), (IMAGE, next(iter(known)))] == [(c.record, c.exemplar) for c in held]


def test_the_last_of_two_entries_counts() -> None:
    """A list that changes an entry further down means what stands further down."""
    later = replace(IMAGE, value="02" * 32, entry=1)
    (item,) = items_of([IMAGE, later])
    assert later == item.first
    (item,) = items_of([IMAGE, replace(GONE, entry=1)])
    assert item.withdrawn


def test_importing_twice_changes_nothing() -> None:
    """The second time everything is there, and the index stays as it is."""
    _, _, (_, again) = taken([MD5, IMAGE], [MD5, IMAGE])
    assert (["present"], True) == (statuses(again), again.nothing)


def test_an_update_replaces() -> None:
    """Another hash under the same id: the old exemplar goes, the new one comes."""
    changed = replace(IMAGE, value="02" * 32)
    held, known, (first, second) = taken([IMAGE], [changed])
    assert (["updated"], set(first.add)) == (statuses(second), second.remove)
    assert ([changed], set(second.add)) == ([each.record for each in held], known)


def test_an_update_of_what_is_said_keeps_the_exemplar() -> None:
    """Another classification is recorded; nothing is removed or added."""
    said = replace(IMAGE, classification="A1")
    held, known, (_, second) = taken([IMAGE], [said])
    assert (["updated"], set(), {}) == (statuses(second), second.remove, second.add)
    assert (["A1"], 1) == ([each.record.classification for each in held], len(known))


def test_a_withdrawn_entry_deletes() -> None:
    """Its exemplar goes with all that was carried of it; one that is unknown is said to be."""
    held, known, (_, second) = taken([MD5, IMAGE], [GONE])
    assert ([], set(), ["removed"]) == (held, known, statuses(second))
    _, _, (only,) = taken([GONE])
    assert (["absent"], True) == (statuses(only), only.nothing)


def test_an_exemplar_stays_as_long_as_one_list_names_it() -> None:
    """Two lists have the same hash; that one withdraws it leaves the other's."""
    other = HashRecord(origin="stopncii-json", signal_type="ImagePDQ", value=IMAGE.value)
    held, known, (_, second, third) = taken([IMAGE], [other], [GONE])
    assert (["present"], ["removed"], set()) == (
        statuses(second), statuses(third), third.remove,
    )  # fmt: skip
    assert ([other], 1) == ([each.record for each in held], len(known))
    _, known, _ = taken([IMAGE], [other], [GONE], [replace(other, withdrawn=True)])
    assert set() == known


def test_large_fingerprints_by_reference_are_not_kept() -> None:
    """NCMEC asks that the addresses it gives be not stored."""
    large = replace(IMAGE, signal_type="tmk-pdqf", value="", extra={"fingerprint": {"href": "x"}})
    (item,) = items_of([IMAGE, large])
    assert (IMAGE,) == item.records


def test_tracks_without_samples(tmp_path: Path) -> None:
    """What a list cannot bring has no rows, of the width that the index's model has."""
    empty = empty_tracks(create_index(tmp_path, name="known", model=MODEL))
    assert [("embedding", (0, DIM))] == [(name, each.values.shape) for name, each in empty.items()]
