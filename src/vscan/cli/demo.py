"""`vscan demo`: the whole job on videos made here, offline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[
        Path, typer.Argument(help="Where its videos, index and verdicts go.")
    ] = Path("vscan-demo"),
    archive: Annotated[
        int | None,
        typer.Option(metavar="N", help="Instead make an archive of N short videos with a list of "
                     "them and the truth about each, to try thresholds, figures and picks on."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides what the archive's videos show.")] = 0,
) -> None:  # fmt: skip
    """Show the whole job in a minute: make videos, index a known clip, scan, explain.

    Needs no download. The videos are drawn pictograms and the model is the built-in one, which
    knows nothing else: it shows how vscan works, not how well a real model sees. Exits with 1 if
    a verdict is not what the story says.

    With --archive it only makes videos: a list for `vscan scan --from-file`, with markets, days of
    upload, views and reports, and labels that say what each video shows under each policy.

    Example: `vscan demo archive --archive 200`
    """
    if archive is not None:
        _archive(folder, archive, seed)
        return
    from vscan.cli.show import COLUMNS, rows
    from vscan.cli.tables import print_line, print_table
    from vscan.demo.run import Shown, run_demo
    from vscan.demo.story import CLIPS
    from vscan.store.browse import load_records, most_severe_first

    for step in run_demo(folder):
        if isinstance(step, Shown):
            shown = step
        else:
            print(f"vscan demo: {step}", file=sys.stderr)
    records = most_severe_first(load_records(shown.verdict_file))
    print_table(COLUMNS, (row for record in records for row in rows(record, record["findings"])))
    print_line()
    for clip in CLIPS:
        print_line(f"{clip.name}: {clip.about}")
    print_line()
    print_line(f"verdicts  {shown.verdict_file}")
    print_line(f"index     {folder / 'index'}")
    print_line(f"try       vscan explain {shown.verdict_file} mirrored.mp4")
    print_line(f"          vscan index search {folder / 'index'} {folder / 'videos'}")
    for surprise in shown.surprises:
        print(f"vscan demo: not as the story says: {surprise}", file=sys.stderr)
    if shown.surprises:
        raise typer.Exit(1)
    print_line(f"All {len(CLIPS)} verdicts are what the story says.")


def _archive(folder: Path, videos: int, seed: int) -> None:
    from vscan.cli.tables import print_line
    from vscan.demo.archive import write_archive

    print(f"vscan demo: drawing {videos} videos in {folder}", file=sys.stderr)
    made = write_archive(folder, videos, seed=seed)
    print_line(f"list      {made.source_list}")
    print_line(f"truth     {made.truth}")
    print_line(
        f"try       vscan scan --from-file {made.source_list} --model builtin --policy demo"
        " --store frames -o verdicts.jsonl"
    )
