"""What to label next: candidates from a store or from verdict files, picked by a strategy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from vscan.decisions.log import DecisionLog
from vscan.errors import UsageError
from vscan.metrics.labels import load_labels
from vscan.metrics.picking.answered import Answered
from vscan.metrics.picking.candidates import (
    Candidate,
    judged_records,
    of_record,
    of_video,
    policies_in,
    whole_video,
)
from vscan.metrics.picking.growing import PERIOD_DAYS, SIMILARITY, Growing
from vscan.metrics.picking.purposive import Disputed, Limit, Nearest
from vscan.metrics.picking.record import Pick, Strategy
from vscan.metrics.picking.strata import Stratified
from vscan.metrics.scored import Scoring, mildest, prepare_scoring
from vscan.policies import Action, PolicyPack, load_pack
from vscan.rescanning import models_of
from vscan.settings import ScanSettings


@dataclass(frozen=True, kw_only=True)
class PickSettings:
    """What picking is told beside what judging is told (ScanSettings)."""

    number: int
    strategy: Strategy = "stratified"
    policy: str | None = None
    """Pick for that policy alone."""
    log: Path | None = None
    """A decision log: what is decided, and where reviewers disagree."""
    labels: Path | None = None
    seed: int = 0
    by_market: bool = False
    against: str | None = None
    """Another pack, for `disagreement`."""
    period_days: float = PERIOD_DAYS
    similarity: float = SIMILARITY

    def __post_init__(self) -> None:
        if self.number < 1:
            raise UsageError(f"-n must be 1 or more, not {self.number}")
        if self.strategy not in get_args(Strategy):
            raise UsageError(
                f"{self.strategy!r} is no strategy",
                remedy=f"one of: {', '.join(get_args(Strategy))}",
            )
        for value, name, of in (
            (self.by_market, "--by-market", "stratified"),
            (self.against is not None, "--against-policy", "disagreement"),
        ):
            if value and self.strategy != of:
                raise UsageError(f"{name} is for --strategy {of}", remedy="leave it out")


@dataclass(eq=False)
class Picking:
    """Picking under way: `steps` goes through all candidates, `picks` says what to label."""

    settings: PickSettings
    chooser: Stratified | Nearest | Disputed | Growing
    sources: int
    videos: Iterable[Iterable[Candidate] | None]
    """Each video's candidates; None for one that could not be judged."""
    notes: list[str] = field(default_factory=list)
    unjudged: int = 0

    def steps(self) -> Iterator[None]:
        """Goes through the videos, one a step."""
        for candidates in self.videos:
            if candidates is None:
                self.unjudged += 1
            else:
                for candidate in candidates:
                    self.chooser.see(candidate)
            yield

    def picks(self) -> list[Pick]:
        """What to label, in the order of the strategy. Raises UsageError where a strategy cannot be
        followed."""
        found = list(self.chooser.picks())
        if self.unjudged:
            self.notes.append(f"{self.unjudged} videos that could not be judged are left out")
        chooser = self.chooser
        left_out = 0 if isinstance(chooser, Stratified) else chooser.left_out
        if left_out:
            self.notes.append(f"{left_out} that are answered already are left out")
        if isinstance(chooser, Growing):
            self.notes.append(
                f"{chooser.clusters} clusters of unflagged videos, {chooser.tested} of them large"
                f" enough to ask about; growing: {len(chooser.grow)}"
            )
            if chooser.latest is not None:
                day = datetime.fromtimestamp(chooser.latest, UTC).date()
                self.notes.append(
                    f"the last {self.settings.period_days:g} days end with the latest upload, on"
                    f" {day}"
                )
            if chooser.undated:
                self.notes.append(
                    f"{chooser.undated} unflagged videos without `uploaded_at` or without an"
                    " embedding are left out"
                )
        if len(found) < self.settings.number:
            self.notes.append(f"asked for {self.settings.number}, there are {len(found)}")
        if self.settings.strategy != "stratified":
            self.notes.append(
                "picked for what they show: no rate may be estimated from these (weight is null)"
            )
        return found


