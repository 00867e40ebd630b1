"""Adaptive sampling: a cheap first pass, then closer looks where a policy fires or nearly does."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_trials
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.media_factory import write_video
from vscan.decode.workers import ReaderPool
from vscan.demo.scenes import FPS, Scene, play
from vscan.errors import SamplingError
from vscan.halving import RESOLUTION_S, Gap, halves
from vscan.media import Measure
from vscan.rescanning import rescan
from vscan.sampling import (
    MAX_ROUNDS,
    AdaptivePlan,
    GapsRequest,
    GridRequest,
    KeyframesRequest,
    Known,
    TimesRequest,
    parse_fixed_sampling,
    parse_sampling,
)
from vscan.scanning import scan
from vscan.settings import ScanSettings
from vscan.shipped import shipped
from vscan.verdicts import Verdict

LONG = 24.0


def interested(
    score_at: dict[tuple[float, float], float], times_s: list[float]
) -> NDArray[np.float64]:
    """(T, 1) interest of samples by the span that they lie in, else 0."""
    found = [max((v for (a, b), v in score_at.items() if a <= t < b), default=0.0) for t in times_s]
    return np.array(found).reshape(-1, 1)


def run(plan: AdaptivePlan, spans: dict[tuple[float, float], float]) -> tuple[list[float], int]:
    """Times of all samples of a video of LONG seconds with a keyframe every 2 s, and the rounds."""
    times_s: list[float] = []
    known = Known(duration_s=LONG)
    while (request := plan.next_request(known)) is not None:
        looked = known.looked
        if isinstance(request, GapsRequest):
            held_s = np.array([time_s for gap in request.gaps for time_s in gap.times_s])
            assert len(held_s)
            while chosen := halves(np.array(times_s), interested(spans, times_s), held_s):
                times_s = sorted({*times_s, *held_s[chosen].tolist()})
            looked += request.gaps
        else:
            assert isinstance(request, KeyframesRequest)
            times_s = np.arange(0, LONG, 2.0).tolist()
        told = interested(spans, times_s)
        known = Known(LONG, known.rounds + 1, tuple(times_s), LONG, told, looked=looked)
    return times_s, known.rounds


def test_nothing_of_interest_costs_keyframes_alone() -> None:
    """A video in which nothing comes near to firing is read once."""
    assert (np.arange(0, LONG, 2.0).tolist(), 1) == run(AdaptivePlan(), {})


@given(st.floats(2.1, 15.0), st.floats(2.1, 6.0))
def test_boundaries_are_found(start_s: float, length_s: float) -> None:
    """Wherever an event of more than two seconds lies, samples stand on both sides of its start
    and of its end, no further apart than the resolution."""
    stop_s = start_s + length_s
    times_s = np.array(run(AdaptivePlan(), {(start_s, stop_s): 1.0})[0])
    for edge_s in (start_s, stop_s):
        at = int(np.searchsorted(times_s, edge_s))
        assert times_s[at] - times_s[at - 1] <= RESOLUTION_S + 1e-9


def test_what_is_near_is_looked_at() -> None:
    """A peak between two keyframes that are near to firing is found; what is far stays as it is."""
    times_s, _ = run(AdaptivePlan(), {(5.5, 9.0): 0.6, (6.6, 7.7): 1.2})
    assert any(6.6 <= t < 7.7 for t in times_s)
    assert not [t for t in times_s if 12 < t < 14]


@given(st.lists(st.floats(0, 1.5), min_size=200, max_size=200))
@settings_of_trials(max_examples=30, deadline=None)
def test_rounds_and_samples_are_bounded(scores: list[float]) -> None:
    """Whatever the scores, there are at most MAX_ROUNDS rounds and four samples a second."""
    spans = {(k * 0.12, (k + 1) * 0.12): score for k, score in enumerate(scores)}
    times_s, rounds = run(AdaptivePlan(), spans)
    assert rounds <= MAX_ROUNDS
    assert len(times_s) <= LONG / RESOLUTION_S + 1


def test_gaps_between_keyframes_are_filled() -> None:
    """With a largest gap, frames between distant keyframes are asked for, and after the last."""
    for spec in ("keyframes:2", "adaptive:2"):
        plan = parse_sampling(spec)
        known = Known(10.0, 1, (0.0, 5.0), 9.0, np.zeros((2, 1)))
        request = plan.next_request(known)
        assert isinstance(request, TimesRequest)
        np.testing.assert_allclose(request.times_s, (5 / 3, 10 / 3, 7.0))
        assert spec == plan.spec
    assert parse_sampling("keyframes", 2.0) == parse_sampling("keyframes:2")
    assert parse_sampling("adaptive") == parse_sampling("adaptive:2", 2.0)


@pytest.mark.parametrize(("spec", "gap"), [("fps:1", 2.0), ("keyframes:3", 2.0), ("adaptive", 0.0)])
def test_gaps_that_are_refused(spec: str, gap: float) -> None:
    """A gap for a plan that has none, two of them, or one of no length is an error."""
    with pytest.raises(SamplingError):
        parse_sampling(spec, gap)


def test_not_without_a_pack() -> None:
    """Where nothing is judged, as when exemplars are added, there is nothing to adapt to."""
    with pytest.raises(SamplingError, match="follows"):
        parse_fixed_sampling("adaptive")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds of soft grounds with a knife from 13.25 s to 18.25 s, and a
    keyframe every two seconds, none where scenes change."""
    before, after = Scene(13.25, seed=1), Scene(21.75, seed=3)
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    options = {"x264-params": f"keyint={2 * FPS}:min-keyint={2 * FPS}:scenecut=0"}
    frames = play([before, Scene(5.0, ("kitchen knife",), seed=42, size=0.7), after])
    write_video(path, frames, fps=FPS, options=options)
    return path


