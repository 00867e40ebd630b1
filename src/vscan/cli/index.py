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

    An index holds fingerprints of known clips, not the clips: PDQ hashes and, with a model, an
    embedding of four frames a second, and keypoints of two. `vscan scan --index DIR` then finds
    where a clip, or a part of it, comes back, and says when on both sides. Violating exemplars
    raise a finding, benign ones (known to look like a violation and to be none) set one aside.

    Exemplars have a life: they expire (`add --expires`), are changed, switched off and removed
    (`update`, `remove`), and what people say of their matches is counted (`confirm`, `deconfirm`).

    First steps:

    `vscan index create known --model builtin`

    `vscan index add known clips/ --under weapons.firearms --note "case 17"`

    `vscan index search known upload.mp4`
    """,
    no_args_is_help=True,
)

SIGNALS = ("embedding", "pdq", "keypoints")
Severity = Literal["low", "medium", "high", "critical"]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the index.")]
Place = Annotated[
    str,
    typer.Argument(metavar="DIR|URI", help="Folder of the index, or a URI as s3://bucket/known."),
]
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
    signals: Annotated[
        str | None,
        typer.Option(help="What it holds, with commas: pdq, keypoints, embedding. Default: all "
                     "three."),
    ] = None,
    no_embedding: Annotated[
        bool,
        typer.Option("--no-embedding", help="Hold no embeddings: needs no model."),
    ] = False,
    no_keypoints: Annotated[
        bool,
        typer.Option("--no-keypoints", help="Hold no keypoints: they find crops, overlays and "
                     "pictures in pictures, and take 18 KB for each second of an exemplar where "
                     "PDQ takes 2."),
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

    Examples: `vscan index create known`; `vscan index create hashes --no-embedding`;
    `vscan index create small --signals pdq`
    """
    from vscan.cli.index_output import holdings, say
    from vscan.errors import UsageError
    from vscan.indexing import new_index
    from vscan.settings import ScanSettings

    held = _chosen(signals, embedding=not no_embedding, keypoints=not no_keypoints)
    if "embedding" not in held and (model is not None or match_similarity is not None):
        raise UsageError(
            "an index without embeddings has no model",
            remedy="leave out --model and --match-similarity, or let it hold embeddings",
        )
    if match_similarity is not None and not 0 < match_similarity < 1:
        raise UsageError(f"--match-similarity must be within 0..1, not {match_similarity}")
    settings = ScanSettings(model=model, weights=weights, device=device, signals=held)
    made = new_index(folder, name=name, match_similarity=match_similarity, settings=settings)
    say(f"made the index {made.name!r} in {folder}; it will hold {holdings(made)}")
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
    severity: Annotated[
        Severity | None,
        typer.Option(help="How grave they are, where the pack does not say it: for policies that "
                     "it has not."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="When they match no more: 2026-12-31 or "
                     "2026-12-31T18:00, UTC. Default: never."),
    ] = None,
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
    from vscan.cli.dates import expiry
    from vscan.cli.index_output import added_object, finish, found, say, with_progress
    from vscan.cli.tables import print_json_lines, print_line, safe
    from vscan.exemplars.writer import utc_now
    from vscan.indexing import Label, add_exemplars
    from vscan.settings import ScanSettings
    from vscan.sources import SourceFinder

    label = Label(
        policy=policy_id(under),
        opinion=opinion,
        severity=severity,
        expires_at=None if expires is None else expiry(expires, not_before=utc_now()),
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


def _chosen(signals: str | None, *, embedding: bool, keypoints: bool) -> tuple[str, ...]:
    """The signals that the options of `create` name."""
    from vscan.errors import UsageError

    if signals is None:
        left_out = {"embedding": not embedding, "keypoints": not keypoints}
        return tuple(each for each in SIGNALS if not left_out.get(each, False))
    if not (embedding and keypoints):
        raise UsageError(
            "--signals says what the index holds, and --no-… what it does not",
            remedy="give --signals alone",
        )
    return signal_names(signals)


def signal_names(text: str) -> tuple[str, ...]:
    """The signals of a list with commas. Raises UsageError where there are none."""
    from vscan.errors import UsageError

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise UsageError("--signals names none", remedy=f"signals: {', '.join(SIGNALS)}")
    return names


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