def prepare_picking(
    settings: PickSettings, verdicts: tuple[Path | str, ...], judging: ScanSettings | None
) -> Picking:
    """Load what to pick from: verdict files, or the store and pack of `judging`.

    Raises UsageError where one of them cannot be used, or the strategy needs what is not there.
    """
    if verdicts:
        return _of_files(settings, verdicts, judging)
    if judging is None:
        raise UsageError("nothing to pick from", remedy="give verdict files, or --store")
    wants_vectors = settings.strategy == "growing"
    actions = None if settings.policy is None else _only(judging.policy, settings.policy)
    scoring = prepare_scoring(judging, actions, pools=wants_vectors)
    pack = scoring.rejudging.pack
    models = models_of(scoring.rejudging.scored)
    chooser = _chooser(settings, pack, judging, models)
    notes = list(scoring.rejudging.notes)
    if len({model.partition("#")[2] for model in models}) > 1:
        notes.append(
            f"embeddings of {len(models)} models are in the store: their scores and likeness cannot"
            " be compared"
        )
    if wants_vectors:
        videos: Iterator[Iterable[Candidate] | None] = (
            None if each is None else (whole_video(each, settings.policy),)
            for each in scoring.videos()
        )
    else:
        videos = (None if each is None else of_video(each) for each in scoring.videos())
    sources = scoring.rejudging.sources
    return Picking(settings, chooser, sources, videos, notes)


def _of_files(
    settings: PickSettings, verdicts: tuple[Path | str, ...], judging: ScanSettings | None
) -> Picking:
    needs_log = settings.strategy == "disagreement" and settings.log is not None
    if settings.strategy != "stratified" and (not needs_log or settings.against is not None):
        raise UsageError(
            f"--strategy {settings.strategy} needs more than verdicts say: a verdict has no score"
            " where nothing fires",
            remedy="give --store and --policy; or --log, for what reviewers disagree on",
        )
    records, errors = judged_records(verdicts)
    policies = policies_in(records)
    pack = None if judging is None else load_pack(judging.policy)
    if pack is not None:
        policies = pack.ids
    if settings.policy is not None:
        if pack is not None:
            pack.policy(settings.policy)
        policies = (settings.policy,)
    if not policies:
        raise UsageError(
            "no policy fires in these verdicts", remedy="name one: --on POLICY, or --policy PACK"
        )
    videos = [list(of_record(record, policies)) for record in records]
    chooser = _chooser(settings, None, None)
    picking = Picking(settings, chooser, len(videos), videos, unjudged=errors)
    if settings.strategy == "stratified":
        picking.notes.append(
            "verdicts tell no near-misses: strata are what is flagged and all the rest; --store"
            " tells them apart"
        )
    return picking


def _only(pack: str, policy: str) -> dict[str, Action]:
    of = load_pack(pack).policy(policy)
    return {policy: mildest(of) or of.match_action}


def _chooser(
    settings: PickSettings,
    pack: PolicyPack | None,
    judging: ScanSettings | None,
    models: Iterable[str] = (),
) -> Stratified | Nearest | Disputed | Growing:
    answered = Answered()
    if settings.labels is not None:
        answered.add_labels(load_labels(settings.labels))
    decisions = []
    if settings.log is not None:
        with DecisionLog(settings.log) as log:
            decisions = list(log.decisions())
        answered.add_decisions(decisions)
    size, seed = settings.number, settings.seed
    policies = () if pack is None else pack.policies
    limits = {
        each.id: limit
        for each in policies
        if pack is not None and (limit := Limit.of(each, pack, tuple(models))) is not None
    }
    if settings.strategy == "stratified":
        near = {
            each.id: each.release_score
            for each in policies
            if each.release_score is not None and each.prompts
        }
        return Stratified(size, seed, near, settings.by_market, answered)
    if settings.strategy == "growing":
        return Growing(size, seed, answered, settings.period_days, settings.similarity)
    if settings.strategy == "disagreement":
        other = None if judging is None else _flagged_by(settings, judging)
        disputed = Disputed(size, seed, answered, limits, other)
        disputed.add_decisions(decisions)
        return disputed
    return Nearest(settings.strategy, size, seed, limits, answered)


def _flagged_by(
    settings: PickSettings, judging: ScanSettings
) -> dict[tuple[str, str], bool] | None:
    """By URI and policy, whether the other pack flags a video; None where there is none."""
    if settings.against is None:
        return None
    scoring: Scoring = prepare_scoring(replace(judging, policy=settings.against), {})
    policies = scoring.rejudging.pack.ids
    return {
        (video.source.uri, policy): policy in video.fired
        for video in scoring.videos()
        if video is not None
        for policy in policies
    }
