"""Alignment: both intervals of a match are right, and nothing is blown up or told twice."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.exemplars.synthetic import DIM, MODEL, exemplar
from tests.matching.test_search import flipped
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.matching.align import find_matches
from vscan.matching.match import Match, pdq_score, similarity_score
from vscan.matching.search import SourceTracks
from vscan.media import DIHEDRAL_FORMS
from vscan.tracks import Track

FRAME_RATE = 20
"""Pictures a second of the synthetic films; sampling takes the first at or after each time."""


class Film:
    """A film of random pictures: for every frame its hash, its vector and its quality."""

    def __init__(self, seconds: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        count = round(seconds * FRAME_RATE)
        self.hashes = rng.integers(0, 256, (count, 32), dtype=np.uint8)
        self.vectors = rng.normal(size=(count, DIM))
        self.quality = np.full(count, 90, np.uint8)

    def hold(self, start_s: float, end_s: float, frame_s: float | None = None) -> Film:
        """From start to end the picture stands still (as it is at `frame_s`)."""
        at = round((start_s if frame_s is None else frame_s) * FRAME_RATE)
        span = slice(round(start_s * FRAME_RATE), round(end_s * FRAME_RATE))
        self.hashes[span], self.vectors[span] = self.hashes[at], self.vectors[at]
        return self

    def blank(self, start_s: float, end_s: float) -> Film:
        """From start to end the picture is black: always the same, of quality 0."""
        span = slice(round(start_s * FRAME_RATE), round(end_s * FRAME_RATE))
        self.hashes[span], self.vectors[span], self.quality[span] = 0, 1.0, 0
        return self

    def insert(self, at_s: float, other: Film, from_s: float, to_s: float) -> Film:
        """From `at_s` on, frames from_s..to_s of another film are seen."""
        source = slice(round(from_s * FRAME_RATE), round(to_s * FRAME_RATE))
        at = round(at_s * FRAME_RATE)
        span = slice(at, at + source.stop - source.start)
        self.hashes[span], self.vectors[span] = other.hashes[source], other.vectors[source]
        self.quality[span] = other.quality[source]
        return self

    @property
    def seconds(self) -> float:
        return len(self.hashes) / FRAME_RATE

    def tracks(self, fps: float, *, form: int = 0, bits: int = 0) -> dict[str, Track]:
        """Tracks as a plan `fps:N` makes them; `form` is that in which the hashes stand."""
        wanted = np.arange(0, self.seconds - 1e-9, 1 / fps)
        frames = np.ceil(wanted * FRAME_RATE - 1e-6).astype(np.int64)
        frames = np.unique(frames[frames < len(self.hashes)])
        rng = np.random.default_rng(99)
        hashes = rng.integers(0, 256, (len(frames), 8, 32), dtype=np.uint8)
        hashes[:, form] = flipped(self.hashes[frames], bits)
        vectors = self.vectors[frames]
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        times_s = frames / FRAME_RATE
        return {
            "pdq": Track("pdq", times_s, hashes.reshape(-1, 256), self.quality[frames]),
            "embedding": Track("embedding", times_s, vectors.astype(np.float16)),
        }


def index_of(path: Path, *films: Film, fps: float = 4.0) -> ExemplarIndex:
    """An index of these films, named a, b, c …"""
    create_index(path, name="known", model=MODEL)
    with IndexWriter(path) as writer:
        for name, film in zip("abcdef", films, strict=False):
            writer.add(exemplar(name, film.seconds), film.tracks(fps))
    return ExemplarIndex.open(path)


def matches(
    index: ExemplarIndex, film: Film, *, fps: float = 1.0, form: int = 0, bits: int = 0
) -> dict[str, list[Match]]:
    """Matches of a film by signal."""
    found = find_matches(
        index, SourceTracks.of(film.tracks(fps, form=form, bits=bits), film.seconds)
    )
    return {
        signal: [match for match in found if match.signal == signal] for signal in index.signals
    }


def spans(found: list[Match]) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Source and exemplar interval of each match."""
    return [(match.source_span.pair(), match.exemplar_span.pair()) for match in found]


