"""What a plan tells: the chance to miss is exact, and a part of a video speaks for the whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.media_factory import scene_frames, write_video
from vscan.decode.workers import ReadLimits
from vscan.media import Measure
from vscan.planning.bounded_reading import BoundedReaders
from vscan.planning.forecast import Forecast, Machine, forecast
from vscan.planning.looking import Look
from vscan.planning.missing import SampleTimes
from vscan.sampling import GridRequest, KeyframesRequest, TimesRequest

MACHINE = Machine(cores=4, workers=4, threads=1, device="cpu", price=0.5)


@pytest.mark.parametrize("seed", range(4))
def test_the_chance_to_miss_is_what_a_simulation_finds(seed: int) -> None:
    """Events dropped at random into a video are missed as often as the gaps say."""
    rng = np.random.default_rng(seed)
    times_s = np.sort(rng.uniform(0, 60, rng.integers(1, 40)))
    video = SampleTimes(times_s, 60.0, True)
    for event_s in (0.5, 2.0, 7.0):
        starts_s = rng.uniform(0, 60.0 - event_s, 40_000)
        following = np.append(times_s, np.inf)[np.searchsorted(times_s, starts_s)]
        simulated = np.mean(following > starts_s + event_s)
        chance = video.missed_starts_s(event_s) / video.starts_s(event_s)
        assert chance == pytest.approx(simulated, abs=0.015)


def test_the_edges_of_the_chance() -> None:
    """Nothing is missed on a grid as fine as the event, half on one twice as coarse; an event
    longer than the video has nowhere to begin."""
    grid = SampleTimes(np.arange(0.0, 101.0, 2.0), 100.0, True)
    assert 0.0 == grid.missed_starts_s(2.0)
    assert 50.0 == grid.missed_starts_s(1.0)
    assert (0.0, 0.0) == (grid.starts_s(100.0), grid.missed_starts_s(100.0))
    late = SampleTimes(np.array([4.0]), 10.0, True)
    assert 3.0 + 5.0 == late.missed_starts_s(1.0)


def test_a_part_speaks_for_the_whole() -> None:
    """A regular video read in part has the samples and the misses of the whole."""
    whole = SampleTimes(np.arange(0.0, 601.0, 3.0), 600.0, True)
    part = SampleTimes(np.arange(0.0, 31.0, 3.0), 600.0, False)
    assert part.seen_s == 30.0
    assert part.samples == pytest.approx(whole.samples)
    assert part.missed_starts_s(1.0) == pytest.approx(whole.missed_starts_s(1.0))


def test_the_beginning_of_a_long_video_is_read(tmp_path: Path) -> None:
    """A video much longer than the window is read as far as that, a grid and keyframes alike, and a
    short one to its end; both report what was read."""
    frames = scene_frames(seed=1, count=400, width=64, height=48)
    path = write_video(tmp_path / "long.mp4", frames, fps=10, options={"g": "10"})
    with BoundedReaders(ReadLimits(), window_s=0.25) as readers:
        with readers.session(path) as video:
            times_s = np.concatenate(
                [batch.times_s for batch in video.read(GridRequest(0.5), Measure())]
            )
            assert video.report.read == 9
        assert times_s.tolist() == pytest.approx(np.arange(0.0, 4.1, 0.5).tolist(), abs=0.06)
        assert readers.spent.seen_s == pytest.approx(4.0, abs=0.06)
        with readers.session(path) as video:
            times_s = np.concatenate(
                [batch.times_s for batch in video.read(KeyframesRequest(), Measure())]
            )
            assert video.report.read == 3
            assert times_s.tolist() == pytest.approx([0.0, 1.0, 2.0])
            between = [batch.times_s for batch in video.read(TimesRequest((0.5, 1.5)), Measure())]
            assert np.concatenate(between).tolist() == pytest.approx([0.5, 1.5])
        assert readers.spent.seen_s == pytest.approx(2.0)
        assert readers.spent.cpu_s > readers.spent.parent_cpu_s > 0
    with BoundedReaders(ReadLimits(), window_s=60.0) as readers:
        with readers.session(path) as video:
            for _ in video.read(GridRequest(0.5), Measure()):
                pass
            assert video.report.end_s == pytest.approx(40.0)
        assert readers.spent.seen_s is None
        assert readers.spent.cpu_s > readers.spent.parent_cpu_s


def looks(*reading_cpu_s: float) -> list[Look]:
    """Videos of 100 s with a sample a second and so much reading; judging takes 1 s."""
    times = SampleTimes(np.arange(100.0), 100.0, True)
    return [Look(times=times, reading_cpu_s=each, judging_cpu_s=1.0) for each in reading_cpu_s]


def told(found: list[Look], machine: Machine, *, hours: float | None = 1.0) -> Forecast:
    """The forecast for ten videos of 100 s, and the model takes 0.01 s a picture."""
    return forecast(
        found, sampling="fps:1", first_pass=False, seconds_each=0.01, lengths_s=[100.0] * 10,
        hours=hours, events_s=(1.0, 200.0), machine=machine, seed=3,
    )  # fmt: skip


def test_time_and_cost_follow_from_the_rates() -> None:
    """All that the CPU does over its cores; with too few workers these, with a GPU that, and with
    one long video that one sets the time; the price is that of all cores for as long."""
    found = looks(2.0, 2.0)
    full = told(found, MACHINE)
    assert full.samples.value == pytest.approx(3600.0)
    assert full.cpu_s.value == pytest.approx(36.0 * (2.0 + 1.0 + 1.0))
    assert full.here.wall_s.value == pytest.approx(10 * 4.0 / 4)
    assert full.here.core_hours.value == pytest.approx(10 * 4.0 / 3600)
    assert full.here.cost is not None
    assert full.here.cost.value == pytest.approx(full.here.core_hours.value * 0.5)
    assert full.there is not None
    assert full.there.wall_s.value == pytest.approx(36 * 4.0 / 4)
    one = told(found, replace(MACHINE, workers=1))
    assert one.here.wall_s.value == pytest.approx(10 * 3.0)
    device = told(found, replace(MACHINE, device="cuda"), hours=None)
    assert device.cpu_s.value == pytest.approx(36.0 * 3.0)
    assert device.here.wall_s.value == pytest.approx(10 * 1.0)
    assert device.there is None
    slow = told(looks(20.0), MACHINE, hours=None)
    assert slow.here.wall_s.value == pytest.approx(10 * 22.0 / 4)
    single = forecast(
        found, sampling="fps:1", first_pass=False, seconds_each=0.0, lengths_s=[100.0],
        hours=None, events_s=(), machine=MACHINE, seed=3,
    )  # fmt: skip
    assert single.here.wall_s.value == pytest.approx(3.0), "one worker reads it alone"


def test_intervals_say_how_videos_differ() -> None:
    """Videos that differ give an interval around the figure, the same one from the same seed; one
    video gives none, and an event longer than every video has no chance."""
    found = looks(1.0, 2.0, 3.0, 6.0)
    first = told(found, MACHINE)
    low, value, high = first.cpu_s.low, first.cpu_s.value, first.cpu_s.high
    assert low is not None
    assert high is not None
    assert low < value < high
    assert first == told(found, MACHINE)
    alone = told(looks(1.0), MACHINE)
    assert (None, None) == (alone.cpu_s.low, alone.cpu_s.high)
    short, long = first.missed
    assert short.chance is not None
    assert short.chance.value == 0.0
    assert long.chance is None
