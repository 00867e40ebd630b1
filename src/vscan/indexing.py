"""Exemplars from videos: measured as a scan measures, added to an index or searched in it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from vscan.errors import SourceError, internal_error
from vscan.sampling import DEFAULT_SAMPLING, parse_fixed_sampling
from vscan.scanning.models_used import load_model
from vscan.scratch import FETCHED_AT_ONCE, Scratch
from vscan.settings import ScanSettings, available_cores

if TYPE_CHECKING:
    from vscan.decode.workers import ReaderPool
    from vscan.embeddings.encoder import Encoder
    from vscan.exemplars.exemplar import Exemplar, Opinion, Severity
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.manifest import Manifest
    from vscan.exemplars.writer import IndexWriter
    from vscan.matching.match import Match
    from vscan.measuring import Embed, Measured
    from vscan.media import Role
    from vscan.recipe import Recipe
    from vscan.sources import Found

Result = TypeVar("Result")

MATCH_SIMILARITY = {"builtin": 0.955}
"""Cosine from which frames count as the same, for models on which it was measured: no false pair
on real footage, of which the built-in model knows nothing, and every copy of its own scenes."""
DEFAULT_MATCH_SIMILARITY = 0.9
"""For others, a starting value that was not measured: no real CLIP weights were at hand. It is
stored in the index, and can be set when the index is made."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """What is said of exemplars when they are added."""

    policy: str
    opinion: Opinion = "violating"
    note: str = ""
    added_by: str = ""
    severity: Severity | None = None
    """For known content: how grave it is. None: not said."""
    expires_at: str | None = None
    """UTC, as `2026-11-02T09:30:00Z`, when they match no more; None: never."""


@dataclass(frozen=True)
class Added:
    """What became of one input of `add_exemplars`."""

    uri: str
    status: Literal["added", "present", "error"]
    exemplar: Exemplar | None = None
    """The exemplar, new or already there; None for an error."""
    error: SourceError | None = None


@dataclass(frozen=True)
class Searched:
    """What an index says of one video."""

    uri: str
    matches: tuple[Match, ...] = ()
    error: SourceError | None = None
    cost_s: Mapping[str, float] = field(default_factory=dict)
    """CPU seconds by signal, the model's not counted."""
    not_stored: tuple[str, ...] = ()
    """Signals of the index that a frame store does not hold of the video."""


def new_index(
    path: Path,
    *,
    name: str | None = None,
    match_similarity: float | None = None,
    settings: ScanSettings,
) -> Manifest:
    """Make an empty exemplar index in the folder `path`.

    It holds the signals that `settings` name, by default all there are. Its embeddings are those
    of the model of `settings`; without `embedding` it needs none. match_similarity: the cosine from
    which two embeddings count as the same; by default what suits the model. Raises
    ExemplarIndexError or ModelError.
    """
    from vscan.exemplars.manifest import SIGNALS, IndexModel
    from vscan.exemplars.writer import create_index

    model = None
    signals = settings.signals or SIGNALS
    if "embedding" in signals:
        encoder = load_model(settings)
        model = IndexModel(
            name=encoder.name,
            fingerprint=encoder.fingerprint,
            dim=encoder.dim,
            match_similarity=match_similarity
            or MATCH_SIMILARITY.get(encoder.name, DEFAULT_MATCH_SIMILARITY),
        )
    return create_index(path, name=name or path.resolve().name, model=model, signals=signals)


def add_exemplars(
    path: Path,
    sources: Iterable[Found],
    label: Label,
    *,
    settings: ScanSettings,
    scratch: Scratch | None = None,
) -> Generator[Added, None, None]:
    """Measure each source and add it to the index at `path`; one answer per source.

    A source that cannot be read is an `error` and costs the others nothing; content that the
    index holds already is `present` and changes nothing. scratch: where objects behind URIs are
    fetched to; None: as the settings have it.
    """
    from vscan.digests import Digests, file_digests
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.writer import IndexWriter
    from vscan.measuring import measure
    from vscan.names import record_uri

    scratch = settings.new_scratch() if scratch is None else scratch
    index = ExemplarIndex.open(path)
    encoder = index_encoder(index, settings)
    fingerprint = encoder.fingerprint if encoder else None
    recipe = _recipe(index, encoder, index.manifest.sampling, "exemplar")
    with IndexWriter(path, model_fingerprint=fingerprint) as writer:

        def work(
            source: Found, readers: ReaderPool, embed: Embed
        ) -> tuple[Found, Digests | None, Measured | SourceError | None]:
            digests = None
            try:
                with scratch.at_hand(source) as here:
                    digests = file_digests(here.path)
                    if writer.find(digests.sha256) is not None:
                        return source, digests, None
                    found = measure(here, digests, recipe=recipe, readers=readers, embed=embed)
                return source, digests, found
            except SourceError as error:
                return source, digests, error
            except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
                return source, digests, internal_error(error)

        with closing(_run(sources, work, encoder, settings, scratch)) as results:
            for source, digests, found in results:
                uri = record_uri(source.uri)
                if isinstance(found, SourceError) or digests is None:
                    error = found if isinstance(found, SourceError) else None
                    yield Added(uri, "error", error=error)
                    continue
                known = writer.find(digests.sha256)
                if known is not None or found is None:
                    yield Added(uri, "present", known)
                else:
                    yield Added(uri, "added", _add(writer, uri, found, label))


