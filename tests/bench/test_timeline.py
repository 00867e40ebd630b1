"""Ground truth is what the made videos show: read back from numbers painted on their frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from bench.copies import splices
from bench.copies.hard_edits import EDITS
from bench.copies.making import Made, make_video
from bench.copies.originals import Original, Skipped, frames_of, look_at
from bench.copies.planning import Job
from bench.copies.splices import draw_splice
from bench.copies.timeline import Box, Ledger, Shown, retimed

from tests.media_factory import barcode_clip, read_barcode, scene_frames, write_video

FPS, COUNT = 30, 120


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """Four seconds of numbered frames."""
    path = tmp_path_factory.mktemp("numbered") / "numbered.mp4"
    barcode_clip(path, count=COUNT, fps=FPS)
    original = look_at(path, path.name)
    assert isinstance(original, Original)
    return original


def made(job: Job, folder: Path) -> tuple[Made, list[Shown]]:
    """The job's video, made and read again."""
    (folder / "queries").mkdir()
    done = make_video(job, {}, folder)
    return done, list(frames_of(folder / "queries" / f"{job.name}.mp4"))


def edited(original: Original, *steps: tuple[str, dict[str, object]]) -> Job:
    """A job of these edits."""
    parameters = {"steps": [list(step) for step in steps]}
    return Job("made", "edit", "plain", original, parameters)


def assert_shows(frames: list[Shown], box: Box) -> int:
    """Each frame within the box carries the number of the time that the box says; how many did."""
    seen = 0
    pace = (box.ref_end - box.ref_start) / (box.query_end - box.query_start)
    for frame in frames:
        if box.query_start - 1e-3 <= frame.time_s < box.query_end - 1e-3:
            said_s = box.ref_start + (frame.time_s - box.query_start) * pace
            number = read_barcode(frame.picture)
            assert number / FPS - 0.01 <= said_s < (number + 1) / FPS + 0.01, frame.time_s
            seen += 1
    return seen


@pytest.mark.parametrize("rate", [12, 13, 15, 50])
def test_times_of_another_frame_rate(numbered: Original, tmp_path: Path, rate: int) -> None:
    """At any rate each frame holds the picture of its time, from first to last."""
    done, frames = made(edited(numbered, ("fps", {"rate": rate})), tmp_path)
    (box,) = done.boxes
    assert box.ref_start == 0.0
    assert box.ref_end == pytest.approx(COUNT / FPS, abs=1e-3)
    assert box.query_end == pytest.approx(COUNT / FPS, abs=1 / rate)
    assert assert_shows(frames, box) == len(frames) == round(box.query_end * rate)


@pytest.mark.parametrize("name", ["speed1.25", "speed2"])
def test_times_of_another_speed(numbered: Original, tmp_path: Path, name: str) -> None:
    """A faster copy ends sooner, keeps the frame rate and says which time each frame shows."""
    strengths = EDITS[name].draw(np.random.default_rng(1))
    done, frames = made(edited(numbered, (name, strengths)), tmp_path)
    (box,) = done.boxes
    assert box.query_end == pytest.approx(COUNT / FPS / strengths["speed"], abs=1 / FPS)
    assert box.ref_end == pytest.approx(COUNT / FPS, abs=1e-3)
    assert assert_shows(frames, box) == len(frames)
    assert frames[0].length_s == pytest.approx(1 / FPS, abs=1e-3)


def test_times_of_two_edits_of_time(numbered: Original, tmp_path: Path) -> None:
    """Speed and frame rate on top of each other still say the time in the original."""
    job = edited(numbered, ("speed1.25", {"speed": 1.25}), ("fps", {"rate": 14}))
    done, frames = made(job, tmp_path)
    (box,) = done.boxes
    assert box.query_end == pytest.approx(COUNT / FPS / 1.25, abs=1 / 14)
    # Each tick holds a frame that was itself held: a frame of both rates may lie between.
    for frame in frames:
        said_s = box.ref_start + frame.time_s * 1.25
        assert abs(read_barcode(frame.picture) / FPS - said_s) < 2.5 / FPS


