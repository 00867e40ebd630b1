"""`vscan plan`: what a scan would take and what it would miss, told before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

import typer

from vscan.cli.scan_options import (
    AllowPrivateHosts,
    Device,
    Index,
    Inputs,
    Policy,
    Precision,
    ScratchBytes,
    ScratchFolder,
    Weights,
)


def plan(
    inputs: Inputs = None,
    from_file: Annotated[
        str | None,
        typer.Option(help="A list of inputs, as `vscan scan --from-file` takes it."),
    ] = None,
    sampling: Annotated[
        list[str] | None,
        typer.Option(help="A sampling plan, as `vscan scan --sampling` takes it. May be repeated. "
                     "Default: fps:1, fps:2, keyframes and"
                     " adaptive side by side."),
    ] = None,
    decode: Annotated[
        Literal["exact", "fast"],
        typer.Option(help="How frames are decoded, as `vscan scan --decode` has it."),
    ] = "exact",
    event: Annotated[
        str,
        typer.Option(help="Seconds that an event lasts, with commas: for each length the chance "
                     "that no sample shows it."),
    ] = "1,2,5,10",
    hours: Annotated[
        float | None,
        typer.Option(help="Reckon with so many hours of video of this kind as well, as a day's "
                     "uploads."),
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(help="What one core costs for one hour, in any currency. Default: cost is "
                     "told in core hours."),
    ] = None,
    look: Annotated[
        int, typer.Option(help="How many of the videos are read and measured.", min=1)
    ] = 12,
    seed: Annotated[
        int, typer.Option(help="Decides which videos; the same seed, the same ones.")
    ] = 0,
    policy: Policy = "baseline",
    index: Index = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model for the embeddings, as `vscan scan --model` takes it."),
    ] = None,
    weights: Weights = None,
    device: Device = "auto",
    precision: Precision = "auto",
    signals: Annotated[
        str | None,
        typer.Option(help="Signals to measure, with commas: embedding, pdq, keypoints. Default: "
                     "what the pack and the indexes need."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Videos that will be read at the same time. Default: one per "
                                 "core.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE",
                     help="What reading one video may cost, as `vscan scan --limit` takes it."),
    ] = None,
    scratch: ScratchFolder = None,
    scratch_bytes: ScratchBytes = None,
    allow_private_hosts: AllowPrivateHosts = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the plan as one JSON object instead of a table.")
    ] = False,
) -> None:  # fmt: skip
    """Tell before a scan what it will take and miss: samples, time, cost, for several samplings.

    Every video is asked for its length, and some (--look), drawn by --seed, are read and measured
    under each sampling plan, as a scan with the same pack, model and indexes would: nothing is
    assumed of the machine or the videos. Of a long video the beginning is read.

    Rates are for an hour of video; in brackets stands the 95 % interval over the videos that were
    looked at. Time is that of the machine at its limit. `missed` is the chance that no sample shows
    an event of that length which begins at any moment: whether the model knows one that is shown
    is another matter. Videos that cannot be read are told and left out; where none can be, the exit
    code is 3.

    Examples:

    `vscan plan clips/`

    `vscan plan clips/ --sampling fps:1 --sampling fps:4 --event 0.5,2 --hours 20000 --price 0.04`

    `vscan plan --from-file uploads.txt --index known/ --signals pdq --json`
    """
    from vscan.cli.index_output import say
    from vscan.cli.plan_table import print_plan
    from vscan.cli.tables import print_json_lines
    from vscan.decode.limits import parse_bytes, parse_limits
    from vscan.errors import UsageError
    from vscan.planning.planner import PlanSettings, prepare_plan
    from vscan.settings import ScanSettings
    from vscan.sources import SourceFinder

    settings = PlanSettings(
        samplings=tuple(sampling or ()),
        events_s=_seconds(event),
        look=look,
        seed=seed,
        hours=hours,
        price=price,
    )
    scanning = ScanSettings(
        policy=policy,
        indexes=tuple(index or ()),
        model=model,
        weights=weights,
        device=device,
        precision=precision,
        signals=tuple(each.strip() for each in signals.split(",")) if signals else None,
        workers=workers,
        limits=parse_limits(limit or ()),
        decode=decode,
        scratch=scratch,
        scratch_bytes=parse_bytes("scratch-bytes", scratch_bytes),
        allow_private_hosts=allow_private_hosts,
    )
    if not inputs and from_file is None:
        raise UsageError("no inputs", remedy="name videos or folders, or give --from-file LIST")
    planner = prepare_plan(settings, scanning)
    for note in () if as_json else planner.notes:
        say(f"note: {note}")
    with planner.scratch as room:
        finder = SourceFinder(room.fetching)
        sources = list(finder.find(inputs or [], from_file=from_file))
        if not sources:
            raise UsageError("no videos to plan for", remedy="name a folder that holds videos")
        _run(planner.probe(sources), len(sources), "probe", quiet=as_json)
        _run(planner.look(), min(look, len(sources)), "look", quiet=as_json)
    report = planner.report()
    if as_json:
        print_json_lines([report])
    else:
        print_plan(report)


def _seconds(text: str) -> tuple[float, ...]:
    from vscan.errors import UsageError

    try:
        return tuple(sorted({float(each) for each in text.split(",")}))
    except ValueError:
        raise UsageError(
            f"event {text!r}: not numbers of seconds", remedy="with commas, as --event 1,2.5,10"
        ) from None


def _run(steps: Iterable[None], total: int, what: str, *, quiet: bool) -> None:
    from vscan.cli.index_output import with_progress

    told: Iterator[None] = iter(steps) if quiet else with_progress(steps, range(total), what)
    for _ in told:
        pass
