"""`vscan index`: make exemplar indexes, fill them, look into them, search them."""

from __future__ import annotations

import getpass
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

index_app = typer.Typer(
    name="index",
    help="""Make, fill and search exemplar indexes: folders of known videos.

    An index holds fingerprints of known clips, not the clips: a PDQ hash and, with a model, an
    embedding of four frames a second. `vscan scan --index DIR` then finds where a clip, or a part
    of it, comes back, and says when on both sides. Violating exemplars raise a finding, benign
    ones (known to look like a violation and to be none) set one aside.

    First steps:

    `vscan index create known --model builtin`

    `vscan index add known clips/ --under weapons.firearms --note "case 17"`

    `vscan index search known upload.mp4`
    """,
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the index.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]
Videos = Annotated[
    list[str],
    typer.Argument(
        metavar="PATHS…", help="Videos, folders (searched in depth) or globs; - reads names from "
        "stdin.",
    ),
]  # fmt: skip
Weights = Annotated[
    str | None,
    typer.Option(help="Local .safetensors file with the weights of the index's model."),
]
Device = Annotated[str, typer.Option(help="Where the model runs: auto, cpu, cuda, cuda:N or mps.")]
Workers = Annotated[
    int | None, typer.Option(help="Videos read at the same time. Default: one per core.")
]
Timeout = Annotated[
    float | None,
    typer.Option(help="Seconds a video may keep its reader busy before it is given up."),
]


@index_app.command()
def create(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; new or empty.")],
    name: Annotated[
        str | None,
        typer.Option(help="Name by which policy packs and verdicts know the index. Default: the "
                     "folder's."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model whose embeddings it holds (`vscan models list`), or an open_clip "
                     "architecture with --weights. Default: that of `vscan scan`."),
    ] = None,
    weights: Weights = None,
    no_embedding: Annotated[
        bool,
        typer.Option("--no-embedding", help="Hold PDQ hashes alone: needs no model, finds copies "
                     "that keep the frame."),
    ] = False,
    match_similarity: Annotated[
        float | None,
        typer.Option(help="Cosine within 0..1 from which two embeddings count as the same frame. "
                     "Default: what suits the model."),
    ] = None,
    device: Device = "auto",
) -> None:  # fmt: skip
    """Make an empty index.

    The model is recorded, and only its embeddings can be added or searched: vectors of different
    models cannot be compared.

    Examples: `vscan index create known`; `vscan index create hashes --no-embedding`
    """
    from vscan.cli.index_output import say
    from vscan.errors import UsageError
    from vscan.indexing import new_index
    from vscan.scanning import ScanSettings

    if no_embedding and (model is not None or match_similarity is not None):
        raise UsageError(
            "--no-embedding makes an index without a model",
            remedy="leave out --model and --match-similarity, or --no-embedding",
        )
    if match_similarity is not None and not 0 < match_similarity < 1:
        raise UsageError(f"--match-similarity must be within 0..1, not {match_similarity}")
    signals = ("pdq",) if no_embedding else None
    settings = ScanSettings(model=model, weights=weights, device=device, signals=signals)
    made = new_index(folder, name=name, match_similarity=match_similarity, settings=settings)
    holds = "PDQ" if made.model is None else f"PDQ and embeddings of {made.model.name}"
    say(f"made the index {made.name!r} in {folder}; it will hold {holds}")
    say(f"add exemplars: vscan index add {folder} PATHS… --under POLICY")


@index_app.command()
def add(
    folder: Folder,
    paths: Videos,
    under: Annotated[
        str,
        typer.Option("--under", metavar="POLICY", help="Policy they are examples of, as "
                     "weapons.firearms."),
    ],
    opinion: Annotated[
        Literal["violating", "benign"],
        typer.Option(help="What they are: violating, or benign to keep findings like them away."),
    ] = "violating",
    note: Annotated[str, typer.Option(help="Where they are from, or why; kept with each.")] = "",
    by: Annotated[
        str | None, typer.Option(help="Who adds them. Default: the user's login name.")
    ] = None,
    as_json: Json = False,
    weights: Weights = None,
    device: Device = "auto",
    workers: Workers = None,
    timeout: Timeout = None,
) -> None:  # fmt: skip
    """Add videos as exemplars; every input is reported.

    Content that the index holds already is reported and not added twice. A video that cannot be
    read is reported and costs the others nothing; the exit code is then 3. What is reported as
    added is on disk, whatever happens next.

    Example: `vscan index add known clips/ --under weapons.firearms --note "case 17"`
    """
    from vscan.cli.index_output import added_object, finish, found, say, with_progress
    from vscan.cli.tables import print_json_lines, print_line, safe
    from vscan.indexing import Label, add_exemplars
    from vscan.scanning import ScanSettings
    from vscan.sources import SourceFinder

    label = Label(
        policy=policy_id(under),
        opinion=opinion,
        note=note,
        added_by=login_name() if by is None else by,
    )
    settings = ScanSettings(weights=weights, device=device, workers=workers, timeout_s=timeout)
    finder, counts = SourceFinder(), Counter[str]()
    sources = found(finder, paths)
    with closing(add_exemplars(folder, sources, label, settings=settings)) as results:
        for added in with_progress(results, sources, "add"):
            counts[added.status] += 1
            if as_json:
                print_json_lines([added_object(added)])
            elif added.error is not None:
                say(f"error: {safe(added.uri)}: {added.error.code}: {added.error.message}")
            elif added.exemplar is not None:
                also = "" if added.status == "added" else f" (under {added.exemplar.policy})"
                print_line(f"{added.status} {added.exemplar.id} {added.uri}{also}")
    finish(counts, finder, ("added", "present", "error"))


