"""What becomes of exemplars that an index holds: changed, removed, judged by people, set aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vscan.errors import ExemplarIndexError, VscanError

if TYPE_CHECKING:
    from vscan.exemplars.exemplar import Exemplar
    from vscan.exemplars.index import ExemplarIndex
    from vscan.flood import Flood

LEAST_BEGINNING = 6
"""Characters after `ex_` by which an exemplar may be named."""
DOUBTED = 3
"""Wrong matches from which on an exemplar that is more often wrong than right is worth a look."""


@dataclass(frozen=True)
class Quarantined:
    """What became of the mark of one exemplar that flooded a run."""

    flood: Flood
    path: Path | str
    """Of its index."""
    problem: str | None
    """Why it could not be marked; None where it was."""


def exemplar_named(text: str, ids: Iterable[str], *, path: Path | str) -> str:
    """The one id of `ids` that is `text`, or begins with it; path: of the index, for the error.

    Raises ExemplarIndexError where there is none, there are several, or less than LEAST_BEGINNING
    characters after `ex_` are given.
    """
    fitting = [each for each in ids if each.startswith(text)]
    if text in fitting:
        return text
    if len(text.removeprefix("ex_")) < LEAST_BEGINNING or not text.startswith("ex_"):
        raise ExemplarIndexError(
            f"{text!r} is not enough to name an exemplar of {path}",
            remedy=f"give its id, or ex_ and at least {LEAST_BEGINNING} characters of it, as"
            f" `vscan index list {path}` shows it",
        )
    if not fitting:
        raise ExemplarIndexError(
            f"{path}: the index has no exemplar {text!r}",
            remedy=f"`vscan index list {path}` shows what it has",
        )
    if len(fitting) > 1:
        raise ExemplarIndexError(
            f"{path}: {text!r} fits {len(fitting)} exemplars: {', '.join(fitting[:5])}",
            remedy="give more of the id",
        )
    return fitting[0]


def remove_exemplars(path: Path, names: Sequence[str], *, dry_run: bool = False) -> list[Exemplar]:
    """Removes exemplars, named as for `exemplar_named`, in one step; returns them.

    dry_run: only says which. Raises ExemplarIndexError, or OutputError; nothing is then removed.
    """
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.writer import IndexWriter

    if dry_run:
        held = {each.id: each for each in ExemplarIndex.open(path).exemplars}
        chosen = dict.fromkeys(exemplar_named(name, held, path=path) for name in names)
        return [held[each] for each in chosen]
    with IndexWriter(path) as writer:
        chosen = dict.fromkeys(exemplar_named(name, writer.exemplars, path=path) for name in names)
        removed = [writer.exemplars[each] for each in chosen]
        writer.change(
            remove=list(chosen),
            drop=lambda record: record.exemplar in chosen,
            naming=next(iter(chosen)) if len(chosen) == 1 else None,
        )
    return removed


def update_exemplar(path: Path, name: str, changes: Mapping[str, Any]) -> tuple[Exemplar, Exemplar]:
    """Changes what is said of an exemplar, named as for `exemplar_named`; returns before and after.

    changes: fields of Exemplar. Raises ExemplarIndexError, or OutputError.
    """
    from vscan.exemplars.writer import IndexWriter

    with IndexWriter(path) as writer:
        known = exemplar_named(name, writer.exemplars, path=path)
        return writer.exemplars[known], writer.update(known, **changes)


def count_opinion(path: Path, name: str, *, confirmed: int = 0, deconfirmed: int = 0) -> Exemplar:
    """Adds to how often people said that a match with the exemplar was right, and was wrong.

    Raises ExemplarIndexError, or OutputError.
    """
    from vscan.exemplars.writer import IndexWriter

    with IndexWriter(path) as writer:
        known = writer.exemplars[exemplar_named(name, writer.exemplars, path=path)]
        return writer.update(
            known.id,
            confirmed=known.confirmed + confirmed,
            deconfirmed=known.deconfirmed + deconfirmed,
        )


def precision(exemplar: Exemplar) -> float | None:
    """Share 0..1 of its matches that people said were right; None where nobody said anything."""
    judged = exemplar.confirmed + exemplar.deconfirmed
    return exemplar.confirmed / judged if judged else None


def is_doubtful(exemplar: Exemplar) -> bool:
    """Whether people found it wrong at least DOUBTED times, and more often than right."""
    return exemplar.deconfirmed >= max(DOUBTED, exemplar.confirmed + 1)


def state(exemplar: Exemplar, now: str) -> str:
    """Why it matches nothing at the time `now` (UTC): `disabled`, `quarantined`, `expired`; else
    `active`."""
    if not exemplar.enabled:
        return "disabled"
    if exemplar.quarantined is not None:
        return "quarantined"
    return "expired" if exemplar.expired(now) else "active"


def quarantine(floods: Sequence[Flood], indexes: Sequence[ExemplarIndex]) -> list[Quarantined]:
    """Marks exemplars that flooded a run in their indexes: from then on they match nothing.

    One that cannot be marked (its index is not a local folder, is busy, or may not be written to)
    costs the others nothing.
    """
    from vscan.exemplars.writer import IndexWriter, utc_now

    by_name = {index.name: index for index in indexes}
    marked = []
    for flood in floods:
        path, problem = by_name[flood.index].path, None
        why = f"matched {flood.sources} of {flood.of} sources of a scan on {utc_now()}"
        try:
            with IndexWriter(path) as writer:
                held = writer.exemplars.get(flood.exemplar)
                if held is None or held.quarantined is None:
                    writer.update(flood.exemplar, quarantined=why)
        except VscanError as error:
            problem = error.message
        marked.append(Quarantined(flood, path, problem))
    return marked
