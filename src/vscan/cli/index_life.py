"""`vscan index remove`, `update`, `confirm`, `deconfirm` and `merge`: what changes in an index."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vscan.cli.index import Folder, Json, Severity, policy_id

if TYPE_CHECKING:
    from vscan.exemplars.exemplar import Exemplar

Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="As `vscan index list` has it, or ex_ and at least 6 characters of it."
    ),
]
Count = Annotated[int, typer.Option(help="How many matches.", min=1)]


def remove(
    folder: Folder,
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID…",
            help="As `vscan index list` has them, or ex_ and at least 6 characters of each.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove exemplars for good, with all that is stored of them.

    All that are named go in one step, or, where one of them is not there, none. To keep one without
    its matches, use `vscan index update DIR ID --disable`.

    Example: `vscan index remove known ex_0f9k2m --dry-run`
    """
    from vscan.cli.index_output import exemplar_object, say
    from vscan.cli.tables import print_json_lines, print_line
    from vscan.curation import remove_exemplars

    removed = remove_exemplars(folder, ids, dry_run=dry_run)
    word = "would remove" if dry_run else "removed"
    if as_json:
        print_json_lines(exemplar_object(each) for each in removed)
    else:
        for each in removed:
            print_line(f"{word} {each.id} {each.source} (under {each.policy})")
    say(f"{word} {len(removed)} exemplar{'' if len(removed) == 1 else 's'}")


def update(
    folder: Folder,
    exemplar: Id,
    enable: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Whether it may match; disabled ones are kept."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="When it matches no more: 2026-12-31 or "
                     "2026-12-31T18:00 (UTC), or never."),
    ] = None,
    note: Annotated[str | None, typer.Option(help="Where it is from, or why.")] = None,
    severity: Annotated[
        Severity | None, typer.Option(help="How grave it is, where the pack does not say it.")
    ] = None,
    under: Annotated[
        str | None,
        typer.Option("--under", metavar="POLICY", help="Policy that it is an example of."),
    ] = None,
    opinion: Annotated[
        Literal["violating", "benign"] | None,
        typer.Option(help="What it is: violating, or benign to keep findings like it away."),
    ] = None,
    release: Annotated[
        bool,
        typer.Option("--release", help="End its quarantine: a scan has set it aside because it "
                     "matched too many of its videos."),
    ] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Change what is said of an exemplar; what was measured of it stays.

    Whatever decides its matches changes the index's digest, so that `vscan scan -o` judges anew.

    Examples: `vscan index update known ex_0f9k2m --disable`;
    `vscan index update known ex_0f9k2m --expires 2027-01-01 --note "until the appeal"`
    """
    from vscan.cli.dates import expiry
    from vscan.cli.index_output import exemplar_object, say
    from vscan.cli.tables import print_json_lines, print_line
    from vscan.curation import update_exemplar
    from vscan.errors import UsageError

    said: dict[str, Any] = {
        "enabled": enable,
        "note": note,
        "severity": severity,
        "policy": None if under is None else policy_id(under),
        "opinion": opinion,
    }
    changes = {field: value for field, value in said.items() if value is not None}
    if expires is not None:
        changes["expires_at"] = expiry(expires)
    if release:
        changes["quarantined"] = None
    if not changes:
        raise UsageError(
            "nothing to change", remedy="say what: see `vscan index update --help` for the options"
        )
    before, after = update_exemplar(folder, exemplar, changes)
    if as_json:
        print_json_lines([exemplar_object(after)])
        return
    for line in differences(before, after):
        print_line(f"{after.id} {line}")
    if before == after:
        say(f"{after.id} was so already")


def confirm(folder: Folder, exemplar: Id, count: Count = 1, as_json: Json = False) -> None:
    """Say that matches with an exemplar were right: a person has looked.

    `vscan index list` and `show` tell how often that was so.

    Example: `vscan index confirm known ex_0f9k2m`
    """
    _count(folder, exemplar, as_json, confirmed=count)


def deconfirm(folder: Folder, exemplar: Id, count: Count = 1, as_json: Json = False) -> None:
    """Say that matches with an exemplar were wrong: a person has looked.

    `vscan index list` has a note on an exemplar that was wrong three times or more, and more often
    wrong than right.

    Example: `vscan index deconfirm known ex_0f9k2m --count 3`
    """
    _count(folder, exemplar, as_json, deconfirmed=count)


def merge(
    folder: Folder,
    others: Annotated[
        list[str],
        typer.Argument(metavar="OTHER…", help="Indexes to take from: folders, or URIs."),
    ],
    as_json: Json = False,
) -> None:
    """Take over the exemplars and records of other indexes.

    They must hold the same signals, embeddings of the same model. Content that is here already
    stays as it is here; where the other index has it under another policy or opinion, that is said.
    A merge that was cut off is ended by doing it again.

    Example: `vscan index merge known partner-a partner-b`
    """
    from vscan.cli.index_output import exemplar_object, say
    from vscan.cli.tables import print_json_lines, print_line
    from vscan.exemplars.merging import merge as take_over

    for other in others:
        merged = take_over(folder, other)
        if as_json:
            print_json_lines(exemplar_object(each) for each in merged.added)
        else:
            for each in merged.added:
                print_line(f"added {each.id} {each.source} (under {each.policy})")
        for ours, theirs in merged.disputed:
            say(
                f"note: {ours.id} stays {ours.opinion} under {ours.policy}; in {other} it is"
                f" {theirs.opinion} under {theirs.policy}"
            )
        records = f", {merged.records} records of lists" if merged.records else ""
        say(f"{other}: {len(merged.added)} added, {len(merged.kept)} there already{records}")


def differences(before: Exemplar, after: Exemplar) -> list[str]:
    """What was changed, a line each: `enabled: True -> False`."""
    old, new = asdict(before), asdict(after)
    return [f"{key}: {_told(old[key])} -> {_told(new[key])}" for key in old if old[key] != new[key]]


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in (None, "") else str(value)


def _count(
    folder: Folder, exemplar: str, as_json: bool, *, confirmed: int = 0, deconfirmed: int = 0
) -> None:
    from vscan.cli.index_output import exemplar_object, judged
    from vscan.cli.tables import print_json_lines, print_line
    from vscan.curation import count_opinion

    counted = count_opinion(folder, exemplar, confirmed=confirmed, deconfirmed=deconfirmed)
    if as_json:
        print_json_lines([exemplar_object(counted)])
    else:
        print_line(f"{counted.id} {judged(counted)}")
