"""`vscan scan`: videos in, JSONL verdicts out."""

from __future__ import annotations

import sys
from contextlib import closing

import typer

from vscan.cli.scan_options import (
    AllowPrivateHosts,
    Decode,
    Device,
    Engine,
    FailOn,
    FloodShare,
    Fresh,
    FromFile,
    Grace,
    Index,
    Inputs,
    Limit,
    LogFormat,
    MaxErrors,
    MaxGap,
    MetricsAddress,
    MetricsFile,
    MetricsPort,
    Model,
    ModelActors,
    Output,
    Policy,
    Precision,
    RayAddress,
    Sampling,
    ScratchBytes,
    ScratchFolder,
    Shard,
    Signals,
    Store,
    Summary,
    Timeout,
    Timings,
    Weights,
    Workers,
)


def scan(
    context: typer.Context,
    inputs: Inputs = None,
    output: Output = None,
    from_file: FromFile = None,
    policy: Policy = "baseline",
    index: Index = None,
    model: Model = None,
    weights: Weights = None,
    device: Device = "auto",
    precision: Precision = "auto",
    sampling: Sampling = "fps:1",
    max_gap: MaxGap = None,
    decode: Decode = "exact",
    signals: Signals = None,
    store: Store = None,
    engine: Engine = "local",
    ray_address: RayAddress = None,
    model_actors: ModelActors = 1,
    workers: Workers = None,
    timeout: Timeout = None,
    limit: Limit = None,
    fresh: Fresh = False,
    shard: Shard = None,
    summary: Summary = None,
    flood_share: FloodShare = 0.05,
    fail_on: FailOn = None,
    timings: Timings = False,
    scratch: ScratchFolder = None,
    scratch_bytes: ScratchBytes = None,
    allow_private_hosts: AllowPrivateHosts = False,
    log_format: LogFormat = "text",
    metrics_file: MetricsFile = None,
    metrics_port: MetricsPort = None,
    metrics_address: MetricsAddress = "127.0.0.1",
    max_errors: MaxErrors = None,
    grace: Grace = 10.0,
) -> None:  # fmt: skip
    """Scan videos against a policy pack and exemplar indexes; write one JSON line for each.

    Every input gets exactly one line, also one that cannot be read: its outcome is `error`. The
    lines go to stdout, or with -o to what a rerun resumes: a file, or parts below DIR/ or a URI
    (docs/verdict-parts.md). Progress and notes go to stderr. Ctrl-C ends the run with what was
    done; a second one ends it at once. SIGTERM first lets videos that are being read end, for
    --grace seconds.

    An exemplar that suddenly matches more than --flood-share of the run is not believed: its
    matches stand under `suppressed`, also in lines of -o that were written before, and it is put
    into quarantine in its index (`vscan index update DIR ID --release` ends it).

    With --store the tracks of every video stay: another pack, threshold or exemplar is then judged
    in seconds by `vscan rescan`, and the same content is never decoded twice.

    Examples:

    `vscan scan clips/ -o verdicts.jsonl`

    `vscan scan clips/ --store frames/ -o verdicts.jsonl`

    `vscan scan clips/ --shard 2/5 -o s3://bucket/run/`

    `vscan scan clips/ --index known/ --fail-on violation -o verdicts.jsonl`

    `vscan scan s3://bucket/uploads/ --store s3://bucket/frames -o verdicts.jsonl`
    `vscan scan --from-file all.txt --engine ray --ray-address auto -o verdicts.jsonl`

    `vscan scan clips/ --model builtin --policy demo` (the demo model: drawn pictograms only)
    """
    from vscan.cli.job import Job
    from vscan.cli.outputs import sink_of, summary_of
    from vscan.cli.scan_timings import timed
    from vscan.cli.stopping import StopSignals
    from vscan.decode.limits import parse_bytes, parse_limits
    from vscan.errors import UsageError
    from vscan.runs import Began
    from vscan.shards import parse_shard, share_of

    began = Began()
    wanted = None if shard is None else parse_shard(shard)
    limits = parse_limits(limit or ())
    room_bytes = parse_bytes("scratch-bytes", scratch_bytes)
    if timings and engine == "ray":
        raise UsageError(
            "--timings measures one process and its readers, not the workers of Ray",
            remedy="leave --timings out, or use --engine local",
        )
    if not inputs and from_file is None:
        raise UsageError("no inputs", remedy="name videos or folders, or give --from-file LIST")
    # Before anything heavy is imported: a second run on the same output is told so at once.
    sink = sink_of(output, fresh=fresh, shard=shard)
    job = Job(
        began, log_format=log_format, output=output, metrics_file=metrics_file,
        metrics_port=metrics_port, metrics_address=metrics_address,
    )  # fmt: skip
    with closing(sink), job, StopSignals(grace) as stop, timed(timings) as collected:
        from vscan.cli.progress import ScanProgress, all_listed
        from vscan.cli.scan_end import Ended, run_of, tell_damage, tell_floods
        from vscan.cli.telling import tell
        from vscan.cli.writing import known_to, settle, write_verdicts
        from vscan.curation import quarantine
        from vscan.scanning import prepare, run_scan, watch_over
        from vscan.settings import ScanSettings
        from vscan.sources import SourceFinder

        settings = ScanSettings(
            policy=policy,
            indexes=tuple(index or ()),
            model=model,
            weights=weights,
            device=device,
            precision=precision,
            sampling=sampling,
            max_gap_s=max_gap,
            decode=decode,
            signals=tuple(s.strip() for s in signals.split(",")) if signals else None,
            engine=engine,
            ray_address=ray_address,
            model_actors=model_actors,
            workers=workers,
            timeout_s=timeout,
            limits=limits,
            store=store,
            flood_share=flood_share,
            scratch=scratch,
            scratch_bytes=room_bytes,
            allow_private_hosts=allow_private_hosts,
        )
        tell("loading", "loading pack, indexes and model")
        prepared = prepare(settings)
        for note in prepared.notes:
            tell("note", note)
        ended = Ended(prepared.recipe.signals, bool(prepared.rules.indexes), job.tally)
        room = prepared.new_scratch()
        if job.metrics is not None:
            job.metrics.fetches(room)
        finder = SourceFinder(room.fetching)
        found = finder.find(inputs or [], from_file=from_file)
        if wanted is not None:
            found = share_of(found, wanted, leave=ended.tally.leave_to_others)
        # Only a bar needs to know how many there will be; a pipe need not wait for the listing.
        sources = all_listed(found) if sys.stderr.isatty() else found
        total = len(sources) if isinstance(sources, list) else None
        watch = watch_over(prepared)
        if watch is not None:
            watch.recall(sink.lines())
        provenance, keeper = prepared.rules.provenance, prepared.keeper
        run = run_of(
            context, provenance, ended.tally, began,
            workers=prepared.workers, output=output,
            summary=summary_of(output, summary, shard=shard),
        )  # fmt: skip
        if keeper is not None:
            run.damaged_tracks = lambda: len(keeper.damaged)
        # Closed before the summary says how the run ended: that fails where parts cannot be stored.
        with run, closing(sink):
            job.runs(run, prepared.rules.pack)
            verdicts = run_scan(
                prepared, stop.drawn(sources), is_done=known_to(sink, ended),
                done_keys=sink.done_keys, content_of=sink.content_of, watch=watch,
                timings=collected, scratch=room, stopping=stop.stopping,
            )  # fmt: skip
            progress = ScanProgress(total)
            write_verdicts(
                verdicts, sink, ended, progress=progress, stop=stop, max_errors=max_errors
            )
            ended.tell_inputs(finder)
            if ended.tally.other_shards:
                sink.keep_empty()
            settle(sink, ended, watch=watch, run=run, fail_on=fail_on)
    if watch is not None and watch.floods:
        marked = quarantine(watch.floods, prepared.rules.indexes)
        tell_floods(marked, output, len(watch.amended))
    if keeper is not None:
        tell_damage(len(keeper.damaged))
    ended.tell(output, skipped_files=finder.skipped_files)
    ended.leave(fail_on)
