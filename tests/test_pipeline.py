"""The journey of one source, on real small videos, with a model that sees only colours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.colour_encoder import ColourEncoder, tinted
from tests.media_factory import Rgb, scene_frames, solid_frames, write_video
from vscan.decode.workers import ReaderPool, ReadLimits
from vscan.digests import file_digests
from vscan.earlier import Earlier
from vscan.embeddings.prompt_cache import PromptCache
from vscan.embeddings.prompts import pack_prompts
from vscan.exemplars.exemplar import Exemplar, Opinion, exemplar_id
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.matching.prompt_scores import PromptScorer
from vscan.measuring import MAX_PENDING_BATCHES, Measured, measure
from vscan.pipeline import scan_source
from vscan.policies import parse_pack
from vscan.recipe import Recipe
from vscan.rules import Rules
from vscan.sampling import (
    FrameRequest,
    GridRequest,
    Known,
    Plan,
    TimesRequest,
    parse_sampling,
)
from vscan.scratch import Scratch
from vscan.sources import Source
from vscan.verdicts import ExemplarEvidence, PromptEvidence, Provenance, Verdict

PACK = b"""\
schema = "vscan.pack/1"
name = "colours"
version = "1"
templates = ["{}"]
neutral = ["grey"]

[[policy]]
id = "warm.red"
title = "Red"
severity = "high"
prompts = ["red"]
contrast = ["green", "blue"]
indexes = ["known"]
match_action = "escalate"
[policy.thresholds]
review = 0.7
remove = 0.9
"""
GREY, RED, GREEN = (128, 128, 128), (230, 20, 20), (20, 200, 20)
SIZE = {"width": 160, "height": 120}


@pytest.fixture(scope="module")
def readers() -> Iterator[ReaderPool]:
    """One reader process for all of these tests."""
    with ReaderPool(1, ReadLimits()) as pool:
        yield pool


@dataclass
class Bench:
    """What a journey needs, with the model's work done on the spot."""

    readers: ReaderPool
    folder: Path
    encoder: ColourEncoder = field(default_factory=ColourEncoder)
    indexes: list[ExemplarIndex] = field(default_factory=list)

    def rules(self) -> Rules:
        """The pack above, with its prompts scored, and the bench's indexes."""
        pack = parse_pack(PACK, file="colours.toml")
        prompts = pack_prompts(
            pack, self.encoder, cache=PromptCache(self.encoder.fingerprint, self.folder)
        )
        provenance = Provenance(
            vscan="0", pack=pack.ref, model=self.encoder.fingerprint, sampling="fps:1"
        )
        return Rules(pack, PromptScorer(prompts), self.indexes, provenance)

    def recipe(self, plan: Plan | str = "fps:1") -> Recipe:
        """Both signals, sampled by `plan`."""
        plan = parse_sampling(plan) if isinstance(plan, str) else plan
        spec = self.encoder.image_spec
        return Recipe(plan, ("embedding", "pdq"), spec, self.encoder.fingerprint)

    def embed(self, images: NDArray[np.uint8]) -> Future[NDArray[np.float32]]:
        """A future that is done."""
        done: Future[NDArray[np.float32]] = Future()
        done.set_result(self.encoder.encode_images(images))
        return done

    def measure(self, path: Path, plan: Plan | str = "fps:1") -> Measured:
        """The tracks of one video."""
        source = Source(str(path), path)
        return measure(
            source, file_digests(path), recipe=self.recipe(plan), readers=self.readers,
            embed=self.embed,
        )  # fmt: skip

    def scan(
        self,
        path: Path,
        *,
        plan: Plan | str = "fps:1",
        embed: Callable[[NDArray[np.uint8]], Future[NDArray[np.float32]]] | None = None,
        is_done: Callable[[str], bool] = lambda _: False,
    ) -> Verdict | None:
        """The verdict of one video."""
        return scan_source(
            Source(str(path), path, {"market": "DE"}), recipe=self.recipe(plan),
            rules=self.rules(), readers=self.readers, embed=embed or self.embed,
            scratch=Scratch(), earlier=Earlier(self.rules().provenance, is_done),
        )  # fmt: skip

    def know(self, path: Path, *, opinion: Opinion = "violating") -> str:
        """Makes an index `known` that holds this video under `warm.red`; returns its id."""
        measured = self.measure(path, "fps:4")
        sha256 = measured.digests.sha256
        exemplar = Exemplar(
            id=exemplar_id(sha256), source=path.name, sha256=sha256, policy="warm.red",
            opinion=opinion, added_at="2026-11-02T09:30:00Z", duration_s=measured.report.end_s,
        )  # fmt: skip
        create_index(self.folder / "index", name="known", model=None)
        with IndexWriter(self.folder / "index") as writer:
            writer.add(exemplar, measured.tracks)
        self.indexes.append(ExemplarIndex.open(self.folder / "index"))
        return exemplar.id


