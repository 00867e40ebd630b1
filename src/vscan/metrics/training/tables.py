"""Reviewer training as tables of words and figures, the same on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterator

from vscan.metrics.backtest.tables import ALL, Table, percent
from vscan.metrics.figures import Figure
from vscan.metrics.labelled import LEAST
from vscan.metrics.training.records import TrainingManifest
from vscan.metrics.training.score_records import (
    Confusion,
    PolicyScore,
    TraineeScore,
    TrainingScore,
)


def exposure_table(manifest: TrainingManifest) -> Table:
    """What working through a pack asks of a trainee."""
    rows = tuple(
        (
            each.severity or ALL,
            str(each.cases),
            f"{each.footage_s:.1f} s",
            f"{each.longest_s:.1f} s",
        )
        for each in manifest.exposure
    )
    return Table(
        "Exposure",
        ("severity", "cases", "flagged footage", "longest case"),
        rows,
        "cases of severity high or critical that follow each other, at most:"
        f" {manifest.most_graver_in_a_row}; what a player shows around a segment comes on top",
    )


def contents_table(manifest: TrainingManifest) -> Table:
    """What is in a pack, for the trainer."""
    asked = manifest.answers.keys()
    rows = [(f"answer {name}", str(manifest.answers[name])) for name in asked]
    rows += [(f"policy {name}", str(count)) for name, count in manifest.policies.items()]
    rows += [(f"settled by {name}", str(count)) for name, count in manifest.firmness.items()]
    rows.append(("first looks had differed", str(manifest.disputed)))
    return Table("Cases", ("", "cases"), tuple(rows))


def not_used_table(manifest: TrainingManifest) -> Table:
    """What is not in a pack, and why."""
    rows = [(why, str(count)) for why, count in manifest.left_out.items()]
    rows += [(why, str(count)) for why, count in manifest.passed_over.items()]
    return Table("Not in the pack", ("cases with a standing ruling", "cases"), tuple(rows))


def trainees_table(score: TrainingScore) -> Table:
    """One row for each trainee."""
    rows = tuple(
        (each.reviewer, outcome(each), f"{each.answered} of {each.cases}", rate(each.agreement),
         coefficient(each.kappa), rate(each.escalated), rate(each.reasons), _viewed(each))
        for each in score.trainees
    )  # fmt: skip
    return Table(
        f"Trainees, against an agreement of {percent(score.pass_at)}",
        ("trainee", "result", "answered", "agreement", "kappa", "escalated", "same reason",
         "seconds viewed"),
        rows,
        "95 % intervals: Wilson's for shares, that of Fleiss, Cohen and Everitt for kappa;"
        " passed or failed only where the interval lies on one side, unanswered cases counted"
        f" against either; no figure on fewer than {LEAST} cases",
    )  # fmt: skip


def policies_table(trainee: TraineeScore) -> Table:
    """How a trainee answered under each policy."""
    rows = tuple(row for each in trainee.policies for row in _policy_rows(each))
    return Table(
        f"{trainee.reviewer}: answers by policy",
        ("policy", "answer", "cases", "called violating", "called benign", "escalated",
         "unanswered", "right"),
        rows,
        "right: of the violating ones the sensitivity, of the benign ones the specificity; what"
        " was escalated is not right",
    )  # fmt: skip


def _policy_rows(each: PolicyScore) -> Iterator[tuple[str, ...]]:
    told: tuple[tuple[str, Confusion, Figure], ...] = (
        ("violating", each.violating, each.sensitivity),
        ("benign", each.benign, each.specificity),
    )
    for name, cells, right in told:
        if cells.cases:
            counts = (
                cells.cases, cells.upheld, cells.overturned, cells.escalated, cells.unanswered,
            )  # fmt: skip
            yield each.policy or ALL, name, *map(str, counts), rate(right)


def hard_table(score: TrainingScore) -> Table:
    """What most trainees answer otherwise than the answers."""
    rows = tuple(
        (str(each.number), each.uri, each.policy, each.severity, each.ruling, each.firmness,
         f"{each.wrong} of {each.answered}", str(each.escalated), each.why or "-")
        for each in score.hard
    )  # fmt: skip
    return Table(
        "Cases that most get wrong",
        ("case", "source", "policy", "severity", "answer", "settled by", "wrong", "escalated",
         "why"),
        rows,
        "look at the policy's text and at the answer first, then at the trainees",
    )  # fmt: skip


def remarks(score: TrainingScore) -> Iterator[str]:
    """What else is to be known of the figures."""
    if score.between is not None:
        told = "" if score.between.share is None else f" ({percent(score.between.share)})"
        yield (
            f"trainees agree with each other in {score.between.agreeing} of {score.between.pairs}"
            f" pairs of answers{told}; Krippendorff's alpha {coefficient(score.between.alpha)}"
        )
    for each in score.trainees:
        if each.wrong:
            yield f"{each.reviewer}: not as answered: cases {', '.join(map(str, each.wrong))}"
        if each.known:
            yield f"{each.reviewer}: cases left out, which {each.reviewer} knew: {each.known}"
        for why, count in each.ignored.items():
            yield f"{each.reviewer}: decisions ignored, {why}: {count}"
    yield from score.notes


def outcome(each: TraineeScore) -> str:
    """The result, and what is missing where there is none."""
    if each.outcome != "undecided":
        return each.outcome
    if each.unanswered:
        return f"undecided: {each.unanswered} unanswered"
    if each.more_cases is None:
        return "undecided: exactly at the threshold"
    return f"undecided: about {each.more_cases} more cases"


def rate(figure: Figure) -> str:
    """A share with its interval, or what is too few for one."""
    if figure.value is None or figure.low is None or figure.high is None:
        return f"- ({figure.part or 0} of {figure.of})"
    return f"{percent(figure.value)} [{percent(figure.low)}, {percent(figure.high)}]"


def coefficient(figure: Figure) -> str:
    """Kappa with its interval."""
    if figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


def _viewed(each: TraineeScore) -> str:
    if each.viewed.median_s is None:
        return "not measured"
    return f"{each.viewed.total_s:.0f} s, median {each.viewed.median_s:.1f} s"
