"""`vscan index list`, `show`, `stats`, `verify`: what an index holds, and whether it is whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vscan.cli.index import Json, Place

if TYPE_CHECKING:
    from vscan.exemplars.statistics import IndexStats

EXIT_DAMAGED = 2


def list_exemplars(folder: Place, as_json: Json = False) -> None:
    """List the exemplars of an index.

    `state` says why one matches nothing: it is disabled, in quarantine, or has expired. `judged` is
    what people said of its matches (`vscan index confirm` and `deconfirm`).

    Example: `vscan index list known --json | jq .source`
    """
    from vscan.cli.index_output import (
        LIST_COLUMNS,
        exemplar_object,
        holdings,
        judged,
        list_row,
        say,
    )
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.curation import is_doubtful
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.writer import utc_now

    now = utc_now()
    index = ExemplarIndex.open(folder)
    if as_json:
        print_json_lines(exemplar_object(exemplar) for exemplar in index.exemplars)
        return
    print_table(LIST_COLUMNS, (list_row(exemplar, now) for exemplar in index.exemplars))
    count = len(index.exemplars)
    say(
        f"{count} exemplar{'' if count == 1 else 's'} in {index.name!r}, which holds"
        f" {holdings(index.manifest)}"
    )
    for exemplar in index.exemplars:
        if is_doubtful(exemplar) and exemplar.active(now):
            say(
                f"note: {exemplar.id} is more often wrong than right: {judged(exemplar)}; look at"
                f" it, or switch it off: vscan index update {folder} {exemplar.id} --disable"
            )


def show(
    folder: Place,
    exemplar: Annotated[
        str,
        typer.Argument(metavar="ID", help="As `vscan index list` has it, or its beginning."),
    ],
    as_json: Json = False,
) -> None:
    """Show all that is known of one exemplar.

    Example: `vscan index show known ex_0f9k2m…`
    """
    from vscan.cli.index_output import exemplar_object, judged
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.curation import exemplar_named
    from vscan.exemplars.index import ExemplarIndex

    index = ExemplarIndex.open(folder)
    ids = [each.id for each in index.exemplars]
    found = index.exemplar(exemplar_named(exemplar, ids, path=folder))
    if as_json:
        print_json_lines([exemplar_object(found)])
        return
    tracks = [
        (
            f"{signal} samples",
            f"{track.rows} ({', '.join(map(': '.join, sorted(track.spec.items())))})",
        )
        for signal, track in sorted(found.tracks.items())
    ]
    fields = exemplar_object(found) | {"precision": judged(found)}
    known = [
        (key, str(value))
        for key, value in fields.items()
        if key != "tracks" and value not in (None, "", "-")
    ]
    print_table(("key", "value"), [*known, *tracks])


def stats(folder: Place, as_json: Json = False) -> None:
    """Count what an index holds: exemplars, rows and vectors, and what searches them.

    A row is one for each sample, or for each sample and region of the frame. `vectors` is what is
    compared: rows, or for keypoints the features that they have. Nothing but the manifest and the
    exemplars is read, and the cells of a large index.

    Example: `vscan index stats known`
    """
    from vscan.cli.index_output import holdings, say
    from vscan.cli.tables import print_json_lines, print_line, print_table
    from vscan.exemplars.statistics import stats as count
    from vscan.exemplars.writer import utc_now

    found = count(folder, now=utc_now())
    if as_json:
        print_json_lines([stats_object(found)])
        return
    policies = sorted(found.by_policy.items())
    print_table(
        ("policy", "opinion", "exemplars"),
        [(policy, opinion, str(number)) for (policy, opinion), number in policies],
    )
    print_line()
    print_table(
        ("signal", "rows", "vectors", "bytes", "searched by", "not in its cells", "gone"),
        [
            (
                signal,
                str(each.rows),
                str(each.vectors),
                str(each.bytes),
                each.type or "-",
                _share(each.missing_share),
                _share(each.gone_share),
            )
            for signal, each in found.signals.items()
        ],
    )
    manifest = found.manifest
    say(
        f"{found.exemplars} exemplar{'' if found.exemplars == 1 else 's'} in {manifest.name!r}"
        f" ({found.disabled} disabled,"
        f" {found.quarantined} in quarantine, {found.expired} expired), {found.records} records of"
        f" lists, {found.bytes} bytes; it holds {holdings(manifest)}; generation"
        f" {manifest.generation}"
    )


def verify(folder: Place, as_json: Json = False) -> None:
    """Check an index from end to end: every file, every digest, every count.

    Every part is read and held against its SHA-256 and against what the manifest says of it. All
    that is wrong is listed, one row each, and the exit code is then 2.

    Example: `vscan index verify known`
    """
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.exemplars.checking import verify as check

    findings = check(folder)
    if as_json:
        print_json_lines(findings)
    elif findings:
        print_table(("part", "problem"), [(each.part, each.problem) for each in findings])
    if not findings:
        say(f"{folder}: every part is as it was written")
        return
    say(
        f"{folder}: {len(findings)} problem{'' if len(findings) == 1 else 's'}; restore it from a"
        " copy, or create it again from its sources"
    )
    raise typer.Exit(EXIT_DAMAGED)


def stats_object(found: IndexStats) -> dict[str, Any]:
    """An index in figures, as JSON."""
    manifest = found.manifest
    return {
        "name": manifest.name,
        "generation": manifest.generation,
        "digest": manifest.digest,
        "model": None if manifest.model is None else manifest.model.name,
        "sampling": manifest.sampling,
        "exemplars": found.exemplars,
        "by_policy": [
            {"policy": policy, "opinion": opinion, "exemplars": number}
            for (policy, opinion), number in sorted(found.by_policy.items())
        ],
        "disabled": found.disabled,
        "quarantined": found.quarantined,
        "expired": found.expired,
        "records": found.records,
        "bytes": found.bytes,
        "signals": {signal: asdict(each) for signal, each in found.signals.items()},
    }


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
