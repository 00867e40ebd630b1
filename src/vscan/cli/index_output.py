"""What `vscan index` prints: progress, rows of tables, JSON objects, and how it ended."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sized
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from vscan.cli.telling import say as say

if TYPE_CHECKING:
    from vscan.exemplars.exemplar import Exemplar
    from vscan.exemplars.manifest import Manifest
    from vscan.indexing import Added, Searched
    from vscan.matching.match import Match
    from vscan.sources import Found, SourceFinder

EXIT_ERRORS = 3
LIST_COLUMNS = ("id", "policy", "opinion", "state", "length", "size", "judged", "source", "note")
SEARCH_COLUMNS = (
    "source", "when", "exemplar", "there", "policy", "opinion", "signal", "score", "how"
)  # fmt: skip
Item = TypeVar("Item")


def found(finder: SourceFinder, paths: list[str]) -> Iterable[Found]:
    """The sources; listed first only where a bar wants to know how many there are."""
    found = finder.find(paths)
    return list(found) if sys.stderr.isatty() else found


def with_progress(results: Iterable[Item], sources: Iterable[object], what: str) -> Iterator[Item]:
    """The results, under a bar on stderr where that is a terminal."""
    from tqdm import tqdm

    total = len(sources) if isinstance(sources, Sized) else None
    bar = tqdm(
        total=total,
        desc=what,
        unit=" videos",
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        dynamic_ncols=True,
    )
    with bar:
        for result in results:
            bar.clear()
            yield result
            bar.update()


def finish(counts: Counter[str], finder: SourceFinder, words: tuple[str, ...]) -> None:
    """Say on stderr what came of it, and leave with the exit code that it calls for."""
    from vscan.cli.tables import safe
    from vscan.errors import UsageError

    if not counts:
        where = ", ".join(safe(name) for name in finder.empty_folders) or "the list"
        raise UsageError(
            f"no videos in {where}",
            remedy="name a folder that holds videos; a file that is named outright is always read",
        )
    told = ", ".join(f"{counts[word]} {word}" for word in words if counts[word])
    ignored = f"; {finder.skipped_files} other files skipped" if finder.skipped_files else ""
    say(f"{counts.total()} video{'' if counts.total() == 1 else 's'}: {told}{ignored}")
    if counts["error"]:
        raise typer.Exit(EXIT_ERRORS)


def holdings(manifest: Manifest) -> str:
    """The signals of an index in words, as `PDQ, keypoints and embeddings of builtin`."""
    words = {
        "pdq": "PDQ",
        "keypoints": "keypoints",
        "embedding": "" if manifest.model is None else f"embeddings of {manifest.model.name}",
    }
    *most, last = [word for signal, word in words.items() if signal in manifest.signals]
    return f"{', '.join(most)} and {last}" if most else last


def exemplar_object(exemplar: Exemplar) -> dict[str, Any]:
    """An exemplar as JSON."""
    from vscan.curation import precision

    share = precision(exemplar)
    return asdict(exemplar) | {"precision": None if share is None else round(share, 4)}


def judged(exemplar: Exemplar) -> str:
    """What people said of its matches, as `3 right, 1 wrong (75 %)`; `-` where nothing."""
    from vscan.curation import precision

    share = precision(exemplar)
    if share is None:
        return "-"
    return f"{exemplar.confirmed} right, {exemplar.deconfirmed} wrong ({share:.0%})"


def added_object(added: Added) -> dict[str, Any]:
    """What became of one input of `vscan index add`, as JSON."""
    record: dict[str, Any] = {"source": added.uri, "status": added.status}
    if added.exemplar is not None:
        record |= {"id": added.exemplar.id, "policy": added.exemplar.policy}
    if added.error is not None:
        record["error"] = {"code": added.error.code, "message": added.error.message}
    return record


def list_row(exemplar: Exemplar, now: str) -> tuple[str, ...]:
    """An exemplar as LIST_COLUMNS; now: UTC, at which it may have expired."""
    from vscan.curation import state

    length = "-" if exemplar.duration_s is None else f"{exemplar.duration_s:.1f}s"
    size = f"{exemplar.width}x{exemplar.height}" if exemplar.width else "-"
    return (
        exemplar.id, exemplar.policy, exemplar.opinion, state(exemplar, now), length, size,
        judged(exemplar), exemplar.source, exemplar.note,
    )  # fmt: skip


def outcome(searched: Searched) -> str:
    """The word under which a searched video is counted."""
    if searched.error is not None:
        return "error"
    return "matched" if searched.matches else "without a match"


def search_objects(searched: Searched) -> Iterator[dict[str, Any]]:
    """One JSON object for each match of a video, or one for its error."""
    if searched.error is not None:
        error = {"code": searched.error.code, "message": searched.error.message}
        yield {"source": searched.uri, "error": error}
    for match in searched.matches:
        similarity = None if match.similarity is None else round(match.similarity, 4)
        agreement = {
            "distance": match.distance, "similarity": similarity, "inliers": match.inliers
        }  # fmt: skip
        yield {
            "source": searched.uri,
            "index": match.index,
            "exemplar": match.exemplar,
            "policy": match.policy,
            "opinion": match.opinion,
            "signal": match.signal,
            "score": round(match.score, 4),
            **{key: value for key, value in agreement.items() if value is not None},
            "source_span_s": match.source_span.pair(),
            "exemplar_span_s": match.exemplar_span.pair(),
            "speed": match.speed,
            "transform": match.transform,
            "source_coverage": round(match.source_coverage, 4),
            "exemplar_coverage": round(match.exemplar_coverage, 4),
            "samples": match.samples,
        }


def search_row(uri: str, match: Match) -> tuple[str, ...]:
    """A match as SEARCH_COLUMNS."""
    how = [] if match.transform == "identity" else [match.transform]
    if match.distance is not None:
        how.append(f"{match.distance:g} bits")
    if match.similarity is not None:
        how.append(f"cosine {match.similarity:.2f}")
    if match.inliers is not None:
        how.append(f"{match.inliers} inliers")
    if round(match.speed, 2) != 1.0:
        how.append(f"{match.speed:.2f}x")
    return (
        uri,
        f"{match.source_span.start_s:.1f}–{match.source_span.end_s:.1f}s",
        match.exemplar,
        f"{match.exemplar_span.start_s:.1f}–{match.exemplar_span.end_s:.1f}s",
        match.policy,
        match.opinion,
        match.signal,
        f"{match.score:.2f}",
        ", ".join(how),
    )
