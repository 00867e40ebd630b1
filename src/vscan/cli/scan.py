"""`vscan scan`: videos in, JSONL verdicts out."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from vscan.sources import SourceFinder

EXIT_FAIL_ON, EXIT_ERRORS = 1, 3
FAILING = {"review": ("review", "violation"), "violation": ("violation",)}


def scan(
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
        typer.Option(help="Which frames are looked at: fps:N, every:N (every Nth frame) or "
                     "keyframes."),
    ] = "fps:1",
    signals: Annotated[
        str | None,
        typer.Option(help="Signals to measure, with commas: embedding, pdq. Default: what the "
                     "pack and the indexes need."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Videos read at the same time. Default: one per core.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds a video may keep its reader busy before it is given up as an "
                     "error. Default: 60 and the video's own length."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start --output over instead of resuming it.")
    ] = False,
    fail_on: Annotated[
        Literal["review", "violation"] | None,
        typer.Option(help="Exit with 1 if any video's outcome is this or graver."),
    ] = None,
) -> None:  # fmt: skip
    """Scan videos against a policy pack and exemplar indexes; write one JSON line for each.

    Every input gets exactly one line, also one that cannot be read: its outcome is `error`. The
    lines go to stdout, or with -o to a file that a rerun resumes. Progress and notes go to stderr.

    Examples:

    `vscan scan clips/ -o verdicts.jsonl`

    `vscan scan clips/ --index known/ --fail-on violation -o verdicts.jsonl`

    `vscan scan clips/ --model builtin --policy demo` (the demo model: drawn pictograms only)
    """
    from vscan.cli.progress import ScanProgress
    from vscan.errors import UsageError
    from vscan.scanning import ScanSettings, prepare, run_scan
    from vscan.sources import SourceFinder
    from vscan.store.records import RecordFile, RecordSink, RecordStream

    settings = ScanSettings(
        policy=policy,
        indexes=tuple(index or ()),
        model=model,
        weights=weights,
        device=device,
        precision=precision,
        sampling=sampling,
        signals=tuple(s.strip() for s in signals.split(",")) if signals else None,
        workers=workers,
        timeout_s=timeout,
    )
    if not inputs and from_file is None:
        raise UsageError("no inputs", remedy="name videos or folders, or give --from-file LIST")
    sink: RecordSink = RecordStream() if output is None else RecordFile(output, fresh=fresh)
    with closing(sink):
        if sys.stderr.isatty():
            print("vscan: loading pack, indexes and model", file=sys.stderr)
        prepared = prepare(settings)
        for note in prepared.notes:
            print(f"vscan: note: {note}", file=sys.stderr)
        finder = SourceFinder()
        found = finder.find(inputs or [], from_file=from_file)
        # Only a bar needs to know how many there will be; a pipe need not wait for the listing.
        sources = list(found) if sys.stderr.isatty() else found
        outcomes: Counter[str] = Counter()
        earlier: list[str] = []

        def is_done(verdict_id: str) -> bool:
            outcome = sink.outcome_of(verdict_id)
            if outcome is not None:
                earlier.append(outcome)
            return outcome is not None

        with (
            ScanProgress(len(sources) if isinstance(sources, list) else None) as progress,
            closing(run_scan(prepared, sources, is_done=is_done)) as verdicts,
        ):
            for verdict in verdicts:
                if verdict is not None:
                    sink.write(verdict)
                outcomes["done before" if verdict is None else verdict.outcome] += 1
                progress.advance(verdict)
    _finish(outcomes, finder, output)
    _leave({*outcomes, *earlier}, fail_on)


def _finish(outcomes: Counter[str], finder: SourceFinder, output: Path | None) -> None:
    """Say on stderr what came of it. Raises UsageError where there was no input."""
    from vscan.cli.tables import safe
    from vscan.errors import UsageError

    if not outcomes:
        others = f", only {finder.skipped_files} other files" if finder.skipped_files else ""
        places = ", ".join(safe(name) for name in finder.empty_folders) or "the list"
        raise UsageError(
            f"no videos in {places}{others}",
            remedy="name a folder that holds videos; a file that is named outright is always read",
        )
    for name in finder.empty_folders:
        print(f"vscan: note: no videos in {safe(name)}", file=sys.stderr)
    for name in finder.unreadable_folders:
        print(f"vscan: note: the folder {safe(name)} may not be listed", file=sys.stderr)
    words = ("violation", "review", "clear", "error", "done before")
    counts = ", ".join(f"{outcomes[word]} {word}" for word in words if outcomes[word])
    where = f"; verdicts in {output}" if output is not None else ""
    skipped = finder.skipped_files
    ignored = f"; {skipped} other files skipped" if skipped else ""
    videos = "1 video" if outcomes.total() == 1 else f"{outcomes.total()} videos"
    print(f"vscan: {videos}: {counts}{ignored}{where}", file=sys.stderr)


def _leave(outcomes: set[str], fail_on: str | None) -> None:
    """The exit code that the outcomes call for; those of earlier runs on the output count too."""
    if "error" in outcomes:
        raise typer.Exit(EXIT_ERRORS)
    if fail_on is not None and not outcomes.isdisjoint(FAILING[fail_on]):
        raise typer.Exit(EXIT_FAIL_ON)
