"""How `vscan verdicts diff` shows what it found: tables for people, JSON lines for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vscan.cli.tables import print_json_lines, print_line, print_table
from vscan.reports.words import clock, short

if TYPE_CHECKING:
    from vscan.store.comparing import Totals
    from vscan.store.differences import Difference, Span

SCHEMA = "vscan.verdict-diff/1"


def first(changes: Iterable[Difference], limit: int) -> list[Difference]:
    """At most `limit` of the changes: first those whose outcome flipped, sources that only one
    file knows last. Draws all."""
    flipped: list[Difference] = []
    others: list[Difference] = []
    alone: list[Difference] = []
    for change in changes:
        kept = flipped if "outcome" in change.kinds else others
        if change.only_in is not None:
            kept = alone
        if len(kept) < limit:
            kept.append(change)
    return [*flipped, *others, *alone][:limit]


def print_tables(shown: list[Difference], totals: Totals) -> None:
    """How many videos changed in which way, how the files were made, and the changes themselves."""
    counted = [(kind, "", "", str(count)) for kind, count in sorted(totals.kinds.items())]
    counted += [("flip", was, now, str(n)) for (was, now), n in sorted(totals.flips.items())]
    counted += [
        (f"made with another {name}", _cut(was), _cut(now), str(count))
        for (name, was, now), count in sorted(totals.provenance.items(), key=str)
    ]
    if counted:
        print_table(("what", "before", "after", "videos"), counted)
    if shown:
        print_line()
        print_table(
            ("source", "change", "before", "after"), (row for each in shown for row in rows(each))
        )
    if totals.changed > len(shown):
        print_line(f"and {totals.changed - len(shown)} more videos (--json shows all)")


def rows(change: Difference) -> Iterator[tuple[str, str, str, str]]:
    """The table's rows of one source; its name stands once."""
    name = change.uri
    for row in _changes(change):
        yield (name, *row)
        name = ""


def _changes(change: Difference) -> Iterator[tuple[str, str, str]]:
    was, now = change.outcome
    if change.only_in is not None:
        yield f"only in {change.only_in.upper()}", was or "-", now or "-"
        return
    if was != now:
        yield "outcome", was or "-", now or "-"
    if change.content is not None:
        older_file, newer_file = (f"sha256:{each or ''}" for each in change.content)
        yield "content", _cut(older_file), _cut(newer_file)
    for policy, score in change.gained.items():
        yield f"finding {policy}", "-", f"{score:.4f}"
    for policy, score in change.lost.items():
        yield f"finding {policy}", f"{score:.4f}", "-"
    for policy, (older, newer) in change.scores.items():
        yield f"score of {policy}", f"{older:.4f}", f"{newer:.4f}"
    for segment in change.segments:
        yield f"segment of {segment.policy}", _span(segment.before), _span(segment.after)
    if change.details:
        yield f"also: {', '.join(change.details)}", "", ""


def print_objects(changes: Iterable[Difference], totals: Totals) -> None:
    """One object for each change as it is found, and one that sums them up."""
    for change in changes:
        print_json_lines([_object(change)])
    print_json_lines(
        [
            {
                "schema": SCHEMA,
                "kind": "summary",
                "sources": totals.sources,
                "changed": totals.changed,
                "by_kind": dict(sorted(totals.kinds.items())),
                "flips": [
                    {"before": was, "after": now, "videos": count}
                    for (was, now), count in sorted(totals.flips.items())
                ],
                "provenance": [
                    {"name": name, "before": was, "after": now, "videos": count}
                    for (name, was, now), count in sorted(totals.provenance.items(), key=str)
                ],
            }
        ]
    )


def _object(change: Difference) -> dict[str, Any]:
    told = {key: value for key, value in asdict(change).items() if value not in (None, {}, ())}
    return {"schema": SCHEMA, "kind": "video", "changes": change.kinds, **told}


def _span(span: Span | None) -> str:
    return "-" if span is None else f"{clock(span[0])}–{clock(span[1])}"


def _cut(reference: str | None) -> str:
    return "-" if reference is None else short(reference)
