"""Made-up logs and verdicts whose cases are settled, for the tests of reviewer training."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from tests.decisions.made import decision, verdict
from vscan.decisions.decision import Decision
from vscan.decisions.log import DecisionLog
from vscan.verdicts import Segment, Verdict

OTHER = {"u": "o", "o": "u"}
RULINGS = {"u": "uphold", "o": "overturn", "e": "escalate"}


@dataclass(frozen=True, kw_only=True)
class Made:
    """A case: the story of its decisions, and what the machine said."""

    name: str
    story: str = "1u 2u"
    """Kind and ruling of each decision, as `1u 2o ju`; a third letter is the reason."""
    policy: str = "weapons"
    severity: str = "medium"
    score: float = 0.85
    seconds: float = 5.0
    content: str = ""
    """What its bytes are; its name where nothing else is said."""
    market: str | None = None

    def verdict(self) -> Verdict:
        """The verdict `v_NAME`, flagged from second 1 on."""
        made = verdict(f"clips/{self.name}.mp4", self.policy)
        (finding,) = made.findings
        span = Segment(start_s=1.0, end_s=1.0 + self.seconds, peak_s=1.0, score=self.score)
        source = replace(
            made.source,
            sha256=hashlib.sha256((self.content or self.name).encode()).hexdigest(),
            meta={} if self.market is None else {"market": self.market},
        )
        found = replace(finding, severity=self.severity, score=self.score, segments=(span,))
        return replace(made, source=source, findings=(found,))

    def decisions(self) -> list[Decision]:
        """Its decisions: first looks by ana, second by bo, adjudications by chief."""
        kinds = {"1": "first", "2": "second", "j": "adjudication", "a": "appeal", "g": "gold"}
        reasons = {"t": "technical", "m": "missed_segment", "w": "wrong_policy"}
        people = {"1": "ana", "2": "bo", "j": "chief", "a": "dora", "g": "ana"}
        made: list[Decision] = []
        for number, word in enumerate(self.story.split()):
            kind, ruling = word[0], RULINGS[word[1]]
            reason = reasons[word[2]] if word[2:] else "false_positive"
            source = self.verdict().source
            firsts = [each.id for each in made if each.kind == "first"]
            made.append(
                decision(
                    f"d_{self.name}_{number}",
                    kind=kinds[kind],
                    about=None if kind in "1g" else firsts[0],
                    verdict=f"v_{self.name}",
                    uri=source.uri,
                    sha256=source.sha256,
                    policy=self.policy,
                    ruling=ruling,
                    reason=reason if ruling == "overturn" else None,
                    reviewer=people[kind],
                    note=f"note of {word}",
                )
            )
        return made

    def flipped(self) -> Made:
        """The same case with every ruling turned round."""
        words = [f"{word[0]}{OTHER[word[1]]}" for word in self.story.split()]
        return replace(self, story=" ".join(words))


def records(cases: Iterable[Made]) -> list[dict[str, Any]]:
    """Their verdicts as plain values."""
    return [orjson.loads(case.verdict().to_line()) for case in cases]


def decided(cases: Iterable[Made]) -> list[Decision]:
    """Their decisions, as a log holds them."""
    return [one for case in cases for one in case.decisions()]


def many(count: int, **fields: Any) -> list[Made]:
    """Settled cases, half of them benign, over three policies, severities and scores."""
    return [
        Made(
            **{
                "name": f"c{number:03}",
                "story": ("1u 2u", "1o 2o", "1u 2o ju", "1u 2o jo")[number % 4],
                "policy": ("weapons", "drugs", "hate.symbols")[number % 3],
                "severity": ("low", "medium", "high")[number % 5 % 3],
                "score": 0.8 + number % 7 / 50,
                "seconds": 2.0 + number % 4,
                **fields,
            }
        )
        for number in range(count)
    ]


def written(folder: Path, cases: Sequence[Made]) -> tuple[Path, Path]:
    """A log and a verdict file of them."""
    folder.mkdir(exist_ok=True)
    log, verdicts = folder / "decisions.db", folder / "verdicts.jsonl"
    verdicts.write_bytes(b"".join(case.verdict().to_line() for case in cases))
    with DecisionLog(log, create=True) as held, held.appending():
        for one in decided(cases):
            held.add(one)
    return log, verdicts


def trainee_log(path: Path, reviewer: str, said: Iterable[tuple[str, str, str]]) -> Path:
    """A trainee's log: verdict, policy and `u`, `o` or `e` of each decision."""
    with DecisionLog(path, create=True) as held, held.appending():
        for number, (case, policy, ruling) in enumerate(said):
            held.add(
                decision(
                    f"d_{reviewer}_{number}",
                    verdict=case,
                    uri="x.mp4",
                    policy=policy,
                    ruling=RULINGS[ruling],
                    reason="false_positive" if ruling == "o" else None,
                    reviewer=reviewer,
                    seconds_viewed=6.0,
                )
            )
    return path
