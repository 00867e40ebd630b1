"""`vscan rescan`: everything in a frame store judged again, in seconds."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from vscan.cli.scan_options import (
    FailOn,
    Fresh,
    Grace,
    Index,
    LogFormat,
    MaxErrors,
    MetricsAddress,
    MetricsFile,
    MetricsPort,
    Output,
    Policy,
    Summary,
)


def rescan(
    context: typer.Context,
    store: Annotated[
        str,
        typer.Option(help="Frame store that scans have filled (`vscan scan --store`).",
                     metavar="DIR|URI"),
    ],
    output: Output = None,
    policy: Policy = "baseline",
    index: Index = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model that encodes prompts which were never encoded before. Default: "
                     "the one that made the stored embeddings."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Its weights, where they were a file (`vscan scan --weights`)."),
    ] = None,
    signals: Annotated[
        str | None,
        typer.Option(help="Signals to judge, with commas: embedding, pdq, keypoints. Default: what "
                     "the pack and the indexes need."),
    ] = None,
    fresh: Fresh = False,
    summary: Summary = None,
    flood_share: Annotated[
        float,
        typer.Option(help="Share of the store's videos beyond which an exemplar that matches them "
                     "(20 at least) is set aside and put into quarantine; 0: never."),
    ] = 0.05,
    fail_on: FailOn = None,
    log_format: LogFormat = "text",
    metrics_file: MetricsFile = None,
    metrics_port: MetricsPort = None,
    metrics_address: MetricsAddress = "127.0.0.1",
    max_errors: MaxErrors = None,
    grace: Grace = 10.0,
) -> None:  # fmt: skip
    """Judge everything in a frame store again: another pack, other thresholds, new exemplars.

    Nothing is decoded: neither Decord nor PyAV need be there, and the model only for prompts that
    were never encoded on this machine. The verdicts are those of a full scan with the same pack,
    model and indexes, line for line, unless a line warns of `signal_not_stored`: then something
    that would be judged was not measured when the video was scanned.

    A source that could not be read then is an `error` now; so is one whose tracks are damaged
    (`store_damaged`; scanning it again with --store mends that). Which exemplars flood a run may
    depend on the order of its videos: then lines may differ from those of a scan.

    Examples:

    `vscan rescan --store frames/ --policy new.toml -o verdicts.jsonl`

    `vscan rescan --store frames/ --index known/ --fail-on violation > /dev/null`
    """
    from vscan.cli.job import Job
    from vscan.cli.outputs import sink_of, summary_of
    from vscan.cli.stopping import StopSignals
    from vscan.runs import Began

    began = Began()
    # Before anything heavy is imported: a second run on the same output is told so at once.
    sink = sink_of(output, fresh=fresh)
    job = Job(
        began, log_format=log_format, output=output, metrics_file=metrics_file,
        metrics_port=metrics_port, metrics_address=metrics_address,
    )  # fmt: skip
    with closing(sink), job, StopSignals(grace) as stop:
        from vscan.cli.progress import ScanProgress
        from vscan.cli.scan_end import EXIT_ERRORS, Ended, run_of, tell_floods
        from vscan.cli.telling import tell
        from vscan.cli.writing import known_to, settle, write_verdicts
        from vscan.curation import quarantine
        from vscan.rescanning import prepare_rescan
        from vscan.settings import ScanSettings

        settings = ScanSettings(
            policy=policy,
            indexes=tuple(index or ()),
            model=model,
            weights=weights,
            signals=tuple(s.strip() for s in signals.split(",")) if signals else None,
            store=store,
            flood_share=flood_share,
        )
        rejudging = prepare_rescan(settings)
        for note in rejudging.notes:
            tell("note", note)
        ended = Ended(rejudging.signals, bool(rejudging.indexes), job.tally)
        watch = rejudging.watch()
        if watch is not None:
            watch.recall(sink.lines())
        provenance = next(iter(rejudging.rules.values())).provenance
        run = run_of(
            context, provenance, ended.tally, began,
            workers=1, output=output, summary=summary_of(output, summary),
        )  # fmt: skip
        run.damaged_tracks = lambda: len(rejudging.damaged)
        with run, closing(sink):  # as in a scan
            job.runs(run, rejudging.pack)
            verdicts = rejudging.verdicts(is_done=known_to(sink, ended), watch=watch)
            progress = ScanProgress(rejudging.sources, doing="rescan")
            write_verdicts(
                stop.between(verdicts), sink, ended, progress=progress, stop=stop,
                max_errors=max_errors,
            )  # fmt: skip
            settle(sink, ended, watch=watch, run=run, fail_on=fail_on)
            run.exit_code = EXIT_ERRORS if rejudging.nameless else run.exit_code
    if watch is not None and watch.floods:
        marked = quarantine(watch.floods, rejudging.indexes)
        tell_floods(marked, output, len(watch.amended))
    for signal, count in sorted(rejudging.missing.items()):
        videos = "1 video" if count == 1 else f"{count} videos"
        told = f"{signal} was not stored of {videos}: their lines warn of signal_not_stored"
        tell("signal_not_stored", told, signal=signal, sources=count)
    ended.tell(output)
    if rejudging.nameless:
        records = "1 record" if rejudging.nameless == 1 else f"{rejudging.nameless} records"
        tell(
            "records_damaged",
            f"{records} of the store too damaged to tell whose: no line;"
            f" `vscan store verify {store}` names the files",
            records=rejudging.nameless,
        )
        raise typer.Exit(EXIT_ERRORS)
    ended.leave(fail_on)