@pytest.fixture(name="fresh")
def fresh_folder(tmp_path: Path) -> Callable[[], Path]:
    """Another folder at every call."""
    count = iter(range(10_000))
    return lambda: tmp_path / str(next(count))


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    at_s=st.integers(0, 300).map(lambda frames: frames / FRAME_RATE),
    from_s=st.integers(0, 200).map(lambda frames: frames / FRAME_RATE),
    length_s=st.integers(60, 200).map(lambda frames: frames / FRAME_RATE),
    fps=st.sampled_from([0.5, 1.0, 2.0]),
    exemplar_fps=st.sampled_from([2.0, 4.0]),
)
def test_both_intervals_are_right_to_one_sampling_step(
    fresh: Callable[[], Path],
    at_s: float,
    from_s: float,
    length_s: float,
    fps: float,
    exemplar_fps: float,
) -> None:
    """A part of an exemplar at any place of a source is found by both signals, with the source's
    interval right to a step of the source and the offset to a step of the exemplar."""
    known = Film(20, 1)
    length_s = min(length_s, known.seconds - from_s)
    if length_s * fps < 4:
        return
    # A synthetic film's frames are all unlike: only those that both samplings take can agree.
    known.hashes = np.repeat(known.hashes[::10], 10, axis=0)
    known.vectors = np.repeat(known.vectors[::10], 10, axis=0)
    film = Film(45, 2).insert(at_s, known, from_s, from_s + length_s)
    found = matches(index_of(fresh(), known, fps=exemplar_fps), film, fps=fps)
    for signal in ("pdq", "embedding"):
        (match,) = found[signal]
        assert match.source_span.start_s == pytest.approx(at_s, abs=1 / fps)
        assert match.source_span.end_s == pytest.approx(at_s + length_s, abs=1 / fps)
        offset_s = match.source_span.start_s - match.exemplar_span.start_s
        assert offset_s == pytest.approx(at_s - from_s, abs=0.5)
        assert match.exemplar_span.start_s >= 0
        assert match.exemplar_span.end_s <= known.seconds
        assert match.score == pytest.approx(1.0, abs=0.01)


def test_a_whole_exemplar_within_a_longer_source(tmp_path: Path) -> None:
    """4.5 s of a known clip from 3.0 on: both intervals end where the exemplar does."""
    known = Film(4.5, 1)
    film = Film(18.8, 2).insert(3.0, known, 0, 4.5)
    (match,) = matches(index_of(tmp_path, known), film)["pdq"]
    assert [((3.0, 7.5), (0.0, 4.5))] == spans([match])
    assert (5, 1.0) == (match.samples, match.exemplar_coverage)
    assert match.source_coverage == pytest.approx(4.5 / 18.8)
    assert ("known", exemplar("a").id) == (match.index, match.exemplar)
    assert ("weapons.firearms", "violating") == (match.policy, match.opinion)


def test_unrelated_films_do_not_match(tmp_path: Path) -> None:
    """Two films of other pictures have nothing in common."""
    index = index_of(tmp_path, Film(20, 1), Film(20, 2))
    assert {"embedding": [], "pdq": []} == matches(index, Film(30, 3))


def test_common_black_frames_do_not_match(tmp_path: Path) -> None:
    """Ten seconds of black in both are no match."""
    index = index_of(tmp_path, Film(20, 1).blank(5, 15))
    assert {"embedding": [], "pdq": []} == matches(index, Film(30, 2).blank(0, 10))


def test_black_frames_within_a_match_do_not_cut_it(tmp_path: Path) -> None:
    """A fade to black inside a copy is passed over: one match, not two."""
    known = Film(20, 1).blank(8, 12)
    film = Film(40, 2).insert(10, known, 0, 20)
    for found in matches(index_of(tmp_path, known), film).values():
        assert [((10.0, 30.0), (0.0, 20.0))] == spans(found)


