"""The flood guard: an exemplar that matches too much of a run is set aside, not believed.

An exemplar that is wrong (a plain logo, a common title card) would flag a whole platform at once.
The guard counts; from what it has counted follows which evidence is set aside (quarantine.py), in
the verdicts that come and in the lines that were written before.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vscan.quarantine import QUARANTINED, Key, set_aside
from vscan.verdicts import ExemplarEvidence, Provenance, Verdict, parse_verdict

if TYPE_CHECKING:
    from vscan.exemplars.index import ExemplarIndex
    from vscan.policies import PolicyPack

FLOOD_SHARE = 0.05
"""Share of a run's sources beyond which no exemplar is believed."""
LEAST_SOURCES = 20
"""Sources that an exemplar must have matched before any share is looked at."""


@dataclass(frozen=True, kw_only=True)
class Flood:
    """An exemplar that matched too much, as far as the run has come."""

    index: str
    exemplar: str
    policy: str
    """That the exemplar was added under."""
    sources: int
    """Different contents that it matched."""
    of: int
    """Different contents that were judged."""


class FloodGuard:
    """Counts in how many of a run's sources each exemplar stands under the findings.

    An exemplar is tripped as soon as it has matched at least `least` sources and more than `share`
    (0..1) of those judged so far, and stays so. A content counts once under however many names;
    errors do not count.
    """

    def __init__(self, share: float = FLOOD_SHARE, least: int = LEAST_SOURCES) -> None:
        if not 0.0 < share < 1.0 or least < 1:
            raise ValueError(f"a share within 0..1 of at least one source, got {share}, {least}")
        self._share = share
        self._least = least
        self._judged: set[int] = set()
        self._matched: dict[Key, set[int]] = {}
        self._tripped: dict[Key, str] = {}

    @classmethod
    def of(
        cls, share: float, indexes: Sequence[ExemplarIndex], least: int = LEAST_SOURCES
    ) -> FloodGuard | None:
        """The guard of a run; None where it is switched off, or there is nothing to guard."""
        return cls(share, least) if indexes and 0.0 < share < 1.0 else None

    def see(self, verdict: Verdict) -> None:
        """Count one verdict, in the order in which they end."""
        if verdict.outcome == "error" or verdict.source.sha256 is None:
            return
        content = int(verdict.source.sha256[:16], 16)
        self._judged.add(content)
        for key, policy in _matched(verdict).items():
            sources = self._matched.setdefault(key, set())
            sources.add(content)
            if len(sources) >= self._least and len(sources) > self._share * len(self._judged):
                self._tripped.setdefault(key, policy)

    @property
    def tripped(self) -> Collection[Key]:
        """Exemplars that were tripped so far."""
        return self._tripped.keys()

    @property
    def floods(self) -> list[Flood]:
        """The tripped exemplars, the first one first, counted up to now."""
        return [
            Flood(
                index=index,
                exemplar=exemplar,
                policy=policy,
                sources=len(self._matched[index, exemplar]),
                of=len(self._judged),
            )
            for (index, exemplar), policy in self._tripped.items()
        ]


class Watch:
    """One run under guard: its verdicts, and the lines that were written before a flood was seen.

    provenances: of the run, one for each way in which its sources were measured; lines of other
    configurations are none of its business.
    """

    def __init__(
        self,
        guard: FloodGuard,
        *,
        pack: PolicyPack,
        indexes: Sequence[ExemplarIndex],
        provenances: Sequence[Provenance],
    ) -> None:
        self._guard = guard
        self._pack = pack
        self._provenances = provenances
        self._severities = {
            (index.name, each.id): each.severity for index in indexes for each in index.exemplars
        }
        self.amended: dict[str, tuple[str, str]] = {}
        """By id of a verdict whose line was written anew: outcome before and after."""

    @property
    def floods(self) -> list[Flood]:
        """Exemplars that were tripped, counted up to now."""
        return self._guard.floods

    def recall(self, lines: Iterable[bytes]) -> None:
        """Counts what an earlier part of this run has written."""
        for line in lines:
            verdict = self._own(line)
            if verdict is not None:
                self._guard.see(verdict)

    def over(self, verdicts: Generator[Verdict | None]) -> Generator[Verdict | None]:
        """The verdicts as they come, without what floods; None passes."""
        with closing(verdicts):
            for verdict in verdicts:
                yield None if verdict is None else self._seen(verdict)

    def amend(self, line: bytes) -> bytes:
        """A line of the output as it has to be, now that the whole run is known."""
        if not any(exemplar.encode() in line for _, exemplar in self._guard.tripped):
            return line
        verdict = self._own(line)
        if verdict is None:
            return line
        mended = self._without_floods(verdict)
        if mended is verdict:
            return line
        self.amended[verdict.id] = (verdict.outcome, mended.outcome)
        return mended.to_line()

    def _seen(self, verdict: Verdict) -> Verdict:
        self._guard.see(verdict)
        return self._without_floods(verdict)

    def _without_floods(self, verdict: Verdict) -> Verdict:
        return set_aside(verdict, self._pack, self._guard.tripped, severities=self._severities)

    def _own(self, line: bytes) -> Verdict | None:
        try:
            verdict = parse_verdict(line)
        except ValueError:
            return None  # of another version, so of another configuration too
        return verdict if verdict.provenance in self._provenances else None


def _matched(verdict: Verdict) -> dict[Key, str]:
    """Violating exemplars that the verdict names, with their policies."""
    told = [each.evidence for each in verdict.findings]
    told += [each.evidence for each in verdict.suppressed if each.reason == QUARANTINED]
    return {
        (each.index, each.exemplar): each.exemplar_policy
        for evidence in told
        for each in evidence
        if isinstance(each, ExemplarEvidence)
    }
