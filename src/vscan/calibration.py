"""Calibrating an exemplar index: its background and operating point, learnt from other videos."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError, SourceError, internal_error
from vscan.indexing import index_encoder
from vscan.sampling import parse_sampling
from vscan.settings import ScanSettings, available_cores

if TYPE_CHECKING:
    from vscan.decode.workers import ReaderPool
    from vscan.embeddings.encoder import Encoder
    from vscan.measuring import Embed
    from vscan.scratch import Scratch
    from vscan.sources import Found

_SEED = 20_261_125
_SAMPLING = "fps:1"
_FRAMES_EACH = 1000


@dataclass
class Calibrated:
    """What came of it."""

    vectors: int = 0
    """Of the background."""
    frames: int = 0
    """Of background videos, that the operating point was learnt from."""
    match_similarity: float = 0.0
    """The operating point: the cosine that a sample needs which is as near to the background as
    its own frames are."""
    before: float = 0.0
    videos: int = 0
    """Background videos that were measured."""
    sharing: list[str] = field(default_factory=list)
    """Videos with a frame that shows an exemplar's picture; those frames taught nothing."""
    nearest: str = ""
    """The video whose frame set the operating point."""
    errors: list[tuple[str, SourceError]] = field(default_factory=list)
    """Videos that could not be read, each with why."""


def calibrate_index(
    path: Path,
    sources: Iterable[Found],
    *,
    settings: ScanSettings,
    scratch: Scratch | None = None,
) -> Calibrated:
    """Learn from videos that match nothing how alike unrelated frames are, and store it.

    The videos are sampled at one frame a second and embedded by the index's model. Up to
    MOST_VECTORS of their frames, no two alike, become the index's background in place of any
    earlier one, and its operating point is set where no more than 1 in 10,000 of the frames agrees
    with an exemplar, each normalised by the other videos. Verdicts change: the index's digest does.
    Raises ExemplarIndexError where the index holds no embeddings or there is nothing to learn from,
    ModelError or OutputError.
    """
    from vscan.exemplars.background import LEAST_VECTORS, MOST_VECTORS
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.vectors import unit_rows
    from vscan.exemplars.writer import IndexWriter
    from vscan.matching.normalization import Background, learnt_point, thinned
    from vscan.matching.search import operating_similarity, usable_rows

    index = ExemplarIndex.open(path)
    rows = index.rows("embedding")  # raises where the index holds none
    done = Calibrated()
    encoder = index_encoder(index, settings)
    if encoder is None:
        raise AssertionError("an index that holds embeddings names their model")
    uris, values, video = _measured(
        encoder, sources, settings, scratch or settings.new_scratch(), done
    )
    chosen = thinned(values, MOST_VECTORS, seed=_SEED)
    if len(chosen) < LEAST_VECTORS:
        raise ExemplarIndexError(
            f"the videos have {len(chosen)} different pictures, {LEAST_VECTORS} are needed",
            remedy="name more videos that match nothing: some hundred minutes are a good start",
        )
    stored = values[chosen].astype(np.float16)
    exemplars = unit_rows(rows.values[usable_rows(index, rows)])
    point = learnt_point(Background.of(stored), video[chosen], unit_rows(values), video, exemplars)
    with IndexWriter(path) as writer:
        writer.calibrate(stored, point.match_similarity)
    done.before = operating_similarity(index)
    done.vectors, done.frames = len(stored), point.frames
    done.match_similarity = point.match_similarity
    done.sharing = [uris[k] for k in np.unique(video[point.shared])]
    done.nearest = uris[int(video[point.nearest])]
    return done


def _measured(
    encoder: Encoder,
    sources: Iterable[Found],
    settings: ScanSettings,
    scratch: Scratch,
    done: Calibrated,
) -> tuple[list[str], NDArray[np.float16], NDArray[np.int64]]:
    """The videos' URIs, their embeddings (F, D) but for blank pictures, and each one's video (F,).

    In the order of the URIs, whatever order they were read in; what failed is noted in `done`.
    """
    from vscan.digests import file_digests
    from vscan.engines import local
    from vscan.matching.search import SourceTracks
    from vscan.measuring import measure
    from vscan.names import record_uri
    from vscan.recipe import Recipe

    recipe = Recipe(
        parse_sampling(_SAMPLING), ("embedding", "pdq"), encoder.image_spec, encoder.fingerprint
    )

    def work(
        source: Found, readers: ReaderPool, embed: Embed
    ) -> tuple[str, NDArray[np.float16] | SourceError]:
        try:
            with scratch.at_hand(source) as here:
                digests = file_digests(here.path)
                found = measure(here, digests, recipe=recipe, readers=readers, embed=embed)
            tracks = SourceTracks(found.times_s, found.report.end_s, found.tracks)
            track = found.tracks["embedding"]
            seen = tracks.usable[np.searchsorted(tracks.times_s, track.times_s)]
            return record_uri(source.uri), _spread(track.values[seen].astype(np.float16))
        except SourceError as error:
            return record_uri(source.uri), error
        except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
            return record_uri(source.uri), internal_error(error)

    held: list[tuple[str, NDArray[np.float16]]] = []
    running = local.run(
        sources,
        work,
        encoder=encoder,
        workers=settings.workers or available_cores(),
        limits=settings.read_limits,
        cancel=scratch.cancel,
    )
    with closing(scratch.emptied_after(running)) as results:
        for uri, found in results:
            if isinstance(found, SourceError):
                done.errors.append((uri, found))
            else:
                held.append((uri, found))
    held.sort(key=lambda each: (each[0], each[1].tobytes()))
    done.errors.sort(key=lambda each: each[0])
    done.videos = len(held)
    none = np.empty((0, encoder.dim), np.float16)
    video = np.repeat(np.arange(len(held)), [len(values) for _, values in held])
    return [uri for uri, _ in held], np.concatenate([none, *(v for _, v in held)]), video


def _spread(values: NDArray[np.float16]) -> NDArray[np.float16]:
    """At most _FRAMES_EACH rows, evenly spread: one long video must not outweigh the others."""
    if len(values) <= _FRAMES_EACH:
        return values
    return values[np.linspace(0, len(values) - 1, _FRAMES_EACH).astype(np.int64)]