@pytest.fixture
def bench(readers: ReaderPool, tmp_path: Path) -> Bench:
    """A bench in a folder of its own."""
    return Bench(readers, tmp_path)


def flat(colours: list[tuple[int, int, int]], each: int) -> list[Rgb]:
    """`each` frames of one colour after the other."""
    return solid_frames(colours, each=each, size=160)


def spliced(folder: Path) -> tuple[Path, Path]:
    """A known clip of 4 s, and a video of 10 s that holds its last 3 s from 4 s on."""
    known = [tinted(f, "grey") for f in scene_frames(seed=7, count=40, motion=4, **SIZE)]
    before = [tinted(f, "grey") for f in scene_frames(seed=8, count=40, **SIZE)]
    after = [tinted(f, "grey") for f in scene_frames(seed=9, count=30, **SIZE)]
    return (
        write_video(folder / "known.mp4", known, fps=10),
        write_video(folder / "copy.mp4", [*before, *known[10:], *after], fps=10),
    )


def test_a_prompt_fires_where_it_shows(bench: Bench) -> None:
    """Red from 3 s to 6 s of 8: one finding with its segment, its prompt and the gravest action."""
    frames = [
        *flat([GREY], 30), *flat([RED], 30),
        *flat([GREY], 20),
    ]  # fmt: skip
    verdict = bench.scan(write_video(bench.folder / "a.mp4", frames, fps=10))
    assert verdict is not None
    assert ("violation", "remove", ()) == (verdict.outcome, verdict.action, verdict.warnings)
    (finding,) = verdict.findings
    (segment,) = finding.segments
    (evidence,) = finding.evidence
    assert ("warm.red", 0.9) == (finding.policy, finding.threshold)
    assert (3.0, 6.0) == (segment.start_s, segment.end_s)
    assert isinstance(evidence, PromptEvidence)
    assert ("red", segment.peak_s) == (evidence.prompt, evidence.time_s)
    assert finding.score == segment.score == evidence.score > 0.9


def test_a_clear_video(bench: Bench) -> None:
    """Nothing found: clear, allow, with what was looked at, and what the list said of it."""
    path = write_video(bench.folder / "a.mp4", flat([GREY, GREEN], 20), fps=10)
    verdict = bench.scan(path)
    assert verdict is not None
    assert ("clear", "allow", ()) == (verdict.outcome, verdict.action, verdict.findings)
    assert verdict.samples is not None
    assert (4, 4, 1.0) == (
        verdict.samples.planned, verdict.samples.read, verdict.samples.coverage,
    )  # fmt: skip
    source = verdict.source
    assert (4.0, 160, 160, "h264") == (source.duration_s, source.width, source.height, source.codec)
    assert ({"market": "DE"}, path.stat().st_size) == (source.meta, source.bytes)


def test_both_intervals_of_a_splice(bench: Bench) -> None:
    """A part of a known clip within another video is found, and where on both sides is told."""
    known, copy = spliced(bench.folder)
    exemplar = bench.know(known)
    verdict = bench.scan(copy)
    assert verdict is not None
    (finding,) = verdict.findings
    (evidence,) = finding.evidence
    assert isinstance(evidence, ExemplarEvidence)
    assert ("known", exemplar, "pdq") == (evidence.index, evidence.exemplar, evidence.signal)
    assert (4.0, 7.0) == pytest.approx(evidence.source_span_s, abs=0.3)
    assert (1.0, 4.0) == pytest.approx(evidence.exemplar_span_s, abs=0.3)
    assert ("violation", "escalate") == (verdict.outcome, verdict.action)