@index_app.command("list")
def list_exemplars(folder: Folder, as_json: Json = False) -> None:
    """List the exemplars of an index.

    Example: `vscan index list known --json | jq .source`
    """
    from vscan.cli.index_output import LIST_COLUMNS, exemplar_object, list_row, say
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.exemplars.index import ExemplarIndex

    index = ExemplarIndex.open(folder)
    if as_json:
        print_json_lines(exemplar_object(exemplar) for exemplar in index.exemplars)
        return
    print_table(LIST_COLUMNS, (list_row(exemplar) for exemplar in index.exemplars))
    model = index.manifest.model
    made = "no embeddings" if model is None else f"embeddings of {model.name}"
    count = len(index.exemplars)
    say(f"{count} exemplar{'' if count == 1 else 's'} in {index.name!r}; {made}")


@index_app.command()
def show(
    folder: Folder,
    exemplar: Annotated[str, typer.Argument(metavar="ID", help="As `vscan index list` has it.")],
    as_json: Json = False,
) -> None:
    """Show all that is known of one exemplar.

    Example: `vscan index show known ex_0f9k2m…`
    """
    from vscan.cli.index_output import exemplar_object
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.exemplars.index import ExemplarIndex

    found = ExemplarIndex.open(folder).exemplar(exemplar)
    if as_json:
        print_json_lines([exemplar_object(found)])
        return
    tracks = [
        (f"{signal} samples", f"{track.rows} ({', '.join(map(': '.join, track.spec.items()))})")
        for signal, track in sorted(found.tracks.items())
    ]
    fields = {key: value for key, value in exemplar_object(found).items() if key != "tracks"}
    known = [(key, str(value)) for key, value in fields.items() if value not in (None, "")]
    print_table(("key", "value"), [*known, *tracks])


@index_app.command()
def search(
    folder: Folder,
    videos: Videos,
    as_json: Json = False,
    sampling: Annotated[
        str,
        typer.Option(help="Which frames of the videos are looked at: fps:N, every:N or keyframes."),
    ] = "fps:1",
    weights: Weights = None,
    device: Device = "auto",
    workers: Workers = None,
    timeout: Timeout = None,
) -> None:
    """Find where exemplars of an index come back in videos, with the time on both sides.

    One row, or JSON object, for each match: `when` in the video, `there` in the exemplar. A video
    that cannot be read is reported, and the exit code is then 3.

    Example: `vscan index search known upload.mp4`
    """
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
    from vscan.indexing import search_index
    from vscan.scanning import ScanSettings
    from vscan.sources import SourceFinder

    settings = ScanSettings(
        sampling=sampling, weights=weights, device=device, workers=workers, timeout_s=timeout
    )
    finder, counts = SourceFinder(), Counter[str]()
    sources = found(finder, videos)
    rows: list[tuple[str, ...]] = []
    with closing(search_index(folder, sources, settings=settings)) as results:
        for searched in with_progress(results, sources, "search"):
            counts[outcome(searched)] += 1
            if as_json:
                print_json_lines(search_objects(searched))
            elif searched.error is not None:
                say(f"error: {safe(searched.uri)}: {searched.error.message}")
            rows += [search_row(searched.uri, match) for match in searched.matches]
    if not as_json:
        print_table(SEARCH_COLUMNS, sorted(rows, key=lambda row: row[0]))
    finish(counts, finder, ("matched", "without a match", "error"))


def policy_id(text: str) -> str:
    """`text` if it can be the id of a policy. Raises UsageError."""
    import re

    from vscan.errors import UsageError

    if not re.fullmatch(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)*", text):
        raise UsageError(
            f"--under {text!r} is not the id of a policy",
            remedy="write it as in the pack, in lower case with dots: weapons.firearms"
            " (`vscan policy show baseline` lists those of a pack)",
        )
    return text


def login_name() -> str:
    """Who is at the keyboard, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