def test_a_long_gap_cuts_a_match_in_two(tmp_path: Path) -> None:
    """Where a copy is interrupted for longer than a moment there are two matches."""
    known = Film(30, 1)
    film = Film(40, 2).insert(0, known, 0, 10).insert(18, known, 18, 30)
    for found in matches(index_of(tmp_path, known), film).values():
        assert [((0.0, 10.0), (0.0, 10.0)), ((18.0, 30.0), (18.0, 30.0))] == spans(found)


def test_a_missed_sample_does_not_cut_a_match(tmp_path: Path) -> None:
    """Two samples covered by something else are passed over."""
    known = Film(20, 1)
    film = Film(20, 2).insert(0, known, 0, 8).insert(10, known, 10, 20)
    for found in matches(index_of(tmp_path, known), film).values():
        assert [((0.0, 20.0), (0.0, 20.0))] == spans(found)
        assert 18 == found[0].samples


def test_a_single_accidental_hit_is_not_blown_up(tmp_path: Path) -> None:
    """One frame in common: a hash match of one sample's time, and no embedding match."""
    known = Film(60, 1)
    film = Film(60, 2).insert(30.0, known, 12.0, 12.05)
    found = matches(index_of(tmp_path, known), film)
    assert [((30.0, 31.0), (12.0, 13.0))] == spans(found["pdq"])
    assert [] == found["embedding"]


def test_scattered_hits_are_no_chain(tmp_path: Path) -> None:
    """A frame in common now and then, at one offset, does not become one long match."""
    known, film = Film(60, 1), Film(60, 2)
    for second in range(0, 60, 6):
        film.insert(second, known, second, second + 0.05)
    found = matches(index_of(tmp_path, known), film)
    assert 10 == len(found["pdq"])
    assert max(match.source_span.length_s for match in found["pdq"]) <= 1.0
    assert [] == found["embedding"]


def test_scattered_hits_do_not_hide_what_they_lead_to(tmp_path: Path) -> None:
    """A copy is found whole although scattered hits at its offset come before it."""
    known, film = Film(60, 1), Film(60, 2)
    for second in range(0, 40, 3):
        film.insert(second, known, second, second + 0.05)
    film.insert(45, known, 45, 55)
    found = matches(index_of(tmp_path, known), film)
    assert ((45.0, 55.0), (45.0, 55.0)) in spans(found["embedding"])


def test_one_held_picture_is_one_match(tmp_path: Path) -> None:
    """A still of a film, shown for a minute, is one match with a short exemplar interval."""
    known = Film(20, 1)
    film = Film(80, 2).insert(10.0, known, 5.0, 5.05).hold(10, 70)
    (match,) = matches(index_of(tmp_path, known), film)["pdq"]
    assert (10.0, 70.0) == match.source_span.pair()
    assert match.exemplar_span.start_s == pytest.approx(5.0, abs=0.25)
    assert match.exemplar_span.length_s <= 1.0


def test_a_still_in_both_is_one_match(tmp_path: Path) -> None:
    """Where both stand still on one picture there is one match, not one for every offset."""
    known = Film(20, 1).hold(0, 20)
    film = Film(80, 2).insert(10.0, known, 0, 20).hold(10, 70)
    for found in matches(index_of(tmp_path, known), film).values():
        (match,) = found
        assert 10.0 == match.source_span.start_s
        assert match.source_span.end_s == pytest.approx(70.0, abs=1.0)
        assert (0.0, 20.0) == match.exemplar_span.pair()


def test_a_film_that_begins_still_keeps_its_offset(tmp_path: Path) -> None:
    """A held title does not pull the offset of the moving part away."""
    known = Film(20, 1).hold(0, 8)
    film = Film(60, 2).insert(25.0, known, 0, 20)
    for found in matches(index_of(tmp_path, known), film).values():
        assert [((25.0, 45.0), (0.0, 20.0))] == spans(found)