def test_a_benign_exemplar_sets_a_finding_aside(bench: Bench) -> None:
    """What a prompt says of a clip that is known to be harmless stands under `suppressed`."""
    frames = [tinted(f, "red") for f in scene_frames(seed=7, count=40, motion=4, **SIZE)]
    clip = write_video(bench.folder / "campfire.mp4", frames, fps=10)
    again = write_video(bench.folder / "again.mp4", frames, fps=10, options={"crf": "30"})
    before = bench.scan(again)
    exemplar = bench.know(clip, opinion="benign")
    after = bench.scan(again)
    assert before is not None
    assert after is not None
    assert ("violation", ("warm.red",)) == (
        before.outcome, tuple(f.policy for f in before.findings),
    )  # fmt: skip
    assert ("clear", ()) == (after.outcome, after.findings)
    (aside,) = after.suppressed
    assert ("warm.red", exemplar) == (aside.policy, aside.by[0].exemplar)
    assert before.findings[0].evidence == aside.evidence


def test_what_could_not_be_read_is_never_clear(bench: Bench) -> None:
    """A video of which a third is damaged is reviewed for that reason, and says what is missing."""
    frames = scene_frames(seed=4, count=200, width=320, height=240, motion=3)
    path = write_video(
        bench.folder / "holed.mp4", (tinted(f, "grey") for f in frames), fps=10,
        options={"g": "10"}, container_options={"movflags": "faststart"},
    )  # fmt: skip
    data = bytearray(path.read_bytes())
    hole = slice(len(data) * 40 // 100, len(data) * 75 // 100)
    data[hole] = bytes(len(data[hole]))
    path.write_bytes(data)
    verdict = bench.scan(path)
    assert verdict is not None
    assert ("review", "review", ("partial_coverage",)) == (
        verdict.outcome, verdict.action, verdict.reasons,
    )  # fmt: skip
    samples = verdict.samples
    assert samples is not None
    assert samples.read < samples.planned
    assert samples.coverage == round(samples.read / samples.planned, 4) < 0.95
    ((start_s, end_s),) = samples.gaps_s
    assert 5 < start_s < 10 < end_s < 18
    assert "packets_skipped" in verdict.warnings


class Broken:
    """A plan that fails in a way nobody foresaw."""

    spec = "broken"
    follows = False

    def next_request(self, known: Known) -> FrameRequest | None:
        """Divides by zero."""
        raise ZeroDivisionError("one video's surprise")


def test_a_surprise_is_that_videos_error(bench: Bench) -> None:
    """Whatever goes wrong with one video becomes its `internal` line; the next one is judged."""
    path = write_video(bench.folder / "a.mp4", flat([GREY], 20), fps=10)

    def fails(_: NDArray[np.uint8]) -> Future[NDArray[np.float32]]:
        failed: Future[NDArray[np.float32]] = Future()
        failed.set_exception(FloatingPointError("the model broke"))
        return failed

    for surprised in (bench.scan(path, plan=Broken()), bench.scan(path, embed=fails)):
        assert surprised is not None
        assert surprised.error is not None
        assert ("error", "review", "internal") == (
            surprised.outcome, surprised.action, surprised.error.code,
        )  # fmt: skip
        assert surprised.source.sha256 == file_digests(path).sha256
        assert "Error: " in surprised.error.message
    following = bench.scan(path)
    assert following is not None
    assert "clear" == following.outcome


def test_what_is_done_is_not_read(bench: Bench) -> None:
    """A verdict id that is known already ends the journey before anything is decoded."""
    path = write_video(bench.folder / "a.mp4", flat([GREY], 10), fps=10)
    verdict = bench.scan(path)
    assert verdict is not None
    seen = bench.encoder.pictures
    assert None is bench.scan(path, is_done=lambda asked: asked == verdict.id)
    assert seen == bench.encoder.pictures


def test_an_unreadable_source(bench: Bench) -> None:
    """No such file: an error line without digests; no video in it: one with them."""
    (bench.folder / "text.mp4").write_text("words " * 100, "utf-8")
    gone, text = (bench.scan(bench.folder / name) for name in ("gone.mp4", "text.mp4"))
    assert gone is not None
    assert text is not None
    assert gone.error is not None
    assert text.error is not None
    assert ("not_found", None) == (gone.error.code, gone.source.sha256)
    assert ("unsupported_format", 600) == (text.error.code, text.source.bytes)


@dataclass(frozen=True)
class CoarseThenDense:
    """A plan of two rounds: every two seconds, then densely around the middle of the video."""

    spec: str = "coarse-then-dense"
    follows: bool = False
    asked: list[Known] = field(default_factory=list)

    def next_request(self, known: Known) -> FrameRequest | None:
        """First a grid, then times between the samples that came back."""
        self.asked.append(known)
        if known.rounds == 0:
            return GridRequest(2.0)
        if known.rounds == 1:
            return TimesRequest((3.1, 3.5, 4.5, 4.9))
        return None


def test_a_plan_of_two_rounds(bench: Bench) -> None:
    """Samples of both rounds are one track in time order, and count together."""
    frames = [
        *flat([GREY], 45), *flat([RED], 15),
        *flat([GREY], 20),
    ]  # fmt: skip
    path = write_video(bench.folder / "a.mp4", frames, fps=10)
    plan = CoarseThenDense()
    measured = bench.measure(path, plan)
    times = [0.0, 2.0, 3.1, 3.5, 4.0, 4.5, 4.9, 6.0]
    for track in measured.tracks.values():
        assert times == pytest.approx(track.times_s.tolist())
    reds = measured.tracks["embedding"].values[:, 0] > 0.9
    assert [False] * 5 + [True, True, False] == reds.tolist()
    assert [0, 1, 2] == [known.rounds for known in plan.asked]
    assert (0.0, 2.0, 4.0, 6.0) == pytest.approx(plan.asked[1].times_s)
    assert (8, 8, 1.0) == (
        measured.report.planned, measured.report.read, measured.report.coverage,
    )  # fmt: skip


def test_a_time_that_is_asked_for_twice(bench: Bench) -> None:
    """A sample that two rounds deliver stands in the tracks once."""
    path = write_video(bench.folder / "a.mp4", flat([GREY], 40), fps=10)

    @dataclass(frozen=True)
    class Again(CoarseThenDense):
        def next_request(self, known: Known) -> FrameRequest | None:
            """A grid, then two of its times."""
            if known.rounds == 1:
                return TimesRequest((1.0, 3.0))
            return GridRequest(1.0) if known.rounds == 0 else None

    measured = bench.measure(path, Again())
    assert 1.0 == measured.report.coverage
    assert [0.0, 1.0, 2.0, 3.0] == pytest.approx(measured.tracks["pdq"].times_s.tolist())


def test_pending_batches_are_bounded(bench: Bench) -> None:
    """Reading pauses while the model is behind: pictures of a long video never pile up."""
    path = write_video(bench.folder / "a.mp4", solid_frames([GREY], each=400, size=32), fps=10)
    gate = threading.Event()
    futures: list[Future[NDArray[np.float32]]] = []
    waiting: list[NDArray[np.uint8]] = []

    def late(images: NDArray[np.uint8]) -> Future[NDArray[np.float32]]:
        waiting.append(images)
        futures.append(Future())
        if len(waiting) == MAX_PENDING_BATCHES + 1:
            gate.set()
        return futures[-1]

    done: list[Verdict | None] = []
    reading = threading.Thread(
        target=lambda: done.append(bench.scan(path, plan="every:1", embed=late))
    )
    reading.start()
    assert gate.wait(60)
    reading.join(0.5)
    assert reading.is_alive()
    assert MAX_PENDING_BATCHES + 1 == len(waiting)
    answered = 0
    while reading.is_alive():
        while answered < len(futures):
            futures[answered].set_result(bench.encoder.encode_images(waiting[answered]))
            answered += 1
        reading.join(0.01)
    assert done[0] is not None
    assert done[0].samples is not None
    assert 400 == done[0].samples.read == sum(len(images) for images in waiting)


def test_the_same_journey_twice(bench: Bench) -> None:
    """The same bytes under the same rules give the same line; another name only another id."""
    path = write_video(bench.folder / "a.mp4", flat([GREY, RED], 20), fps=10)
    one, two = bench.scan(path), bench.scan(path)
    assert one is not None
    assert two is not None
    assert one.to_line() == two.to_line()
    other = path.rename(bench.folder / "b.mp4")
    moved = bench.scan(other)
    assert moved is not None
    assert one.id != moved.id
    assert one == replace(moved, id=one.id, source=one.source)
