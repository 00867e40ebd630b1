"""Enforcement figures from verdict files, a decision log, a sample and known answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vscan.decisions.decision import Decision
from vscan.decisions.log import DecisionLog
from vscan.decisions.standing import standing
from vscan.errors import UsageError
from vscan.metrics.enforcement.agreement import agreements, gold_accuracy
from vscan.metrics.enforcement.answers import Answers, Names
from vscan.metrics.enforcement.cases import Case, cases
from vscan.metrics.enforcement.consistency import consistency
from vscan.metrics.enforcement.content import content_groups
from vscan.metrics.enforcement.drift import Drift, drift
from vscan.metrics.enforcement.exposure import exposures
from vscan.metrics.enforcement.grouping import Grouping, Key, Window, in_order
from vscan.metrics.enforcement.picks import Drawn, load_picks
from vscan.metrics.enforcement.report import DecisionsRead, Group, Metrics, VerdictsRead
from vscan.metrics.enforcement.rulings import ruling_groups
from vscan.metrics.enforcement.sampled import NO_SAMPLE, Sampled, sampled
from vscan.metrics.enforcement.seen import Seen, Verdicts, load_verdicts
from vscan.metrics.labelled import LEAST
from vscan.metrics.labels import load_labels
from vscan.metrics.moments import moment
from vscan.provenance import version
from vscan.runs import without_secrets


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """What the figures are made from, and how they are grouped."""

    verdicts: tuple[Path | str, ...]
    """Files, folders of parts, URIs. A later one's line of a video takes an earlier one's place."""
    log: Path | None = None
    labels: Path | None = None
    """Answers to the sample's picks that stand in no log."""
    sample: Path | None = None
    gold: Path | None = None
    """Known answers, for decisions of the kind `gold`."""
    against: tuple[Path | str, ...] = ()
    grouping: Grouping = field(default_factory=Grouping)
    window: Window = field(default_factory=Window)
    least: int = LEAST
    seed: int = 0

    def __post_init__(self) -> None:
        if self.least < 1:
            raise UsageError(f"--least {self.least}: a rate needs 1 case or more")
        if not self.verdicts:
            raise UsageError("no verdict file", remedy="name what `vscan scan -o` wrote")
        if self.gold is not None and self.log is None:
            raise UsageError(
                "--gold has nothing to hold against the known answers",
                remedy="give the decisions too: --log decisions.db",
            )
        if self.sample is not None and self.log is None and self.labels is None:
            raise UsageError(
                "--sample has no answers", remedy="give them: --log decisions.db, or --labels FILE"
            )


def metrics(settings: MetricsSettings) -> Metrics:
    """All figures. Raises UsageError where a file cannot be used."""
    every = load_verdicts(settings.verdicts)
    known = None if settings.gold is None else Answers.of_labels(load_labels(settings.gold))
    decided = _decided(settings)
    window, least = settings.window, settings.least
    told = cases(decided, every, window)
    held = [seen for seen in every if _is_inside(seen, window)]
    drawn = _sampled(settings, decided, every)
    groups = tuple(_groups(held, told, settings))
    return Metrics(
        vscan=version(),
        by=settings.grouping.by,
        period=settings.grouping.period,
        first_day=None if window.first is None else window.first.isoformat(),
        last_day=None if window.last is None else window.last.isoformat(),
        least=least,
        seed=settings.seed,
        verdicts=_verdicts_read(settings, every, held),
        decisions=None if settings.log is None else _decisions_read(settings, decided, told),
        groups=groups,
        sampled=drawn,
        sampled_withheld=None if settings.sample is not None else NO_SAMPLE,
        agreement=agreements(told, least=least, seed=settings.seed),
        gold=() if known is None else gold_accuracy(decided, known, window, least=least),
        reviewers=exposures(decided, every, window),
        consistency=consistency(held, told, least=least, seed=settings.seed),
        drift=_drift(settings, every),
        notes=tuple(_notes(settings, every, held, told, groups, drawn)),
    )


def _decided(settings: MetricsSettings) -> list[Decision]:
    """The decisions up to the last day, in the order of the log."""
    if settings.log is None:
        return []
    with DecisionLog(settings.log) as log:
        return [
            each for each in log.decisions() if not settings.window.is_over(moment(each.decided_at))
        ]


def _is_inside(seen: Seen, window: Window) -> bool:
    return window.is_open or (seen.uploaded_at is not None and window.holds(seen.uploaded_at))


def _groups(seen: list[Seen], told: list[Case], settings: MetricsSettings) -> Iterator[Group]:
    content = content_groups(seen, settings.grouping, least=settings.least)
    rulings = ruling_groups(told, settings.grouping, least=settings.least)
    keys: set[Key] = {*content, *rulings}
    for key in in_order(keys):
        yield Group(
            policy=key.policy,
            market=key.market,
            period=key.period,
            content=content.get(key),
            rulings=rulings.get(key),
        )


