"""What an exemplar index gives to a list: records as they came, and those of its exemplars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vscan.errors import ExemplarIndexError
from vscan.exemplars.carried import CarriedRecord
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.formats import frames
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.formats.registry import Format
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.rows import SignalRows

_CATEGORY = {"violating": "POSITIVE_CLASS", "benign": "NEGATIVE_CLASS"}


@dataclass
class Offer:
    """What can be written in a format, and what not."""

    records: list[HashRecord] = field(default_factory=list)
    items: int = 0
    """Entries that `records` are of."""
    left_out: Counter[str] = field(default_factory=Counter)
    """How many entries stay behind, by reason."""


def offer(
    index: ExemplarIndex,
    carried: Sequence[CarriedRecord],
    form: Format,
    *,
    exemplars: Collection[str] = (),
) -> Offer:
    """Everything in the index that the format can hold, or only what is of those `exemplars`.

    Records that came in this format go back as they came. Others are told in its terms, and an
    exemplar that no record speaks of by its own hashes. Benign exemplars are left out where the
    format cannot say that they are, disabled ones always.

    Raises ExemplarIndexError where an exemplar is unknown, or the format holds one video and there
    are several.
    """
    by_id = {each.id: each for each in index.exemplars}
    wanted = {index.exemplar(each).id for each in exemplars}
    made, told = Offer(), set[tuple[str, str]]()
    groups = sorted(_groups(carried), key=lambda group: group[0].record.origin != form.name)
    spoken_for = {each.exemplar for each in carried}
    for group in groups:
        held = [by_id[each.exemplar] for each in group if each.exemplar in by_id]
        if wanted and not any(each.id in wanted for each in held):
            continue
        records = [each.record for each in group]
        ours = records[0].origin == form.name
        if not ours and all((each.kind, each.value.lower()) in told for each in records):
            continue
        told |= {(each.kind, each.value.lower()) for each in records}
        _take(made, form, held[0] if held else None, records)
    for position, exemplar in enumerate(index.exemplars):
        if exemplar.id in spoken_for or (wanted and exemplar.id not in wanted):
            continue
        records = list(_measured(exemplar, index.rows("pdq"), position, index.name))
        _take(made, form, exemplar, records)
    if form.videos == "one" and made.items > 1:
        raise ExemplarIndexError(
            f"{form.name} holds one video a file, and the index {index.name!r} has {made.items}",
            remedy="name one of them with --exemplar (`vscan index list` shows their ids)",
        )
    return made


def _take(made: Offer, form: Format, exemplar: Exemplar | None, records: list[HashRecord]) -> None:
    if exemplar is not None and not exemplar.enabled:
        made.left_out["disabled"] += 1
        return
    if exemplar is not None and exemplar.opinion == "benign" and not form.opinions:
        made.left_out[f"benign, which {form.name} cannot say"] += 1
        return
    if records[0].origin != form.name:
        opinion = "" if exemplar is None else _CATEGORY[exemplar.opinion]
        records = [
            replace(each, category=each.category or opinion) for each in _told(records, form)
        ]
    fitting = [each for each in records if form.takes(each)]
    if fitting:
        made.items += 1
        made.records += fitting
    else:
        made.left_out[f"of hashes that {form.name} does not hold"] += 1


def _told(records: list[HashRecord], form: Format) -> list[HashRecord]:
    """The records of one entry in the shape that the format has for a video."""
    pictures = frames.pdq_of(records)
    others = [each for each in records if each.kind not in ("pdq", "vpdq")]
    timed = any(frames.is_frame(each) for each in pictures)
    if form.videos == "one":
        return [replace(each, time_s=each.time_s or 0.0) for each in pictures]
    if form.videos == "frames":
        return pictures
    if len(pictures) == 1:
        return [replace(pictures[0], time_s=None), *others]
    if timed and form.videos == "none":
        return others
    return [frames.join(pictures), *others] if timed else [*pictures, *others]


def _measured(
    exemplar: Exemplar, rows: SignalRows, position: int, collab: str
) -> Iterator[HashRecord]:
    """The hashes of an exemplar as records: of its frames, and of its file."""
    start, stop = np.searchsorted(rows.exemplar, [position, position + 1])
    frames_at = start + np.flatnonzero(rows.region[start:stop] == 0)
    about = HashRecord(
        source_id=exemplar.id,
        media="image" if len(frames_at) == 1 else "video",
        collab=collab,
        updated=exemplar.added_at,
    )
    for row in frames_at:
        yield replace(
            about,
            signal_type="pdq",
            value=rows.values[row].tobytes().hex(),
            quality=int(rows.quality[row]),
            time_s=float(rows.times_s[row]),
        )
    for signal_type, value in (("md5", exemplar.md5), ("sha256", exemplar.sha256)):
        if value is not None:
            yield replace(about, signal_type=signal_type, value=value)


def _groups(carried: Sequence[CarriedRecord]) -> list[list[CarriedRecord]]:
    """The carried records by entry, in the order in which the entries came."""
    found: dict[tuple[str, ...], list[CarriedRecord]] = {}
    for each in carried:
        found.setdefault(each.key, []).append(each)
    return list(found.values())
