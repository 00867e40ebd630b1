"""The local engine: every source answered, drawn from as fast as work ends, closed without rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.colour_encoder import ColourEncoder
from tests.media_factory import barcode_clip

from vscan.decode.workers import ReaderPool, ReadLimits
from vscan.engines import local
from vscan.errors import SourceError
from vscan.measuring import Embed
from vscan.media import Measure
from vscan.sampling import GridRequest
from vscan.sources import Source


def sources(count: int) -> Iterator[Source]:
    """Names of files that nobody opens."""
    for number in range(count):
        yield Source(f"{number}.mp4", Path(f"{number}.mp4"))


def test_every_source_is_answered() -> None:
    """Each once."""
    found = local.run(
        sources(50), lambda source, _readers, _embed: source.uri, encoder=None, workers=4,
        limits=ReadLimits(),
    )  # fmt: skip
    assert sorted(f"{number}.mp4" for number in range(50)) == sorted(found)


def test_one_worker_keeps_the_order() -> None:
    """However many have ended by the time that somebody looks, results come in the sources'
    order."""
    found = local.run(
        sources(500), lambda source, _readers, _embed: source.uri, encoder=None, workers=1,
        limits=ReadLimits(),
    )  # fmt: skip
    assert [f"{number}.mp4" for number in range(500)] == list(found)


def test_sources_are_drawn_as_work_ends() -> None:
    """A listing of any length takes no memory: at most two a worker are drawn ahead."""
    drawn = 0

    def endless() -> Iterator[Source]:
        nonlocal drawn
        for source in sources(10_000_000):
            drawn += 1
            yield source

    run = local.run(
        endless(), lambda source, _readers, _embed: source.uri, encoder=None, workers=3,
        limits=ReadLimits(),
    )  # fmt: skip
    for taken in range(1, 40):
        next(run)
        assert drawn <= taken + 2 * 3
    run.close()
    assert drawn < 100


def test_pictures_go_to_the_model() -> None:
    """`embed` gives each worker the vectors of its own pictures."""

    def work(source: Source, _readers: ReaderPool, embed: Embed) -> float:
        number = int(source.path.stem)
        colour = np.zeros((3, 16, 16, 3), np.uint8)
        colour[..., number % 3] = 200
        return float(embed(colour).result().mean(axis=0)[number % 3])

    found = list(
        local.run(sources(30), work, encoder=ColourEncoder(), workers=4, limits=ReadLimits())
    )
    assert [1.0] * 30 == pytest.approx(found, abs=0.01)


def test_no_model_was_given() -> None:
    """Pictures without a model are a mistake that is told."""
    run = local.run(
        sources(1), lambda _source, _readers, embed: embed(np.zeros((1, 4, 4, 3), np.uint8)),
        encoder=None, workers=1, limits=ReadLimits(),
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="without a model"):
        next(run)


def test_closing_ends_the_readers(tmp_path: Path) -> None:
    """A consumer that leaves half-way leaves no thread and no reader process behind."""
    clip = barcode_clip(tmp_path / "a.mp4", count=200).path
    held: list[tuple[ReaderPool, int]] = []
    reading, before = threading.Event(), threading.active_count()

    def work(source: Source, readers: ReaderPool, _embed: Embed) -> str:
        if source.uri == "0.mp4":
            return "first"
        try:
            with readers.session(clip) as session:
                held.append((readers, session.process_id or 0))
                reading.set()
                while True:
                    list(session.read(GridRequest(0.1), Measure()))
        except (SourceError, RuntimeError) as error:
            return str(error)

    run = local.run(sources(5), work, encoder=None, workers=2, limits=ReadLimits())
    assert "first" == next(run)
    assert reading.wait(60)
    run.close()
    readers, process = held[0]
    assert not Path(f"/proc/{process}").exists()
    with pytest.raises(RuntimeError, match="closed"):
        readers.take()
    # What drains a dead reader's stderr ends by itself.
    assert threading.active_count() <= before + 2


def test_about_to_stop() -> None:
    """Once told, no source is begun, neither of the listing nor of the queue, nor one that waits
    for a reader; those at work are waited for, and theirs are all the results there are."""
    told, at_work, queued = threading.Event(), threading.Event(), threading.Event()
    begun: list[str] = []

    def listing() -> Iterator[Source]:
        for source in sources(1000):
            if source.uri == "4.mp4":  # the one before it stands in the queue
                queued.set()
            yield source

    def work(source: Source, readers: ReaderPool, _embed: Embed) -> str:
        begun.append(source.uri)
        if source.uri == "0.mp4":
            return source.uri
        if source.uri == "1.mp4":
            at_work.wait(60)
            queued.wait(60)
            told.set()
        else:
            at_work.set()
            told.wait(60)
            with readers.session(source.path):
                raise AssertionError("it has begun to read")
        return source.uri

    run = local.run(
        listing(), work, encoder=None, workers=2, limits=ReadLimits(), stopping=told.is_set
    )
    assert ["0.mp4", "1.mp4"] == list(run)
    assert ["0.mp4", "1.mp4", "2.mp4"] == sorted(begun)
