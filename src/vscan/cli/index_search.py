"""`vscan index search`: where exemplars come back in videos."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import Annotated

import typer

from vscan.cli.index import Device, Json, Place, Timeout, Weights, Workers, signal_names


def search(
    folder: Place,
    videos: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATHS…", help="Videos, folders (searched in depth) or globs; - "
                       "reads names from stdin."),
    ] = None,
    as_json: Json = False,
    signals: Annotated[
        str | None,
        typer.Option(help="Signals to look at, with commas, of those that the index holds. "
                     "Default: all of them."),
    ] = None,
    sampling: Annotated[
        str | None,
        typer.Option(help="Which frames of the videos are looked at: fps:N, every:N or keyframes. "
                     "Default: fps:1; with --store those that were stored."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="Look through this frame store instead of videos: everything that was "
                     "ever scanned with --store, nothing of it decoded again.", metavar="DIR|URI"),
    ] = None,
    weights: Weights = None,
    device: Device = "auto",
    workers: Workers = None,
    timeout: Timeout = None,
) -> None:  # fmt: skip
    """Find where exemplars of an index come back in videos, with the time on both sides.

    One row, or JSON object, for each match: `when` in the video, `there` in the exemplar. A video
    that cannot be read is reported, and the exit code is then 3.

    With --store, a new exemplar is looked up in all that scans have kept (a retro-hunt): the same
    matches as in the videos themselves, in seconds, by the signals and samples that were stored.

    Examples: `vscan index search known upload.mp4`;
    `vscan index search known uploads/ --signals pdq --json`;
    `vscan index search known --store frames/`
    """
    from vscan.cli.found_by import told_matches
    from vscan.cli.index_output import (
        SEARCH_COLUMNS,
        finish,
        found,
        outcome,
        say,
        search_objects,
        search_row,
        with_progress,
    )
    from vscan.cli.tables import print_json_lines, print_table, safe
    from vscan.errors import UsageError
    from vscan.exemplars.manifest_file import read_manifest
    from vscan.hunting import hunt
    from vscan.indexing import search_index
    from vscan.media import added_up
    from vscan.sampling import DEFAULT_SAMPLING
    from vscan.settings import ScanSettings
    from vscan.sources import SourceFinder
    from vscan.storage import location

    settings = ScanSettings(
        sampling=sampling or DEFAULT_SAMPLING,
        signals=None if signals is None else signal_names(signals),
        weights=weights,
        device=device,
        workers=workers,
        timeout_s=timeout,
        store=store,
    )
    if store is not None and sampling is not None:
        raise UsageError(
            "--sampling says nothing of a store: its samples were taken when it was filled",
            remedy="leave it out, or scan the videos again with that sampling and --store",
        )
    if bool(videos) == (store is not None):
        raise UsageError(
            "no videos to search" if store is None else "videos and a store",
            remedy="name videos, or a frame store with --store",
        )
    looked_at = settings.signals or read_manifest(location(folder)).signals
    finder, counts, by_signal = SourceFinder(), Counter[str](), Counter[str]()
    sources = found(finder, videos or []) if store is None else iter(())
    rows: list[tuple[str, ...]] = []
    cost_s: dict[str, float] = {}
    missing = Counter[str]()
    searching = (
        search_index(folder, sources, settings=settings)
        if store is None
        else hunt(folder, settings=settings)
    )
    with closing(searching) as results:
        for searched in with_progress(results, sources, "search"):
            missing.update(searched.not_stored)
            counts[outcome(searched)] += 1
            by_signal.update(match.signal for match in searched.matches)
            cost_s = added_up(cost_s, searched.cost_s)
            if as_json:
                print_json_lines(search_objects(searched))
            elif searched.error is not None:
                say(f"error: {safe(searched.uri)}: {searched.error.message}")
            else:
                rows += [search_row(searched.uri, match) for match in searched.matches]
    if not as_json:
        print_table(SEARCH_COLUMNS, sorted(rows, key=lambda row: row[0]))
    if counts:
        say(told_matches(looked_at, by_signal, cost_s))
    if store is not None and not counts:
        raise UsageError(
            f"{store}: the frame store is empty",
            remedy=f"fill it: vscan scan PATHS --store {store}",
        )
    for signal, count in sorted(missing.items()):
        say(f"note: {signal} was not stored of {count} of the videos: not looked at there")
    finish(counts, finder, ("matched", "without a match", "error"))