def _sampled(
    settings: MetricsSettings, decided: list[Decision], every: Verdicts
) -> tuple[Sampled, ...]:
    if settings.sample is None:
        return ()
    stands = standing(decided).values()
    ruled = {so: Answers.of_decisions(stands, flagged=so) for so in (True, False)}
    labels = None if settings.labels is None else Answers.of_labels(load_labels(settings.labels))

    def answer(pick: Drawn) -> bool | None:
        names = Names(pick.verdict, pick.sha256, pick.uri)
        said = ruled[pick.flagged].find(names, pick.policy)
        return said if said is not None or labels is None else labels.find(names, pick.policy)

    by_market = "market" in settings.grouping.by
    picks = load_picks(settings.sample).completed(every.by_id)
    return tuple(sampled(picks, answer, least=settings.least, by_market=by_market))


def _of_sample(
    settings: MetricsSettings, held: list[Seen], drawn: tuple[Sampled, ...]
) -> Iterator[str]:
    """What to know of estimates that do not speak of what the other figures speak of."""
    judged = sum(not seen.is_error for seen in held)
    for each in drawn:
        if each.market is None and each.population != judged:
            yield (
                f"the sample of {each.policy} was drawn from {each.population} videos, and the"
                f" files hold {judged} that were judged: its estimates are of the former"
            )
        if each.market is None and each.answered < each.sampled:
            yield (
                f"{each.sampled - each.answered} of {each.sampled} picks of {each.policy} have no"
                " answer: the estimates take them to be like the others of their stratum"
            )
    if drawn and not settings.window.is_open:
        yield "estimates from the sample are of all that it was drawn from, whatever its days"


def _drift(settings: MetricsSettings, every: Verdicts) -> Drift | None:
    if not settings.against:
        return None
    return drift(
        load_verdicts(settings.against),
        every,
        against=tuple(without_secrets(str(each)) for each in settings.against),
        least=settings.least,
    )


def _verdicts_read(settings: MetricsSettings, every: Verdicts, held: list[Seen]) -> VerdictsRead:
    return VerdictsRead(
        files=tuple(without_secrets(str(each)) for each in settings.verdicts),
        videos=len(held),
        errors=sum(seen.is_error for seen in held),
        replaced=every.replaced,
        outside=len(every) - len(held),
        packs=tuple(sorted({seen.pack for seen in held})),
    )


def _decisions_read(
    settings: MetricsSettings, decided: list[Decision], told: list[Case]
) -> DecisionsRead:
    inside = [each for each in decided if settings.window.holds(moment(each.decided_at))]
    return DecisionsRead(
        log=without_secrets(str(settings.log)),
        decisions=len(inside),
        gold=sum(each.kind == "gold" for each in inside),
        cases=len(told),
        of_other_verdicts=sum(case.seen is None for case in told),
    )


def _notes(
    settings: MetricsSettings,
    every: Verdicts,
    held: list[Seen],
    told: list[Case],
    groups: tuple[Group, ...],
    drawn: tuple[Sampled, ...],
) -> Iterator[str]:
    if settings.log is None:
        yield "no decision log (--log): what people ruled on the verdicts is not known"
    foreign = sum(case.seen is None for case in told)
    if foreign:
        yield (
            f"{foreign} cases are of verdicts that are in none of the files: give the files that"
            " they were made on as well"
        )
    for name, count in sorted(every.unread.items()):
        yield f"{count} videos have a {name} in source.meta that cannot be read: taken as not given"
    if every.replaced:
        yield f"{every.replaced} verdicts are replaced by a later file: decisions on them count"
    if settings.sample is None and settings.labels is not None:
        yield "--labels answers picks, and there are none: give them with --sample"
    yield from _of_sample(settings, held, drawn)
    yield from small_groups(groups, settings.least)


def small_groups(groups: Iterable[Group], least: int) -> Iterator[str]:
    """What to do about small groups before the figures are passed on.

    A single small market follows from the total and the other markets: where its counts must not be
    known a second one has to go too (complementary suppression).
    """
    sums: dict[tuple[str | None, str | None], list[bool]] = {}
    small = 0
    for group in groups:
        if group.rulings is not None:
            withheld = group.rulings.precision.of < least
            small += withheld
            if group.market is not None:
                sums.setdefault((group.policy, group.period), []).append(withheld)
    lone = sum(sum(each) == 1 < len(each) for each in sums.values())
    if small:
        told = f", and of {lone} totals a second market too, for a lone one follows from it"
        yield (
            f"{small} groups have fewer than {least} decided cases: they have no rates, for these"
            " would tell nothing, but their counts stand. Before such counts are passed on to"
            f" people who must not know them, take these rows out{told if lone else ''}"
        )
