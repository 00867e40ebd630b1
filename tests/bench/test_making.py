"""Sets are made from a seed: the same again, each edit for itself, and only what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from bench.copies import planning
from bench.copies.footage import RATE, Footage
from bench.copies.hard_edits import EDITS
from bench.copies.kinship import Kinship, assign_roles, read_kinship
from bench.copies.making import Wanted, job_frames, make_set, make_video
from bench.copies.originals import Original, look_at
from bench.copies.planning import Job, plan_jobs
from bench.copies.set_files import read_set
from bench.copies.timeline import Shown
from bench.copies.traps import (
    DISTRACTORS,
    LEADER_S,
    OUTRO_S,
    TRAPS,
    ingredients,
    made_frames,
    programme,
)
from bench.copies.vpdq_column import pair_score

from tests.media_factory import scene_frames, write_video
from vscan.errors import UsageError


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """Two seconds of drifting texture."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_video(path, scene_frames(seed=5, count=20, width=128, height=96), fps=10)
    original = look_at(path, "clip.mp4")
    assert isinstance(original, Original)
    return original


def plan(clip: Original, seed: int, combinations: int = 2) -> dict[str, Job]:
    """Jobs by name."""
    return {job.name: job for job in plan_jobs([clip], [], seed=seed, combinations=combinations)}


def test_a_seed_makes_the_same_bytes(clip: Original, tmp_path: Path) -> None:
    """The same job makes the same file, byte for byte, with every source of chance in it."""
    job = plan(clip, seed=3)["clip_mp4.noise"]
    files = []
    for name in ("one", "two"):
        (tmp_path / name / "queries").mkdir(parents=True)
        made = make_video(job, {}, tmp_path / name)
        files.append((tmp_path / name / "queries" / f"{made.name}.mp4").read_bytes())
    assert files[0] == files[1]


def test_plans_follow_from_the_seed(clip: Original) -> None:
    """The same seed draws the same strengths, another one others."""
    assert plan(clip, seed=3) == plan(clip, seed=3)
    other = plan(clip, seed=4)
    same = [name for name, job in plan(clip, seed=3).items() if other.get(name) == job]
    assert {name.partition(".")[2] for name in same} <= {
        "grey", "mirror", "inversion", "speed1.25", "speed2", "rotate90", "recompress", "fps",
    }  # fmt: skip