def test_a_loop_is_as_many_matches(tmp_path: Path) -> None:
    """A clip played three times over matches three times, each from its beginning."""
    known = Film(10, 1)
    film = Film(40, 2)
    for start in (5, 15, 25):
        film.insert(start, known, 0, 10)
    for found in matches(index_of(tmp_path, known), film).values():
        expected = [((s, s + 10.0), (0.0, 10.0)) for s in (5.0, 15.0, 25.0)]
        assert expected == spans(found)


def test_a_picture_as_exemplar(tmp_path: Path) -> None:
    """An exemplar of one picture matches for as long as it is shown."""
    picture = Film(0.05, 1)
    film = Film(30, 2).insert(10, picture, 0, 0.05).hold(10, 20)
    found = matches(index_of(tmp_path, picture), film)
    for signal in ("pdq", "embedding"):
        (match,) = found[signal]
        assert (10.0, 20.0) == match.source_span.pair()
        assert 0.0 == match.exemplar_span.start_s
        assert match.exemplar_span.end_s <= 0.05


def test_a_picture_as_source(tmp_path: Path) -> None:
    """A source of one picture matches the film it was taken from."""
    known = Film(20, 1)
    found = matches(index_of(tmp_path, known), Film(0.05, 2).insert(0, known, 7, 7.05))
    for signal in ("pdq", "embedding"):
        (match,) = found[signal]
        assert 7.0 == match.exemplar_span.start_s
        assert 1.0 == match.source_coverage


@pytest.mark.parametrize(("cosine", "found"), [(0.93, 0), (0.97, 1)])
def test_a_lone_sample_must_agree_closely(tmp_path: Path, cosine: float, found: int) -> None:
    """One picture against one picture: beyond the operating point (0.9) is not enough, near is."""
    known, other = Film(0.05, 1), Film(0.05, 2)
    ours = known.vectors[0] / np.linalg.norm(known.vectors[0])
    away = other.vectors[0] - ours * (ours @ other.vectors[0])
    other.vectors[0] = cosine * ours + (1 - cosine**2) ** 0.5 * away / np.linalg.norm(away)
    assert found == len(matches(index_of(tmp_path, known), other)["embedding"])


@pytest.mark.parametrize("form", range(8), ids=DIHEDRAL_FORMS)
def test_the_transform_is_what_was_done_to_the_exemplar(tmp_path: Path, form: int) -> None:
    """A source that must be turned back by form k was made by the opposite turn."""
    known = Film(10, 1)
    film = Film(30, 2).insert(12, known, 0, 10)
    (match,) = matches(index_of(tmp_path, known), film, form=form)["pdq"]
    undone = {"rotated_90": "rotated_270", "rotated_270": "rotated_90"}
    assert undone.get(DIHEDRAL_FORMS[form], DIHEDRAL_FORMS[form]) == match.transform
    assert [((12.0, 22.0), (0.0, 10.0))] == spans([match])


def test_several_exemplars_are_told_apart_in_time_order(tmp_path: Path) -> None:
    """Parts of several exemplars come as one match each, in the order of the source."""
    first, second = Film(10, 1), Film(10, 2)
    film = Film(60, 3).insert(40, first, 0, 10).insert(5, second, 2, 8)
    found = matches(index_of(tmp_path, first, second), film)["pdq"]
    assert [((5.0, 11.0), (2.0, 8.0)), ((40.0, 50.0), (0.0, 10.0))] == spans(found)
    assert [exemplar("b").id, exemplar("a").id] == [match.exemplar for match in found]


def test_the_same_search_gives_the_same_matches(tmp_path: Path) -> None:
    """Two searches agree in everything and in order."""
    known = Film(20, 1).hold(3, 9)
    film = Film(60, 2).insert(4, known, 2, 12).insert(30, known, 0, 20).hold(33, 50)
    index = index_of(tmp_path, known, Film(5, 3))
    asked = film.tracks(2.0)
    first = find_matches(index, SourceTracks.of(asked, film.seconds))
    assert first == find_matches(index, SourceTracks.of(asked, film.seconds))
    assert first == sorted(first, key=lambda match: match.source_span)


