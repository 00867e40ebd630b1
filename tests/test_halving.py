"""Halving: what is read at once leaves no trace but the samples that going step by step takes.

The videos are made up: frames at a steady rate whose picture tells their number, a keyframe every
two seconds, and a rule that fires in given spans.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vscan.decode.workers import ReaderPool
from vscan.digests import Digests
from vscan.halving import RESOLUTION_S, Gap, gaps_wanted, halves, in_portions
from vscan.held_frames import HeldFrames
from vscan.measuring import MOST_HELD, Measured, measure
from vscan.media import FrameBatch, ImageSpec, Measure, ReadReport, VideoInfo
from vscan.recipe import Recipe
from vscan.sampling import AdaptivePlan, FrameRequest, KeyframesRequest, TimesRequest
from vscan.sources import Source

GROUP_S = 2.0
Spans = tuple[tuple[float, float], ...]


@dataclass
class MadeUp:
    """A video, and the readers and the session that serve it."""

    length_s: float = 40.0
    fps: int = 24
    spans: Spans = ()
    """In which the rule fires."""
    batch: int = 32
    """Frames of each of the reader's batches."""
    lost: tuple[float, float] = (0.0, 0.0)
    """Within these seconds no frame decodes that is asked for by its time."""
    requests: list[FrameRequest] = field(default_factory=list)
    embedded: list[int] = field(default_factory=list)
    """Numbers of the frames that went to the model, in that order."""
    features_s: list[float] = field(default_factory=list)
    """Times of the samples whose keypoints were kept."""
    report: ReadReport | None = None
    info: VideoInfo = field(default_factory=lambda: VideoInfo("mov", "h264", 64, 64, 40.0))

    @property
    def times_s(self) -> list[float]:
        """Of every frame."""
        return [k / self.fps for k in range(round(self.length_s * self.fps))]

    @contextmanager
    def session(self, _path: Path, _stamp: object = None) -> Iterator[MadeUp]:
        """As ReaderPool.session."""
        yield self

    def read(self, request: FrameRequest, _measure: Measure) -> Iterator[FrameBatch]:
        """As VideoSession.read."""
        self.requests.append(request)
        frames, missed = self._wanted(request)
        for at in range(0, len(frames), self.batch):
            yield self._batch(np.array(frames[at : at + self.batch]))
        count = len(frames)
        self.report = ReadReport(count + missed, count, self.length_s, "made up")

    def _wanted(self, request: FrameRequest) -> tuple[list[int], int]:
        """Numbers of the frames wanted, and how many of them are lost."""
        if isinstance(request, KeyframesRequest):
            return list(range(0, len(self.times_s), round(GROUP_S * self.fps))), 0
        assert isinstance(request, TimesRequest)
        found = sorted({bisect.bisect_left(self.times_s, t - 1e-6) for t in request.times_s})
        kept = [k for k in found if not self.lost[0] <= self.times_s[k] < self.lost[1]]
        return kept, len(found) - len(kept)

    def _batch(self, frames: NDArray[np.int64]) -> FrameBatch:
        count = len(frames)
        images = np.zeros((count, 8, 8, 3), np.uint8)
        images[:, :, :, 0], images[:, :, :, 1] = (frames // 256)[:, None, None], 0
        images[:, :, :, 1] = (frames % 256)[:, None, None]
        images[:, :, :, 2] = (frames * 97 % 256)[:, None, None]  # no two neighbours look the same
        return FrameBatch(
            times_s=frames / self.fps,
            images=images,
            pdq=np.repeat(frames % 251, 2 * 8 * 32).astype(np.uint8).reshape(2 * count, 8, 32),
            pdq_quality=np.full(2 * count, 100, np.uint8),
            pdq_sample=np.repeat(np.arange(count, dtype=np.int32), 2),
            pdq_region=np.tile(np.array([0, 1], np.uint8), count),
            keypoints=np.zeros((count, 2, 4), np.uint8),
        )

    def embed(self, images: NDArray[np.uint8]) -> Future[NDArray[np.float32]]:
        """Vectors that are done, of no meaning."""
        self.embedded += (images[:, 0, 0, 0].astype(int) * 256 + images[:, 0, 0, 1]).tolist()
        done: Future[NDArray[np.float32]] = Future()
        done.set_result(np.ones((len(images), 1), np.float32))
        return done

    def fires(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """(T, 1) interest."""
        inside = [any(a <= t < b for a, b in self.spans) for t in times_s.tolist()]
        return np.array(inside, np.float64).reshape(-1, 1)

    def measured(self) -> Measured:
        """By adaptive sampling, in every signal."""
        signals = ("embedding", "pdq", "keypoints")
        recipe = Recipe(AdaptivePlan(), signals, ImageSpec(8, 8), "model", rules="0123")
        return measure(
            Source("film", Path("film")),
            Digests("a" * 64, "b" * 32, 1),
            recipe=recipe,
            readers=cast("ReaderPool", self),
            embed=self.embed,
            keep_features=lambda times_s, _: self.features_s.extend(times_s.tolist()),
            interest=lambda measured: self.fires(measured.times_s),
        )

    def step_by_step(self) -> list[float]:
        """Times of the samples that halving takes where each middle is asked for by itself."""
        times_s = [k * GROUP_S for k in range(round(self.length_s / GROUP_S))]
        while True:
            fires = self.fires(np.array(times_s))[:, 0]
            middles = [
                (times_s[k] + times_s[k + 1]) / 2
                for k in range(len(times_s) - 1)
                if fires[k] != fires[k + 1] and times_s[k + 1] - times_s[k] > 1.05 * RESOLUTION_S
            ]
            if not middles:
                return times_s
            found = [self.times_s[bisect.bisect_left(self.times_s, m - 1e-6)] for m in middles]
            times_s = sorted({*times_s, *found})


@given(st.lists(st.floats(2.0, 36.0), max_size=6, unique=True))
@settings(max_examples=40, deadline=None)
def test_the_samples_are_those_of_halving_step_by_step(edges_s: list[float]) -> None:
    """Whatever begins and ends where, the same frames are samples, and the file is read twice."""
    edges = sorted(edges_s)
    film = MadeUp(spans=tuple(zip(edges[::2], edges[1::2], strict=False)))
    measured = film.measured()
    np.testing.assert_allclose(measured.times_s, film.step_by_step())
    assert len(film.requests) <= 2


@pytest.mark.parametrize("fps", [15, 25, 30])
def test_boundaries_at_other_rates(fps: int) -> None:
    """Where frames are not at quarters of a second, a boundary is known to the resolution and one
    frame, and the file is not read again for less."""
    film = MadeUp(fps=fps, spans=((9.4, 15.3), (20.1, 33.9)))
    times_s = film.measured().times_s
    for edge_s in (9.4, 15.3, 20.1, 33.9):
        at = int(np.searchsorted(times_s, edge_s))
        assert times_s[at] - times_s[at - 1] <= RESOLUTION_S + 1 / fps
    assert len(film.requests) == 2


def test_what_is_not_needed_leaves_no_trace() -> None:
    """Of seven frames read in each of four gaps three are samples: no other is embedded, hashed,
    kept or counted."""
    film = MadeUp(spans=((9.4, 15.3), (20.1, 33.9)))
    measured = film.measured()
    count = 20 + 4 * 3
    assert isinstance(ahead := film.requests[1], TimesRequest)
    assert len(ahead.times_s) == 4 * 7
    assert len(measured.times_s) == count
    assert (measured.report.planned, measured.report.read) == (count, count)
    numbers = np.round(measured.times_s * film.fps).astype(int).tolist()
    assert sorted(film.embedded) == numbers
    assert sorted(film.features_s) == measured.times_s.tolist()
    assert set(measured.tracks) == {"embedding", "pdq"}
    np.testing.assert_array_equal(measured.tracks["embedding"].times_s, measured.times_s)
    pdq = measured.tracks["pdq"]
    np.testing.assert_array_equal(pdq.times_s, np.repeat(measured.times_s, 2))
    assert pdq.values[::2, 0].tolist() == [number % 251 for number in numbers]
    assert pdq.region is not None
    assert pdq.region.tolist() == [0, 1] * count


def test_the_readers_batches_decide_nothing() -> None:
    """In whatever batches frames come, the same pictures go to the model in the same order."""
    spans = tuple((k * 2.9, k * 2.9 + 1.3) for k in range(13))
    films = [MadeUp(spans=spans, batch=batch) for batch in (1, 5, 32, 1000)]
    measured = [film.measured() for film in films]
    for film, each in zip(films[1:], measured[1:], strict=True):
        assert film.embedded == films[0].embedded
        assert each.times_s.tolist() == measured[0].times_s.tolist()


def test_no_more_is_held_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where something begins or ends in every gap of a long video, a portion and a batch are held
    at a time, and the file is read twice all the same."""
    held: list[int] = []
    draw = HeldFrames.draw

    def watched(frames: HeldFrames, *told: Any) -> None:
        draw(frames, *told)
        held.append(len(frames))

    monkeypatch.setattr(HeldFrames, "draw", watched)
    film = MadeUp(length_s=400.0, spans=tuple((4.0 * k + 1, 4.0 * k + 3) for k in range(100)))
    measured = film.measured()
    assert len(measured.times_s) == len(film.step_by_step())
    assert MOST_HELD / 2 < max(held) <= MOST_HELD + film.batch
    assert len(film.requests) == 2


def test_what_is_lost_in_a_gap_is_told() -> None:
    """Frames that were asked for and do not decode count as planned; the rest is halved."""
    film = MadeUp(spans=((9.4, 30.0),), lost=(8.2, 9.2))
    measured = film.measured()
    assert measured.report.planned - measured.report.read == 4
    assert measured.report.read == len(measured.times_s)
    assert len(film.requests) == 2


def told(film: Callable[[float], float], times_s: list[float]) -> NDArray[np.float64]:
    """(T, 1) interest at these times."""
    return np.array([[film(time_s)] for time_s in times_s])


def test_wide_gaps_are_halved_by_reading() -> None:
    """Between samples ten seconds apart there may be keyframes: the middle alone is read, and a gap
    that was read as closely before is not read again, whatever was found in it."""
    times_s = np.array([0.0, 10.0])
    interest = told(lambda t: float(t >= 7), [0.0, 10.0])
    (gap,) = gaps_wanted(times_s, interest, ())
    assert (gap, gap.times_s) == (Gap(0.0, 10.0, 5.0), (5.0,))
    assert not gaps_wanted(times_s, interest, (gap,))
    nearer = np.array([0.0, 5.0, 10.0])
    interest = told(lambda t: float(t >= 7), nearer.tolist())
    assert gaps_wanted(nearer, interest, (gap,)) == [Gap(5.0, 10.0, 2.5)]
    # Of two groups of two seconds too.
    (gap,) = gaps_wanted(np.array([0.0, 4.0]), told(lambda t: float(t >= 3), [0.0, 4.0]), ())
    assert gap.times_s == (2.0,)


def test_the_nearest_to_the_middle_is_taken() -> None:
    """One frame a gap, the earlier of two; none where nothing begins, or nothing is held."""
    interest = told(lambda t: float(t >= 3), [0.0, 2.0, 4.0, 6.0])
    times_s = np.array([0.0, 2.0, 4.0, 6.0])
    assert halves(times_s, interest, np.array([1.0, 2.0, 2.8, 3.2, 4.0])) == [2]
    assert halves(times_s, interest, np.array([1.0, 5.0])) == []


def test_portions_keep_their_order() -> None:
    """Gaps stay in order and together; one with more frames than are allowed is alone."""
    gaps = [Gap(2.0 * k, 2.0 * k + 2, 0.25) for k in range(5)] + [Gap(10.0, 13.0, 0.1)]
    portions = list(in_portions(gaps, 20))
    assert [len(portion) for portion in portions] == [2, 2, 1, 1]
    assert [gap for portion in portions for gap in portion] == gaps
