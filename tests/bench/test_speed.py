"""The measurements of speed: what is pure in them, and that what they make is what they say."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from bench.copies.originals import Original
from bench.speed.agreement import agreement, nearest
from bench.speed.arguments import parser
from bench.speed.clip_set import Clip, ClipSet, read_clip_set, write_clip_set
from bench.speed.clips import CLIPS, clip_size, draw_cuts
from bench.speed.encoding import write_clips
from bench.speed.end_to_end import Comparison, against_limit, against_loop
from bench.speed.event_scores import Event, Found, score_events
from bench.speed.event_set import (
    KEYFRAME_S,
    LENGTHS_S,
    RATE,
    EventVideo,
    Shot,
    pictures,
    plan_video,
)
from bench.speed.events import EVERY_FRAME, costs, finds
from bench.speed.hash_only import FFMPEG, VPDQ, table
from bench.speed.memory import lengthened
from bench.speed.tables import markdown, median_of
from bench.speed.warm_start import WarmStart

from tests.media_factory import scene_frames
from vscan.errors import UsageError


def test_an_event_is_found_by_its_policy_where_it_is() -> None:
    """Of four events the overlapped one is found: another policy, another time, none are not."""
    events = {"v": [Event("fire", s, s + 2.0) for s in (10.0, 20.0, 30.0)], "w": [Event("a", 0, 5)]}
    found = {"v": [Found("fire", 9.5, 11.0), Found("drugs", 20.0, 22.0), Found("fire", 32.0, 33.0)]}
    scores = score_events(events, found)
    assert scores.recall == {2.0: (1, 3), 5.0: (0, 1)}
    assert (scores.segments, scores.true_segments) == (3, 1)
    assert scores.precision == pytest.approx(1 / 3)
    assert sorted(scores.boundaries_s) == [0.5, 1.0]


def test_boundaries_are_those_of_all_segments_of_an_event() -> None:
    """Two segments in one event: the first start and the last end are held against its own."""
    segments = [Found("fire", 4.0, 5.0), Found("fire", 7.0, 7.0), Found("fire", 8.0, 10.5)]
    scores = score_events({"v": [Event("fire", 4.25, 10.0)]}, {"v": segments})
    assert scores.boundaries_s == (0.25, 0.5)
    assert (scores.segments, scores.true_segments) == (3, 3)
    assert scores.boundary(50.0) == pytest.approx(0.375)


def test_an_instant_of_one_sample_shows_its_event() -> None:
    """A segment without length is of the event that it lies in, and of none that it lies before."""
    inside, before = Found("a", 1.0, 1.0), Found("a", 0.5, 0.5)
    assert inside.shows(Event("a", 1.0, 2.0)) and inside.shows(Event("a", 0.0, 2.0))
    assert not before.shows(Event("a", 1.0, 2.0))


def test_nothing_found_has_no_boundaries() -> None:
    """Without a segment recall is 0, precision 1, and the boundary is not a number."""
    scores = score_events({"v": [Event("a", 0.0, 5.0)]}, {})
    assert scores.recall == {5.0: (0, 1)}
    assert scores.precision == 1.0
    assert np.isnan(scores.boundary(95.0))


def test_events_follow_from_the_seed_and_miss_the_keyframes() -> None:
    """One event of each length a video, each in a minute of its own, off the keyframes, seeded."""
    video = plan_video(3, 2)
    assert plan_video(3, 2) == video != plan_video(4, 2)
    assert sorted(event.length_s for event in video.events) == list(LENGTHS_S)
    assert video.seconds == 60 * len(LENGTHS_S)
    assert sum(shot.count for shot in video.host) == video.seconds * RATE
    for minute, (event, shot) in enumerate(zip(video.events, video.spliced, strict=True)):
        assert minute * 60 < event.start_s < event.end_s < minute * 60 + 60
        assert shot.start % (KEYFRAME_S * RATE) != 0
        assert event.start_s == pytest.approx(shot.start / RATE, abs=1e-6)


def test_event_pictures_are_the_events() -> None:
    """An event's pictures stand where the truth says, and the footage goes on behind them."""
    host, event = Shot(0, 12, "dog face", 5), Shot(4, 4, "dagger", 6)
    plain = list(pictures(EventVideo("v", (host,), (), ())))
    spliced = list(pictures(EventVideo("v", (host,), (event,), (Event("weapons", 0, 1),))))
    differ = [not np.array_equal(a, b) for a, b in zip(plain, spliced, strict=True)]
    assert differ == [False] * 4 + [True] * 4 + [False] * 4


