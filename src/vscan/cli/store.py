"""`vscan store`: what a frame store holds, whether it is whole, what can go, and as Parquet."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vscan.store.housekeeping import StoreStats

store_app = typer.Typer(
    name="store",
    help="""Look after frame stores: folders that keep what was measured on videos.

    `vscan scan --store STORE` makes one and fills it; `vscan rescan --store STORE` judges again
    from it without decoding. A store holds, by content, the tracks of every signal, and one record
    for each URI. What is in a frame can be told from its embedding: guard a store as the videos.
    """,
    no_args_is_help=True,
)

EXIT_DAMAGED = 3
Store = Annotated[
    str, typer.Argument(metavar="STORE", help="Folder or URI of the store (`s3://bucket/frames`).")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def seconds(text: str) -> float:
    """The length of time that `1d`, `12h`, `30m` or `0` says. Raises UsageError for others."""
    from vscan.errors import UsageError

    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw]?)", text.strip().lower())
    if match is None or (not match[2] and float(match[1]) != 0):
        raise UsageError(f"{text!r} is no length of time", remedy="write 1d, 12h, 30m, 90s or 0")
    return float(match[1]) * _UNITS_S[match[2] or "s"]


@store_app.command()
def stats(store: Store, as_json: Json = False) -> None:
    """Count what a store holds: contents, sources, errors; tracks and bytes by signal and spec.

    `orphaned` are tracks that no source record names: of a content that has changed under its URI,
    or made by settings that were given up. `vscan store gc` removes them.

    Example: `vscan store stats frames`
    """
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.store.frames import FrameStore
    from vscan.store.housekeeping import stats as count

    held = FrameStore.open(store)
    found = count(held)
    if as_json:
        print_json_lines([asdict(found) | {"bytes": found.bytes}])
        return
    print_table(
        ("signal", "key", "tracks", "bytes", "orphaned", "orphaned bytes", "made by"),
        [
            (
                each.signal,
                each.key,
                str(each.tracks),
                str(each.bytes),
                str(each.orphaned),
                str(each.orphaned_bytes),
                ", ".join(map(": ".join, sorted(each.made_by.items()))) or "-",
            )
            for each in found.specs
        ],
    )
    say(f"{held.root}: {_in_words(found)}")


def _in_words(found: StoreStats) -> str:
    told = [
        f"{found.contents} contents",
        f"{found.sources} sources ({found.errors} errors)",
        f"{found.bytes} bytes",
    ]
    if found.damaged_sources:
        told.append(f"{found.damaged_sources} damaged records")
    if found.leftovers:
        told.append(f"{found.leftovers} unfinished files of {found.leftover_bytes} bytes")
    if found.foreign:
        told.append(f"{found.foreign} files that vscan did not write")
    return ", ".join(told)


@store_app.command()
def verify(
    store: Store,
    remove: Annotated[
        bool,
        typer.Option("--remove", help="Delete what is damaged, so that the next scan measures it "
                     "anew."),
    ] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Check a store from end to end: every file is read and held against its SHA-256.

    All that is wrong is listed, a line each, and the exit code is then 3: `damaged` is not what was
    written, `missing` is named by a source record and not there, `unreadable` is what the system or
    the service does not give. The next scan with --store mends the first two.

    Example: `vscan store verify frames --remove`
    """
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines, print_line
    from vscan.store.checking import Verification
    from vscan.store.frames import FrameStore

    held = FrameStore.open(store)
    verification = Verification(held)
    problems = removed = 0
    for finding in verification.findings():
        problems += 1
        if as_json:
            print_json_lines([finding])
        else:
            print_line(f"{finding.state}  {finding.name}: {finding.problem}")
        if remove and finding.state == "damaged":
            held.remove(finding.name)
            removed += 1
    files = f"{verification.files} files read"
    if not problems:
        say(f"{held.root}: {files}, every one as it was written")
        return
    told = f", {removed} removed" if remove else "; --remove deletes what is damaged"
    say(f"{held.root}: {files}, {problems} problem{'' if problems == 1 else 's'}{told}")
    raise typer.Exit(EXIT_DAMAGED)


@store_app.command()
def gc(
    store: Store,
    older_than: Annotated[
        str,
        typer.Option(help="Only files written at least this long ago: 1d, 12h, 30m, 0. A scan "
                     "writes tracks before it names them."),
    ] = "1d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")
    ] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Remove what a store holds for nothing, and say what that freed.

    That is: tracks that no source record names, parts of long tracks whose end was never written,
    and files that a stopped writer had not finished. Files that vscan did not write are left alone.

    Example: `vscan store gc frames --dry-run`
    """
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.store.frames import FrameStore
    from vscan.store.housekeeping import garbage, remove_garbage

    held = FrameStore.open(store)
    collected = garbage(held, older_than_s=seconds(older_than))
    removed = collected.files if dry_run else list(remove_garbage(held, collected))
    if as_json:
        print_json_lines(removed)
    elif removed:
        print_table(
            ("file", "why", "bytes"), [(each.name, each.why, str(each.bytes)) for each in removed]
        )
    if collected.damaged_sources:
        say(
            f"note: {collected.damaged_sources} source records are damaged and may name any track:"
            f" no track is removed; see `vscan store verify {held.root}`"
        )
    if collected.young:
        say(f"note: {collected.young} files are younger than {older_than} and stay")
    size = sum(each.bytes for each in removed)
    what = "would be removed" if dry_run else "removed"
    say(f"{held.root}: {len(removed)} files of {size} bytes {what}")


@store_app.command()
def export(
    store: Store,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the two files.")],
    embedding: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Which embeddings to write, where the store holds those "
                     "of several models or settings: the key that `vscan store stats` shows."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over the files of an earlier export.")
    ] = False,
) -> None:  # fmt: skip
    """Write a store as Parquet, for people who analyse. Needs the extra `eval` (pyarrow).

    `samples.parquet` has a row for each sample of each URI: `uri`, `sha256`, `time_s`, `pdq` (the
    whole frame's hash in hexadecimal), `pdq_quality`, `embedding`. `sources.parquet` has a row for
    each URI: the file, its coverage, its warnings or error. What is damaged is left out and told,
    and the exit code is then 3.

    Example: `vscan store export frames analysis/`
    """
    from vscan.cli.index_output import say
    from vscan.store.frames import FrameStore
    from vscan.store.parquet import export as write

    held = FrameStore.open(store)
    exported = write(held, out, embedding=embedding, force=force)
    for problem in exported.problems:
        say(f"note: left out: {problem.message}")
    say(f"{out}: {exported.samples} samples of {exported.sources} sources")
    if exported.problems:
        raise typer.Exit(EXIT_DAMAGED)
