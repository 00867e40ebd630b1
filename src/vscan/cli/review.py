"""`vscan review decide` and `list`: a ruling put into the log, and what the log holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from vscan.decisions.decision import Decision

review_app = typer.Typer(
    name="review",
    help="""Rule on verdicts, and keep the rulings in a log that only grows.

    A log is one SQLite file. Its rows are chained by their hashes, so that a decision which was
    changed or removed later is found by `vscan review verify`.
    """,
    no_args_is_help=True,
)
Log = Annotated[Path, typer.Argument(metavar="LOG", help="The decision log, as `decisions.db`.")]
COLUMNS = (
    "decided", "id", "kind", "about", "verdict", "policy", "ruling", "reason", "reviewer", "market",
    "source", "note",
)  # fmt: skip


@review_app.command()
def decide(
    log: Annotated[
        Path,
        typer.Argument(metavar="LOG", help="The decision log; it is made where there is none."),
    ],
    verdicts: Annotated[
        Path,
        typer.Argument(metavar="VERDICTS", help="The verdict file that holds the verdict, as "
                       "`vscan scan -o` writes it; - for stdin."),
    ],
    ruling: Annotated[
        str, typer.Option(help="What is ruled on the verdict: uphold, overturn or escalate.")
    ],
    reviewer: Annotated[str, typer.Option(help="Who rules: a name or a number.")],
    verdict: Annotated[
        str | None, typer.Option(metavar="ID", help="The verdict, by its id.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="URI", help="The verdict, by its video: its name, or a part of it "
                     "that fits no other."),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help="The policy that is ruled on. Default: the whole verdict."),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(help="Why it is overturned or escalated: false_positive, wrong_policy, "
                     "missed_segment or technical."),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="Which look this is: first, second, adjudication, appeal or gold.")
    ] = "first",
    about: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The decision that a second review, adjudication or appeal "
                     "follows."),
    ] = None,
    market: Annotated[
        str | None,
        typer.Option(help="The market that is decided for. Default: `market` of the input list."),
    ] = None,
    seconds_viewed: Annotated[
        float | None, typer.Option(help="How long the material was looked at, seconds.")
    ] = None,
    note: Annotated[str, typer.Option(help="What else is to be said of it.")] = "",
) -> None:  # fmt: skip
    """Rule on a verdict: append a decision to the log.

    It takes the source, its SHA-256 and the flagged segments from the verdict's line. When this
    ends with 0 the decision is on the disk; its id is printed. A decision is taken back by another
    one of the same kind: the later counts.

    Example: `vscan review decide decisions.db verdicts.jsonl --source knife.mp4 --policy weapons
    --ruling uphold --reviewer ana`
    """
    from datetime import UTC, datetime

    from vscan.cli.index_output import say
    from vscan.cli.tables import print_line
    from vscan.decisions.deciding import decide as decided
    from vscan.decisions.log import DecisionLog

    made = decided(
        _record(verdicts, verdict, source),
        ruling=ruling,
        reviewer=reviewer,
        at=datetime.now(UTC),
        policy=policy,
        reason=reason,
        kind=kind,
        about=about,
        market=market,
        seconds_viewed=seconds_viewed,
        note=note,
    )
    # What follows another decision cannot be the first of a log.
    with DecisionLog(log, create=made.about is None) as held:
        head = held.append(made)
    print_line(made.id)
    say(f"{made.ruling} on {made.uri} is in {log}; the head is now {head}")


def _record(verdicts: Path, verdict: str | None, source: str | None) -> dict[str, Any]:
    from vscan.errors import UsageError
    from vscan.names import record_uri
    from vscan.store.browse import find_record, load_records

    if (verdict is None) == (source is None):
        raise UsageError("which verdict?", remedy="give one of --verdict and --source")
    records = load_records(verdicts)
    if source is not None:
        return find_record(records, record_uri(source))
    for record in records:
        if record["id"] == verdict:
            return record
    raise UsageError(
        f"no verdict {verdict} among {len(records)} in {verdicts}",
        remedy="`vscan show --json` shows the ids; the last line of a source counts",
    )


@review_app.command("list")
def list_decisions(
    log: Log,
    verdict: Annotated[
        str | None, typer.Option(metavar="ID", help="Only decisions on the verdict of that id.")
    ] = None,
    standing: Annotated[
        bool,
        typer.Option("--standing", help="Only the ruling that stands of each verdict and policy."),
    ] = False,
    disagreements: Annotated[
        bool,
        typer.Option("--disagreements", help="Only first and second reviews that differ, where "
                     "nothing has settled it."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line instead of a table.")
    ] = False,
) -> None:  # fmt: skip
    """List the decisions of a log in the order in which they came.

    With --standing one for each verdict and policy: an appeal that was decided beats an
    adjudication, that a second review, that the first; gold items are left out.

    Example: `vscan review list decisions.db --standing --json`
    """
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.decisions.log import DecisionLog
    from vscan.decisions.standing import disagreements as disagreeing
    from vscan.decisions.standing import standing as standing_of
    from vscan.errors import UsageError

    if standing and disagreements:
        raise UsageError("--standing and --disagreements exclude each other", remedy="give one")
    with DecisionLog(log) as held:
        shown: Iterable[Decision]
        shown = held.decisions() if verdict is None else held.of_verdict(verdict)
        if standing:
            shown = standing_of(shown).values()
        elif disagreements:
            shown = [each for pair in disagreeing(shown) for each in pair]
        if as_json:
            print_json_lines(each.as_dict() for each in shown)
        else:
            print_table(COLUMNS, map(_row, shown))


def _row(one: Decision) -> tuple[str, ...]:
    return (
        one.decided_at, one.id, one.kind, one.about or "-", one.verdict, one.policy or "-",
        one.ruling, one.reason or "-", one.reviewer, one.market or "-", one.uri, one.note,
    )  # fmt: skip