def test_keyframes_come_when_they_are_due_and_at_no_cut(tmp_path: Path) -> None:
    """A cut between two keyframes is given none, and the same pictures make the same bytes."""
    dark, light = scene_frames(seed=1, count=15, width=64, height=48), np.full((48, 64, 3), 250)
    shown = [*dark, *[light.astype(np.uint8)] * 15]
    paths = {1.0: tmp_path / "one.mp4", 2.0: tmp_path / "two.mp4"}
    assert write_clips(paths, shown, rate=Fraction(10), preset="veryfast") == 30
    first = paths[1.0].read_bytes()
    write_clips(paths, shown, rate=Fraction(10), preset="veryfast")
    assert paths[1.0].read_bytes() == first
    for gop_s, path in paths.items():
        with av.open(str(path)) as container:
            times_s = [frame.time for frame in container.decode(video=0) if frame.key_frame]
        assert times_s == pytest.approx(np.arange(0.0, 3.0, gop_s))
    assert lengthened(paths[1.0], tmp_path / "long.mp4", seconds=7.0) == pytest.approx(9.0)
    with av.open(str(tmp_path / "long.mp4")) as container:
        seen = [frame.time for frame in container.decode(video=0)]
    assert seen == pytest.approx(np.arange(90) / 10)


def test_cuts_use_every_video_and_follow_from_the_seed() -> None:
    """Each video is cut as often as any other, but for one; another seed cuts elsewhere."""
    videos = [Original(f"{k}.mp4", Path(f"{k}.mp4"), 64, 48, 9.0, "") for k in range(6)]
    cuts = draw_cuts(videos, 1)
    counts = [sum(cut.original == video for cut in cuts) for video in videos]
    assert sum(counts) == CLIPS and max(counts) - min(counts) <= 1
    assert draw_cuts(videos, 1) == cuts != draw_cuts(videos, 2)
    assert (clip_size(176, 144, 720), clip_size(480, 720, 720)) == ((720, 590), (480, 720))
    assert clip_size(480, 720, 1920) == (1280, 1920)


def test_a_set_is_read_as_it_was_written(tmp_path: Path) -> None:
    """A set comes back whole, or its first clips; one with a clip gone is refused by name."""
    clips = tuple(Clip(f"clip-{k}.mp4", "a.mp4", 12.5, 30.0, 720, 480) for k in range(3))
    made = ClipSet(tmp_path, 7, 2.0, "medium", clips)
    for path in made.paths:
        path.touch()
    write_clip_set(made)
    assert read_clip_set(tmp_path) == made
    assert read_clip_set(tmp_path, 2).clips == clips[:2]
    made.paths[1].unlink()
    with pytest.raises(UsageError, match=r"clip-1\.mp4"):
        read_clip_set(tmp_path)
    with pytest.raises(UsageError, match="no set of clips"):
        read_clip_set(tmp_path / "elsewhere")


def test_ratios_are_of_medians() -> None:
    """The loop's median wall over a scan's, and a scan's over both costs shared by the cores."""

    def ran(*walls: float) -> list[dict[str, object]]:
        return [{"wall_s": wall, "cpu_s": 1.0, "frames": 10, "precision": "fp32"} for wall in walls]

    rows = against_loop({"loop": ran(20.0, 22.0, 60.0), "exact": ran(10.0, 11.0, 12.0)})[1]
    assert [row[5] for row in rows] == ["1.00x", "2.00x"]
    assert rows[1][1] == "11.00 (10.00–12.00)"
    assert [row[5] for row in against_loop({"exact": ran(10.0)})[1]] == ["-"]
    limits = [{"read_cpu_s": 8.0, "embed_cpu_s": 12.0}]
    assert against_limit(ran(11.0), limits, 2)[1][-1][1] == "1.10"


def test_a_peer_that_did_not_run_has_no_ratio() -> None:
    """Walls are divided into vPDQ's and ffmpeg's; without vPDQ its column has dashes."""
    scan, ffmpeg = [{"wall_s": 2.0, "cpu_s": 3.0, "frames": 4}], [{"wall_s": 3.0, "cpu_s": 5.0}]
    assert table({FFMPEG: ffmpeg, "vscan fps:1": scan})[1][1][4:] == ["-", "1.50x"]
    both = table({VPDQ: [{"wall_s": 5.0, "cpu_s": 5.0, "frames": 4}], "vscan fps:1": scan})
    assert both[1][1][4:] == ["2.50x", "-"]