def test_an_edit_does_not_move_another(clip: Original, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an edit taken away every other one keeps its strengths."""
    before = plan(clip, seed=3, combinations=0)
    fewer = {name: edit for name, edit in EDITS.items() if name != "blur"}
    monkeypatch.setattr(planning, "EDITS", fewer)
    after = plan(clip, seed=3, combinations=0)
    assert before.keys() - after.keys() == {"clip_mp4.blur"}
    assert all(before[name] == job for name, job in after.items())


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_does_what_its_name_says(clip: Original, name: str) -> None:
    """Every edit changes pictures or times, and gives pictures that can be encoded."""
    job = plan(clip, seed=1, combinations=0)[f"clip_mp4.{name}"]
    frames, crf = job_frames(job, {})
    edited = list(frames)
    assert all(f.picture.dtype == np.uint8 and f.picture.ndim == 3 for f in edited)
    plain = [frame.picture for frame in job_frames(_untouched(clip), {})[0]]
    if name == "recompress":
        assert 34 <= crf <= 40
    elif name in ("fps", "speed1.25", "speed2"):
        assert len(edited) != len(plain)
    else:
        assert len(edited) == len(plain)
        assert not np.array_equal(edited[7].picture, plain[7])


def _untouched(clip: Original) -> Job:
    return Job("clip", "none", "plain", clip, {"steps": []})


def test_footage_is_the_same_at_any_order() -> None:
    """A picture of made footage follows from seed and time, not from what was asked before."""
    forward = Footage(8, 96, 64)
    first = [forward.picture(k / 2).copy() for k in range(20)]
    backward = Footage(8, 96, 64)
    again = [backward.picture(k / 2).copy() for k in reversed(range(20))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    other = Footage(9, 96, 64).picture(0.0)
    assert np.abs(first[0].astype(int) - other).mean() > 20


def halves_of(trap: str) -> list[list[Shown]]:
    """Both halves of a trap, with a second of footage each."""
    parts = TRAPS[trap]
    return [
        list(made_frames({**programme(1, f"x-{half}", parts), "length_s": 1.0})) for half in "ab"
    ]


@pytest.mark.parametrize("trap", [name for name, parts in TRAPS.items() if "black" not in parts])
def test_halves_of_a_trap_differ_but_for_their_trap(trap: str) -> None:
    """In the middle of both halves is footage of its own, which shows nothing known."""
    halves = halves_of(trap)
    start = round(LEADER_S * RATE) if "leader" in TRAPS[trap] else 0
    middle = [frames[start + RATE // 2].picture.astype(int) for frames in halves]
    assert np.abs(middle[0] - middle[1]).mean() > 10
    assert all(frame.shows is None for frames in halves for frame in frames)


@pytest.mark.parametrize(("trap", "first", "last"), [
    ("test-card", 0, round(LEADER_S * RATE)),
    ("title-card", 0, round(LEADER_S * RATE)),
    ("end-card", RATE, round((1 + OUTRO_S) * RATE)),
])  # fmt: skip
def test_a_shared_card_never_moves(trap: str, first: int, last: int) -> None:
    """For as long as both halves show their card every picture is the same one, in both."""
    halves = halves_of(trap)
    shared = [frame.picture for frames in halves for frame in frames[first:last]]
    assert len(shared) == 2 * (last - first)
    assert all(np.array_equal(picture, shared[0]) for picture in shared)
    assert shared[0].std() > 10


def test_cards_are_told_apart_from_what_they_trap() -> None:
    """A distractor with a trap's card has its ingredient, one with another card has not."""
    title, end = (ingredients(TRAPS[name]) for name in ("title-card", "end-card"))
    assert title & ingredients(DISTRACTORS["title-first"])
    assert end & ingredients(DISTRACTORS["end-card"])
    assert not title & ingredients(DISTRACTORS["card-first"])
    assert not title & end


def test_roles_follow_the_kinship_file() -> None:
    """Of a group the first named is used; the corpus file says what the corpus needs."""
    path = Path(planning.__file__).with_name("corpus-same.txt")
    names = sorted(
        ["hard/thorn-v2s.mov", "hard/tc-av1_video.mkv", "near-duplicates/tmk-chair-19-sd-bar.mp4",
         "near-duplicates/tmk-chair-orig-22-sd-bar.mp4", "plain/pancake.mkv",
         "plain/thorn-rgb.m4v", "plain/thorn-v1.m4v", "plain/thorn-v2.m4v"]
    )  # fmt: skip
    roles = assign_roles(names, read_kinship(path))
    assert roles.references == (
        "near-duplicates/tmk-chair-orig-22-sd-bar.mp4", "plain/pancake.mkv",
        "plain/thorn-v1.m4v", "plain/thorn-v2.m4v",
    )  # fmt: skip
    assert roles.distractors == ("hard/tc-av1_video.mkv",)
    assert frozenset(("plain/thorn-v1.m4v", "plain/thorn-v2.m4v")) in roles.kin
    everything = assign_roles(names, read_kinship(path), all_references=True)
    assert "hard/thorn-v2s.mov" in everything.references
    assert frozenset(("hard/thorn-v2s.mov", "plain/thorn-v2.m4v")) in everything.kin


def test_a_set_goes_on_where_it_was(
    clip: Original, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run makes nothing, one with a file missing makes that; kin are ignored pairs."""
    monkeypatch.setattr(planning, "EDITS", {name: EDITS[name] for name in ("grey", "mirror")})
    monkeypatch.setattr(planning, "NEEDLES_EACH", 0)
    monkeypatch.setattr(planning, "DISTRACTORS", {})
    monkeypatch.setattr(planning, "TRAPS", {})
    videos, out = tmp_path / "videos", tmp_path / "set"
    videos.mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copyfile(clip.path, videos / name)
    write_video(videos / "c.mp4", scene_frames(seed=6, count=20, width=128, height=96), fps=10)
    related = Kinship(related=(("a.mp4", "b.mp4"),))
    wanted = Wanted(videos=videos, seed=1, kinship=related, processes=1)
    said: list[str] = []
    copies = make_set(wanted, out, said.append)
    assert read_set(out) == copies
    assert [reference.original for reference in copies.references] == ["a.mp4", "b.mp4", "c.mp4"]
    assert copies.ignored == {("Q000001", "R000002"), ("Q000002", "R000002"),
                              ("Q000003", "R000001"), ("Q000004", "R000001")}  # fmt: skip
    (out / "queries" / "b_mp4.grey.mp4").unlink()
    again = make_set(wanted, out, said.append)
    assert again == copies
    assert "6 videos, 6 of them to make" in said and "6 videos, 1 of them to make" in said


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    """Nothing to edit is an error with a remedy."""
    with pytest.raises(UsageError, match="no video"):
        make_set(Wanted(videos=tmp_path, seed=1, kinship=Kinship()), tmp_path / "set", print)


def test_vpdq_pairs_score_as_its_rule_says() -> None:
    """31 bits match and 32 do not; the higher of both shares is the score; no hash is none."""
    query = np.zeros((4, 256), np.uint8)
    query[0, :31] = 1
    query[1, :32] = 1
    query[2, :128] = 1
    query[3, :200] = 1
    reference = np.zeros((1, 256), np.uint8)
    assert pair_score(query, reference) == 1.0
    assert pair_score(query[1:], reference) == 0.0
    assert pair_score(query, np.concatenate([reference, 1 - reference])) == 0.5
    assert pair_score(query[:0], reference) == 0.0