def test_matches_of_one_exemplar_and_signal_never_overlap(tmp_path: Path) -> None:
    """However still both films stand, each time of the source is told once."""
    known = Film(20, 1).hold(2, 9).hold(12, 18, 2)
    film = Film(60, 2).insert(4, known, 0, 20).hold(30, 50, 8)
    for found in matches(index_of(tmp_path, known), film, fps=2.0).values():
        ordered = sorted(match.source_span for match in found)
        assert ordered
        for earlier, later in itertools.pairwise(ordered):
            assert earlier.end_s <= later.start_s


def test_the_distance_is_the_median_and_the_score_follows(tmp_path: Path) -> None:
    """A copy 8 bits away says so, and its score is that of 8 bits."""
    known = Film(10, 1)
    film = Film(30, 2).insert(12, known, 0, 10)
    (match,) = matches(index_of(tmp_path, known), film, bits=8)["pdq"]
    assert (8.0, pdq_score(8)) == (match.distance, match.score)
    assert match.similarity is None


def test_scores_meet_at_the_operating_point() -> None:
    """Both signals score 0.5 at their operating point, 1.0 where nothing differs, and fall."""
    assert (1.0, 0.5) == (pdq_score(0), pdq_score(31))
    assert 1.0 == similarity_score(1.0005, 0.9)
    assert similarity_score(0.9, 0.9) == pytest.approx(0.5)
    falling = [pdq_score(bits) for bits in range(32)]
    assert falling == sorted(falling, reverse=True)


def test_the_same_file_is_an_exact_copy(tmp_path: Path) -> None:
    """A file with an exemplar's SHA-256 matches whole, even where its pictures are blank."""
    film = Film(10, 1).blank(0, 10)
    index, source = index_of(tmp_path, film), SourceTracks.of(film.tracks(1.0), 10.0)
    (match,) = find_matches(index, source, sha256=exemplar("a").sha256)
    assert ("sha256", 1.0, 1.0) == (match.signal, match.score, match.source_coverage)
    assert [] == find_matches(index, source, sha256="0" * 64)


def test_md5_counts_where_nothing_better_is_known(tmp_path: Path) -> None:
    """A partner's exemplar with an MD5 alone is found by it; one with a SHA-256 is not."""
    film = Film(10, 1).blank(0, 10)
    create_index(tmp_path / "lists", name="known", model=MODEL)
    with IndexWriter(tmp_path / "lists") as writer:
        writer.add(replace(exemplar("a"), sha256=None), film.tracks(4.0))
        writer.add(exemplar("b"), film.tracks(4.0))
    index, source = ExemplarIndex.open(tmp_path / "lists"), SourceTracks.of(film.tracks(1.0), 10.0)
    (match,) = find_matches(index, source, sha256="0" * 64, md5=exemplar("a").md5)
    assert ("md5", exemplar("a").id, 1.0) == (match.signal, match.exemplar, match.score)
    assert [] == find_matches(index, source, sha256="0" * 64, md5=exemplar("b").md5)


def test_uneven_samples_align(tmp_path: Path) -> None:
    """Keyframes lie unevenly; their matches have the right offset all the same."""
    known = Film(40, 1)
    film = Film(60, 2).insert(10, known, 0, 40)
    asked = film.tracks(4.0)
    uneven = np.array([0, 4, 5, 20, 41, 55, 60, 84, 100, 130, 150, 170, 190, 215, 230])

    def pick(track: Track) -> Track:
        quality: NDArray[np.uint8] | None = None
        if track.quality is not None:
            quality = track.quality[uneven]
        return replace(
            track, times_s=track.times_s[uneven], values=track.values[uneven], quality=quality
        )

    keyframes = {signal: pick(track) for signal, track in asked.items()}
    found = find_matches(index_of(tmp_path, known), SourceTracks.of(keyframes, 60.0))
    for match in found:
        assert 10.0 == match.source_span.start_s - match.exemplar_span.start_s
    assert {10.25} == {match.source_span.start_s for match in found}
    assert {"pdq", "embedding"} == {match.signal for match in found}