def settings(**told: object) -> ScanSettings:
    """The demonstration's pack and model."""
    return ScanSettings(policy="demo", model="builtin", workers=1, **told)  # type: ignore[arg-type]


def scanned(film: Path, **told: object) -> Verdict:
    """The verdict of the film."""
    (verdict,) = scan([film], settings=settings(**told))
    return verdict


def test_an_event_is_bounded(film: Path) -> None:
    """Of a real scan: the event is found with its bounds to the resolution, of few samples."""
    verdict = scanned(film, sampling="adaptive")
    (finding,) = verdict.findings
    (segment,) = finding.segments
    assert segment.start_s == pytest.approx(13.25, abs=RESOLUTION_S + 1 / FPS)
    assert segment.end_s == pytest.approx(18.25, abs=RESOLUTION_S + 1 / FPS)
    assert verdict.samples is not None
    assert 1.0 == verdict.samples.coverage
    assert 20 < verdict.samples.read < 45
    assert verdict.provenance.sampling.startswith("adaptive:2 halving/3 for ")
    assert verdict.outcome == scanned(film).outcome


def test_neighbours_and_workers_decide_nothing(film: Path, tmp_path: Path) -> None:
    """The lines of several videos are the same, whoever reads them and shares batches with them."""
    copies = [tmp_path / f"{name}.mp4" for name in "abcde"]
    for number, copy in enumerate(copies):
        copy.write_bytes(film.read_bytes() + bytes(number))
    ran = []
    for workers in (1, 3):
        way = ScanSettings(policy="demo", model="builtin", sampling="adaptive", workers=workers)
        ran.append({each.source.uri: each for each in scan(copies, settings=way)})
    assert ran[0] == ran[1]
    assert 5 == len(ran[0])


def test_stored_samples_belong_to_their_pack(film: Path, tmp_path: Path) -> None:
    """A rescan with the same pack gives the same line; with another one it warns that the samples
    were chosen for a pack that looked for something else."""
    store = str(tmp_path / "store")
    verdict = scanned(film, sampling="adaptive", store=store)
    (again,) = rescan(settings(store=store))
    assert verdict == again
    pack = tmp_path / "other.toml"
    text = shipped("policies")["demo"].read_text("utf-8")
    pack.write_text(text.replace('version = "', 'version = "9', 1), "utf-8")
    (other,) = rescan(replace(settings(store=store), policy=str(pack)))
    assert "sampled_for_other_pack" in other.warnings
    assert "sampled_for_other_pack" not in again.warnings