def search_index(
    path: Path | str,
    sources: Iterable[Found],
    *,
    settings: ScanSettings,
    scratch: Scratch | None = None,
) -> Generator[Searched, None, None]:
    """Match each source against the index at `path`; sampled as `settings` say.

    Only the signals that they name are looked at, by default all that the index holds; a file that
    is there byte for byte is told in any case. Raises ExemplarIndexError where the index does not
    hold one of them.
    """
    from vscan.digests import file_digests
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.writer import utc_now
    from vscan.measuring import measure
    from vscan.names import record_uri
    from vscan.rules import match_exemplars

    scratch = settings.new_scratch() if scratch is None else scratch
    index = ExemplarIndex.open(path, now=utc_now())
    for signal in settings.signals or ():
        index.rows(signal)  # raises where it is not held
    signals = tuple(each for each in index.signals if each in (settings.signals or index.signals))
    encoder = index_encoder(index, settings) if "embedding" in signals else None
    recipe = replace(_recipe(index, encoder, settings.sampling, "source"), signals=signals)

    def work(source: Found, readers: ReaderPool, embed: Embed) -> Searched:
        try:
            with scratch.at_hand(source) as here:
                digests = file_digests(here.path)
                found = measure(
                    here, digests, recipe=recipe, readers=readers, embed=embed, indexes=[index]
                )
            matches = tuple(match_exemplars(found, [index]))
            return Searched(record_uri(source.uri), matches, cost_s=found.cost_s)
        except SourceError as error:
            return Searched(record_uri(source.uri), error=error)
        except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
            return Searched(record_uri(source.uri), error=internal_error(error))

    with closing(_run(sources, work, encoder, settings, scratch)) as results:
        yield from results


def index_encoder(index: ExemplarIndex, settings: ScanSettings) -> Encoder | None:
    """The model that made the index's embeddings, loaded; None where it has none.

    `settings` may name its weights file; a model other than the index's own is refused.
    Raises ExemplarIndexError or ModelError.
    """
    model = index.manifest.model
    if model is None:
        return None
    if settings.model is None:
        settings = replace(settings, model=model.name)
    encoder = load_model(settings)
    index.require_model(encoder.fingerprint)
    return encoder


def _recipe(index: ExemplarIndex, encoder: Encoder | None, sampling: str, role: Role) -> Recipe:
    from vscan.recipe import Recipe

    return Recipe(
        plan=parse_fixed_sampling(sampling or DEFAULT_SAMPLING),
        signals=index.signals,
        image=encoder.image_spec if encoder else None,
        model=encoder.fingerprint if encoder else None,
        role=role,
    )


def _run(
    sources: Iterable[Found],
    work: Callable[[Found, ReaderPool, Embed], Result],
    encoder: Encoder | None,
    settings: ScanSettings,
    scratch: Scratch,
) -> Generator[Result, None, None]:
    from vscan.engines import local

    results = local.run(
        sources,
        work,
        encoder=encoder,
        workers=settings.workers or available_cores(),
        limits=settings.read_limits,
        ahead=FETCHED_AT_ONCE,
        cancel=scratch.cancel,
    )
    return scratch.emptied_after(results)


def _add(writer: IndexWriter, uri: str, measured: Measured, label: Label) -> Exemplar:
    from vscan.exemplars.exemplar import Exemplar, exemplar_id
    from vscan.exemplars.writer import utc_now

    exemplar = Exemplar(
        id=exemplar_id(measured.digests.sha256),
        source=uri,
        sha256=measured.digests.sha256,
        md5=measured.digests.md5,
        policy=label.policy,
        opinion=label.opinion,
        severity=label.severity,
        expires_at=label.expires_at,
        note=label.note,
        added_at=utc_now(),
        added_by=label.added_by,
        duration_s=round(measured.report.end_s, 3),
        width=measured.info.width,
        height=measured.info.height,
    )
    return writer.add(exemplar, measured.tracks)