def test_times_of_a_needle(
    numbered: Original, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A splice's truth is the frames that were put in, all of them, and no other."""
    monkeypatch.setattr(splices, "TOTAL_S", (6.0, 8.0))
    monkeypatch.setattr(splices, "PIECE_S", (1.0, 2.0))
    drawn = draw_splice(np.random.default_rng(4), numbered, 2.0, [])
    assert drawn is not None
    done, frames = made(Job("made", "splice2", "needle2", numbered, drawn), tmp_path)
    (box,) = done.boxes
    assert box.query_start > 0.3 and box.query_end < done.end_s - 0.3
    assert 6.0 - 0.2 <= done.end_s <= 8.0 + 0.2
    expected = [k for k in range(COUNT) if drawn["start_s"] <= k / FPS < drawn["start_s"] + 2.0]
    assert assert_shows(frames, box) == len(expected)
    assert box.ref_start == pytest.approx(expected[0] / FPS, abs=1e-3)
    assert box.ref_end == pytest.approx((expected[-1] + 1) / FPS, abs=1e-3)


def test_irregular_times_are_kept(tmp_path: Path) -> None:
    """An edit of the picture keeps frames at the times they had, however uneven."""
    ticks = [0, 40, 90, 100, 170, 200, 400, 450, 700, 1000, 1600, 1650]
    path = tmp_path / "uneven.mp4"
    write_video(
        path, scene_frames(seed=3, count=12, width=96, height=64), ticks=ticks,
        time_base=Fraction(1, 1000),
    )  # fmt: skip
    original = look_at(path, path.name)
    assert isinstance(original, Original)
    done, frames = made(edited(original, ("grey", {})), tmp_path)
    assert [frame.time_s for frame in frames] == pytest.approx([t / 1000 for t in ticks], abs=2e-3)
    assert done.boxes == (Box(0.0, original.end_s, 0.0, original.end_s),)


def test_a_cut_parts_two_boxes() -> None:
    """A jump in the original's time, or footage in between, starts another box."""
    picture = np.zeros((2, 2, 3), np.uint8)
    ledger = Ledger(original_end_s=9.0)
    spans = [(0.0, 1.0), (1.0, 2.0), None, (2.0, 3.0), (7.0, 8.0), (8.0, 9.5)]
    for k, span in enumerate(spans):
        ledger.note(Shown(picture, float(k), 1.0, span))
    assert ledger.boxes == (
        Box(0.0, 2.0, 0.0, 2.0), Box(3.0, 4.0, 2.0, 3.0), Box(4.0, 6.0, 7.0, 9.0),
    )  # fmt: skip


def test_ticks_hold_the_frame_of_their_time() -> None:
    """At half the rate every other frame is held, at double each frame twice."""
    pictures = [np.full((2, 2, 3), k, np.uint8) for k in range(6)]
    frames = [Shown(p, k / 10, 0.1, (k / 10, (k + 1) / 10)) for k, p in enumerate(pictures)]
    assert [int(f.picture[0, 0, 0]) for f in retimed(frames, rate=5)] == [0, 2, 4]
    assert [int(f.picture[0, 0, 0]) for f in retimed(frames, rate=20)] == [
        k for k in range(6) for _ in "ab"
    ]


def test_a_turned_video_is_read_upright(tmp_path: Path) -> None:
    """Rotation in the container is applied before anything is edited."""
    path = tmp_path / "turned.mp4"
    barcode_clip(path, count=60, width=160, height=96, rotation=90)
    original = look_at(path, path.name)
    assert isinstance(original, Original)
    assert (original.width, original.height) == (96, 160)
    first = next(frames_of(path)).picture
    assert read_barcode(np.rot90(first)) == 0


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    """Too short, blank and broken files are skipped with a reason each."""
    short, blank, broken = (tmp_path / f"{name}.mp4" for name in ("short", "blank", "broken"))
    write_video(short, scene_frames(seed=1, count=20, width=96, height=64))
    write_video(blank, (np.full((64, 96, 3), 90, np.uint8) for _ in range(60)))
    broken.write_bytes(short.read_bytes()[:500])
    for path, reason in ((short, "shorter"), (blank, "blank"), (broken, "cannot be read")):
        found = look_at(path, path.name)
        assert isinstance(found, Skipped) and reason in found.reason