def test_fast_agrees(film: Path) -> None:
    """Decoding fast gives the same outcome, its segments within a few frames, and says so."""
    exact, fast = scanned(film), scanned(film, decode="fast")
    assert "fps:1 fast" == fast.provenance.sampling
    assert [f.policy for f in exact.findings] == [f.policy for f in fast.findings]
    for one, other in zip(exact.findings, fast.findings, strict=True):
        assert abs(one.score - other.score) < 0.05
        assert abs(one.segments[0].start_s - other.segments[0].start_s) <= 4 / FPS
    assert exact.id != fast.id


def test_fast_embeds_alike(film: Path) -> None:
    """Pictures that a model takes differ little between both ways of decoding."""
    from vscan.embeddings.openclip import load_encoder

    encoder = load_encoder("builtin")
    with ReaderPool(1) as pool, pool.session(film) as video:
        exact, fast = (
            np.concatenate(
                [
                    encoder.encode_images(batch.images)
                    for batch in video.read(
                        GridRequest(1.0), Measure(image=encoder.image_spec, decode=mode)
                    )
                ]
            )
            for mode in ("exact", "fast")
        )
    assert (exact * fast).sum(axis=1).min() > 0.95


def test_long_groups_are_looked_over_first() -> None:
    """Where keyframes are ten seconds apart a frame a second is taken first, and then every quarter
    of a second at a boundary is read in one round."""
    plan, spans = AdaptivePlan(), {(3.4, 7.7): 1.0}
    first = Known(LONG, 1, (0.0, 10.0, 20.0), LONG, first_gap_s=10.0)
    request = plan.next_request(first)
    assert isinstance(request, TimesRequest)
    times_s = sorted({*first.times_s, *request.times_s})
    np.testing.assert_allclose(times_s, np.arange(0.0, LONG))
    told = interested(spans, times_s)
    again = plan.next_request(Known(LONG, 2, tuple(times_s), LONG, told, 10.0))
    assert GapsRequest((Gap(3.0, 4.0, 0.25), Gap(7.0, 8.0, 0.25))) == again
    assert again.gaps[0].times_s == (3.25, 3.5, 3.75)


@pytest.mark.parametrize(("max_gap_s", "between_s", "added"), [(4, 4, 0), (4, 5, 19), (10, 10, 0)])
def test_a_wide_gap_that_was_asked_for(max_gap_s: float, between_s: float, added: int) -> None:
    """What the first pass left between samples is no long group where it was asked for."""
    times_s = np.arange(0.0, LONG, between_s).tolist()
    found = Known(LONG, 1, tuple(times_s), LONG, interested({}, times_s), between_s)
    request = AdaptivePlan(max_gap_s).next_request(found)
    assert added == (len(request.times_s) if isinstance(request, TimesRequest) else 0)


def test_slides_hide_no_boundary(tmp_path: Path) -> None:
    """Where gaps hold no frame at all, as between slides, what lies elsewhere is bounded still."""
    event = Scene(5.0, ("kitchen knife",), seed=42, size=0.7)
    frames = list(play([Scene(13.25, seed=1), event, Scene(1.75, seed=3)]))
    slides = [len(frames) - 1 + 3 * FPS * k for k in (1, 2, 3)]
    film = write_video(
        tmp_path / "slides.mov",
        [*frames, *frames[-1:] * len(slides)],
        fps=FPS,
        codec="mjpeg",
        pix_fmt="yuvj420p",
        ticks=[*range(len(frames)), *slides],
        time_base=Fraction(1, FPS),
    )
    (segment,) = scanned(film, sampling="adaptive").findings[0].segments
    assert segment.start_s == pytest.approx(13.25, abs=RESOLUTION_S + 1 / FPS)
    assert segment.end_s == pytest.approx(18.25, abs=RESOLUTION_S + 1 / FPS)
