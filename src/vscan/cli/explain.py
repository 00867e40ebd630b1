"""`vscan explain`: one video's verdict with its evidence, drawn as a timeline in the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from vscan.reports.words import (
    MOST_EVIDENCE,
    because,
    clock,
    evidence_words,
    remark,
    short,
)

__all__ = ["BAR", "PEAK", "REST", "evidence_lines", "explain", "page", "short", "timeline"]
BAR, PEAK, REST = "█", "◆", "·"


def explain(
    file: Annotated[
        str,
        typer.Argument(
            help="A verdict file or folder of parts, as `vscan scan -o` writes them, or "
            "its URI; - for stdin."
        ),
    ],
    video: Annotated[
        str,
        typer.Argument(
            help="The video: its name, a part of it that fits no other, or the verdict's id."
        ),
    ],
    json: Annotated[
        bool, typer.Option("--json", help="Print the whole record as JSON instead.")
    ] = False,
) -> None:
    """Explain one video's verdict: what was looked at, what was found, when, and why.

    Example: `vscan explain verdicts.jsonl clips/a.mp4`.
    """
    from vscan.cli.tables import print_json_lines, safe
    from vscan.store.browse import find_record, load_records

    record = find_record(load_records(file), video)
    if json:
        print_json_lines([record])
        return
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    for line in page(record, width):
        typer.echo(safe(line))


def page(record: dict[str, Any], width: int) -> Iterator[str]:
    """The explanation of one record, line by line; lines aim at `width` columns."""
    source, samples, made_by = record["source"], record["samples"], record["provenance"]
    yield f"{source['uri']}"
    yield f"  {record['outcome'].upper()}, recommended action: {record['action']}"
    if note := remark(record):
        yield f"  {note}"
    if source["duration_s"] is not None and source["width"] is not None:
        shape = f"{source['width']}x{source['height']} {source['codec']}"
        yield f"  {clock(source['duration_s'])}, {shape}, sha256 {source['sha256']}"
    if samples is not None:
        yield (
            f"  looked at {samples['read']} of {samples['planned']} samples ({samples['plan']}, "
            f"{samples['reader']}), coverage {samples['coverage']:.0%}"
        )
        for start, end in samples["gaps_s"]:
            yield f"  not seen: {clock(start)}–{clock(end)}"
    for finding in record["findings"]:
        yield ""
        yield (
            f"  {finding['policy']} ({finding['severity']}): {finding['action']}, "
            f"score {finding['score']:.2f}, threshold {finding['threshold']:.2f}"
        )
        yield from timeline(finding["segments"], source["duration_s"] or 0.0, width - 4)
        yield from evidence_lines(finding["evidence"])
    for aside in record["suppressed"]:
        yield ""
        yield f"  suppressed: {aside['policy']}, {because(aside)}"
        yield from timeline(aside["segments"], source["duration_s"] or 0.0, width - 4)
        yield from evidence_lines(aside["by"] or aside["evidence"])
    yield ""
    yield f"  {record['id']} by vscan {made_by['vscan']}, pack {short(made_by['pack'])}"
    if made_by["model"] is not None:
        yield f"  model {short(made_by['model'])}, {made_by['precision']}"
    for name, digest in made_by["indexes"].items():
        yield f"  index {name} {short(digest)}"


def timeline(segments: list[dict[str, Any]], duration_s: float, width: int) -> Iterator[str]:
    """A bar over the video's length, then each segment in words."""
    columns = max(20, width - 20)
    if duration_s > 0:
        cells = [REST] * columns
        for segment in segments:
            first = int(segment["start_s"] / duration_s * columns)
            last = max(first + 1, round(segment["end_s"] / duration_s * columns))
            for at in range(first, min(last, columns)):
                cells[at] = BAR
        for segment in segments:
            cells[min(columns - 1, int(segment["peak_s"] / duration_s * columns))] = PEAK
        yield f"    0 {''.join(cells)} {clock(duration_s)}"
    for segment in segments:
        yield (
            f"    {clock(segment['start_s'])} to {clock(segment['end_s'])}, "
            f"score {segment['score']:.2f}, peak at {clock(segment['peak_s'])}"
        )


def evidence_lines(evidence: list[dict[str, Any]], most: int = MOST_EVIDENCE) -> Iterator[str]:
    """Each piece of evidence in words, the strongest first; what is left out is counted."""
    for each in evidence[:most]:
        found, how = evidence_words(each)
        yield f"    {found}"
        if how:
            yield f"      {how}"
    if len(evidence) > most:
        yield f"    and {len(evidence) - most} more (--json shows all)"