def test_costs_are_for_an_hour() -> None:
    """CPU of the readers and of all is scaled to an hour, and divided into the peer's and fps:1."""
    scan = {"readers_cpu_s": 10.0, "cpu_s": 15.0, "frames": 240}
    sparse = {"readers_cpu_s": 1.0, "cpu_s": 3.0, "frames": 120}
    ran = {EVERY_FRAME: {"cpu_s": 12.0, "frames": 240}, "fps:1": scan, "keyframes": sparse}
    rows = costs(ran, 0.5)[1]
    assert rows[0][1:] == ["24.0", "-", "240", "1.00x", "0.83x", "-"]
    assert rows[2][1:] == ["2.0", "6.0", "120", "12.00x", "10.00x", "5.00x"]
    events = {"v": [Event("a", 9.0 * k, 9.0 * k + length) for k, length in enumerate((1, 2, 5))]}
    base = score_events(events, {"v": [Found("a", 18.0, 23.0)]})
    row = finds({"fps:1": base})[1][0]
    assert row == ["fps:1", "0 of 1", "0 of 1", "1 of 1", "100.0%", "1.000", "0.00", "0.00"]


def test_frames_agree_within_half_a_frame() -> None:
    """Of three frames two are shared; cosines are of those, and of other clips by chance."""
    one, other = np.eye(3), np.array([[0.6, 0.8, 0.0], [0.0, 1.0, 0.0]])
    sampled = {"a": (np.arange(3.0), one), "b": (np.zeros(1), one[1:2])}
    found = agreement(sampled, {"a": (np.array([0.01, 1.0]), other)}, rate=30.0)
    assert (found.frames, found.shared, found.unlike) == (4, 2, 0.0)
    assert [found.lowest, found.median] == pytest.approx([0.6, 0.8])
    with pytest.raises(UsageError, match="no frame"):
        agreement(sampled, {"a": (np.array([9.0]), other[:1])}, rate=30.0)


def test_the_nearest_time_is_found_as_by_looking_at_all() -> None:
    """For random times the position is that of the least distance, also among one time alone."""
    rng = np.random.default_rng(2)
    for count in (1, 2, 9):
        among, asked = np.sort(rng.uniform(0, 10, count)), rng.uniform(-1, 11, 50)
        slow = np.abs(asked[:, None] - among).argmin(axis=1)
        assert nearest(asked, among).tolist() == slow.tolist()


def test_the_clock_starts_when_every_reader_has_done_its_clip(tmp_path: Path) -> None:
    """What is measured is drawn only when the tiny clips have verdicts, and nothing else counts."""
    start, begun = WarmStart(["x.mp4"], readers=2, folder=tmp_path), []
    sources = start.sources(lambda: begun.append(True))
    tiny = [next(sources).uri, next(sources).uri]
    assert all(Path(name).is_file() for name in tiny)
    assert not Path(next(sources).uri).exists()
    assert not start.is_measured(tiny[1])
    assert not Path(next(sources).uri).exists() and not begun
    assert not start.is_measured(tiny[0])
    assert [each.uri for each in sources] == ["x.mp4"] and begun
    assert start.is_measured("x.mp4")


def test_tables_are_markdown() -> None:
    """Every line has the cells of its row, padded; several values give a median and their range."""
    lines = list(markdown(["what", "s"], [["a", "1.25"], ["longer", "10"]]))
    assert lines == [
        "| what   |    s |", "| ------ | ---: |", "| a      | 1.25 |", "| longer |   10 |",
    ]  # fmt: skip
    assert (median_of([2.0]), median_of([1.0, 5.0, 2.0], 1)) == ("2.00", "2.0 (1.0–5.0)")


def test_commands_take_what_they_say() -> None:
    """Lists come apart, the set's cases are known, and what is no number of times is refused."""
    asked = ["end-to-end", "--set", "S", "--workers", "1,2,4", "--cases", "loop,exact"]
    args = parser().parse_args(asked)
    assert (args.workers, args.cases, args.repeats) == ((1, 2, 4), ("loop", "exact"), 3)
    every = parser().parse_args(["end-to-end", "--set", "S"])
    assert every.cases == ("loop", "exact", "fast", "adaptive", "keyframes")
    assert parser().parse_args(["events", "--out", "O"]).gop == (2.0, 10.0)
    with pytest.raises(SystemExit):
        parser().parse_args(["memory", "--set", "S", "--times", "0"])
    clips = ClipSet(Path("S"), 1, 2.0, "medium", ())
    with pytest.raises(UsageError, match="no case 'slow'"):
        Comparison(clips, ("slow",), 1, ())
