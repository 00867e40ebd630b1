"""Videos that could be labelled, each under one policy: from a frame store, or verdict files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.metrics.picking.record import Pick, Strategy
from vscan.metrics.scored import ScoredVideo
from vscan.store.browse import load_records


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Candidate:
    """One video under one policy."""

    verdict: str
    uri: str
    sha256: str | None
    meta: Mapping[str, Any]
    policy: str | None
    score: float | None
    """As in a pick."""
    flagged: bool
    by_prompts: bool = False
    """Whether its prompts flag it."""
    by_exemplar: bool = False
    """Whether a match with a violating exemplar flags it."""
    pooled: NDArray[np.float32] | None = None
    """(D,) the mean direction of its embedding."""

    def place(self, seed: int) -> int:
        """Its place in an order that follows from the seed, its URI and its policy alone."""
        text = "\0".join((str(seed), self.policy or "", self.uri))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    @property
    def content(self) -> tuple[str, str | None]:
        """What is to be labelled: copies of one content need one label."""
        return self.sha256 or self.uri, self.policy

    @property
    def market(self) -> str | None:
        """As the input list said; None where it said none."""
        market = self.meta.get("market")
        return None if market in (None, "") else str(market)

    def pick(
        self,
        strategy: Strategy,
        seed: int,
        *,
        stratum: str,
        population: int,
        sampled: int,
        reason: str,
        weight: float | None = None,
    ) -> Pick:
        """The line that picks it."""
        views = self.meta.get("views")
        counts = isinstance(views, int | float) and not isinstance(views, bool)
        return Pick(
            strategy=strategy,
            seed=seed,
            verdict=self.verdict,
            uri=self.uri,
            sha256=self.sha256,
            policy=self.policy,
            score=self.score,
            flagged=self.flagged,
            stratum=stratum,
            population=population,
            sampled=sampled,
            weight=weight,
            market=self.market,
            views=views if counts else None,
            reason=reason,
        )


def of_video(video: ScoredVideo) -> Iterator[Candidate]:
    """A scored video under each policy that it was scored for."""
    for policy, of in video.policies.items():
        yield Candidate(
            verdict=video.verdict,
            uri=video.source.uri,
            sha256=video.source.sha256,
            meta=video.source.meta,
            policy=policy,
            score=of.score,
            flagged=of.action != "allow",
            by_prompts=of.by_prompts,
            by_exemplar=of.matched is not None,
        )


def whole_video(video: ScoredVideo, policy: str | None) -> Candidate:
    """A scored video as a whole, with its pooled embedding. policy: to label it for."""
    return Candidate(
        verdict=video.verdict,
        uri=video.source.uri,
        sha256=video.source.sha256,
        meta=video.source.meta,
        policy=policy,
        score=None,
        flagged=bool(video.fired),
        pooled=video.pooled,
    )


def judged_records(names: Sequence[Path | str]) -> tuple[list[dict[str, Any]], int]:
    """The verdicts of these files, folders of parts and URIs, the last one of each source, and how
    many are errors, which are left out. Raises OutputError as `load_records`."""
    latest: dict[str, dict[str, Any]] = {}
    for name in names:
        for record in load_records(name):
            latest.pop(record["source"]["uri"], None)
            latest[record["source"]["uri"]] = record
    judged = [record for record in latest.values() if record["outcome"] != "error"]
    return judged, len(latest) - len(judged)


def policies_in(records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Policies that fire in any of the records, sorted."""
    found = {finding["policy"] for record in records for finding in record["findings"]}
    return tuple(sorted(found))


def of_record(record: Mapping[str, Any], policies: Sequence[str]) -> Iterator[Candidate]:
    """A verdict under each of the policies."""
    source = record["source"]
    findings = {finding["policy"]: finding for finding in record["findings"]}
    for policy in policies:
        finding = findings.get(policy)
        kinds = {} if finding is None else {each["kind"] for each in finding["evidence"]}
        yield Candidate(
            verdict=record["id"],
            uri=source["uri"],
            sha256=source.get("sha256"),
            meta=source.get("meta") or {},
            policy=policy,
            score=None if finding is None else finding["score"],
            flagged=finding is not None,
            by_prompts="prompt" in kinds,
            by_exemplar="exemplar" in kinds,
        )
