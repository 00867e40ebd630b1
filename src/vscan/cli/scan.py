"""`vscan scan`: videos in, JSONL verdicts out."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer


def scan(
    context: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Video files, folders (searched in depth) or globs; - reads names from stdin.",
            metavar="PATHS…",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o",
            help="Append verdicts to this JSONL file, skipping what it already holds for the same "
            "content and configuration. Default: stdout.",
        ),
    ] = None,
    from_file: Annotated[
        str | None,
        typer.Option(
            help="A list of inputs: one name a line, NUL-separated names, or JSON lines with a "
            "`uri` whose other fields are passed on as `source.meta`."
        ),
    ] = None,
    policy: Annotated[
        str,
        typer.Option(help="Policy pack: a shipped one (`vscan policy list`) or a .toml file."),
    ] = "baseline",
    index: Annotated[
        list[str] | None,
        typer.Option(help="Folder of an exemplar index to match against. May be repeated."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model for the embeddings (`vscan models list`), or an open_clip "
                     "architecture together with --weights. Default: ViT-B-32-datacomp."),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Local .safetensors file with the weights of --model.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="Where the model runs: auto, cpu, cuda, cuda:N or mps.")
    ] = "auto",
    precision: Annotated[
        str, typer.Option(help="How it computes: auto, fp32, bf16 or fp16.")
    ] = "auto",
    sampling: Annotated[
        str,
        typer.Option(help="Which frames are looked at: fps:N, every:N (every Nth frame), "
                     "keyframes, or adaptive: keyframes first, then more where a policy fires or "
                     "nearly does."),
    ] = "fps:1",
    max_gap: Annotated[
        float | None,
        typer.Option(metavar="S",
                     help="With keyframes or adaptive: seconds between samples at most; where "
                     "keyframes are further apart, frames between them are looked at. Default: 2 "
                     "for adaptive, none for keyframes."),
    ] = None,
    decode: Annotated[
        Literal["exact", "fast"],
        typer.Option(help="fast: take only frames that others refer to (a few frames later at "
                     "most) and leave the loop filter out between keyframes: less work, pictures "
                     "that differ a little (docs/speed.md)."),
    ] = "exact",
    signals: Annotated[
        str | None,
        typer.Option(help="Signals to measure, with commas: embedding, pdq, keypoints. Default: "
                     "what the pack and the indexes need; with --store embedding and pdq as well."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="Frame store, a folder or URI: what is measured is kept there, and what "
                     "is there is not decoded again. `vscan rescan` judges anew from it.",
                     metavar="DIR|URI"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Videos read at the same time. Default: one per core.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds a video may keep its reader busy before it is given up as an "
                     "error, as --limit timeout_s. Default: 60 and the video's own length."),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE",
                     help="What reading one video may cost, beyond which it is an error: "
                     "timeout_s, cpu_s, memory_bytes, max_pixels, max_side, max_duration_s, "
                     "max_streams or threads, as memory_bytes=2G, max_duration_s=4h or "
                     "max_pixels=36M (docs/limits.md). May be repeated."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start --output over instead of resuming it.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N",
                     help="Only share I of N of the inputs, as 2/5, for array jobs: each source is "
                     "in exactly one, by its URI. `vscan verdicts merge` joins the outputs."),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="Where the run summary goes. Default: verdicts.run.json beside "
                     "verdicts.jsonl; none for stdout."),
    ] = None,
    flood_share: Annotated[
        float,
        typer.Option(help="Share of the run's videos beyond which an exemplar that matches them "
                     "(20 at least) is set aside and put into quarantine; 0: never."),
    ] = 0.05,
    fail_on: Annotated[
        Literal["review", "violation"] | None,
        typer.Option(help="Exit with 1 if any video's outcome is this or graver."),
    ] = None,
    timings: Annotated[
        bool,
        typer.Option("--timings", help="Tell at the end, on stderr, where the time went: CPU "
                     "seconds by step, samples a second, how busy the cores were."),
    ] = False,
) -> None:  # fmt: skip
    """Scan videos against a policy pack and exemplar indexes; write one JSON line for each.

    Every input gets exactly one line, also one that cannot be read: its outcome is `error`. The
    lines go to stdout, or with -o to a file that a rerun resumes. Progress and notes go to stderr.
    Ctrl-C ends the run with what was done; a second one ends it at once.

    An exemplar that suddenly matches more than --flood-share of the run is not believed: its
    matches stand under `suppressed`, also in lines of -o that were written before, and it is put
    into quarantine in its index (`vscan index update DIR ID --release` ends it).

    With --store the tracks of every video stay: another pack, threshold or exemplar is then judged
    in seconds by `vscan rescan`, and the same content is never decoded twice.

    Examples:

    `vscan scan clips/ -o verdicts.jsonl`

    `vscan scan clips/ --store frames/ -o verdicts.jsonl`

    `vscan scan clips/ --index known/ --fail-on violation -o verdicts.jsonl`

    `vscan scan clips/ --model builtin --policy demo` (the demo model: drawn pictograms only)
    """
    from vscan.cli.scan_timings import timed
    from vscan.cli.stopping import StopSignals
    from vscan.decode.limits import parse_limits
    from vscan.errors import UsageError
    from vscan.runs import Began
    from vscan.shards import parse_shard, share_of
    from vscan.store.records import RecordFile, RecordSink, RecordStream

    began = Began()
    wanted = None if shard is None else parse_shard(shard)
    limits = parse_limits(limit or ())
    if not inputs and from_file is None:
        raise UsageError("no inputs", remedy="name videos or folders, or give --from-file LIST")
    # Before anything heavy is imported: a second run on the same output is told so at once.
    sink: RecordSink = RecordStream() if output is None else RecordFile(output, fresh=fresh)
    with closing(sink), StopSignals() as stop, timed(timings) as collected:
        from vscan.cli.progress import ScanProgress
        from vscan.cli.scan_end import Ended, run_of, tell_damage, tell_floods
        from vscan.cli.writing import known_to, settle, write_verdicts
        from vscan.curation import quarantine
        from vscan.runs import summary_path
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
            workers=workers,
            timeout_s=timeout,
            limits=limits,
            store=store,
            flood_share=flood_share,
        )
        if sys.stderr.isatty():
            print("vscan: loading pack, indexes and model", file=sys.stderr)
        prepared = prepare(settings)
        for note in prepared.notes:
            print(f"vscan: note: {note}", file=sys.stderr)
        ended = Ended(signals=prepared.recipe.signals, indexed=bool(prepared.rules.indexes))
        finder = SourceFinder()
        found = finder.find(inputs or [], from_file=from_file)
        if wanted is not None:
            found = share_of(found, wanted, leave=ended.tally.leave_to_others)
        # Only a bar needs to know how many there will be; a pipe need not wait for the listing.
        sources = list(found) if sys.stderr.isatty() else found
        total = len(sources) if isinstance(sources, list) else None
        watch = watch_over(prepared)
        if watch is not None:
            watch.recall(sink.lines())
        if summary is None and output is not None:
            summary = summary_path(output)
        provenance, keeper = prepared.rules.provenance, prepared.keeper
        run = run_of(
            context, provenance, ended.tally, began,
            workers=prepared.workers, summary=summary, output=output,
        )  # fmt: skip
        if keeper is not None:
            run.damaged_tracks = lambda: len(keeper.damaged)
        with run:
            verdicts = run_scan(
                prepared, sources, is_done=known_to(sink, ended), watch=watch, timings=collected
            )
            write_verdicts(verdicts, sink, ended, progress=ScanProgress(total), stop=stop)
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
