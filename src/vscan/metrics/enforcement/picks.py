"""A sample: stratified picks (`vscan.pick/1`) read back, as the basis of estimates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from vscan.errors import UsageError
from vscan.metrics.enforcement.seen import Seen
from vscan.metrics.picking.record import PICK_SCHEMA

STRATEGY = "stratified"
"""The one strategy that draws with known chances."""
_REMEDY = "give the lines that a stratified `vscan pick` wrote, all of them"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One video, drawn to be asked about under one policy."""

    verdict: str
    uri: str
    sha256: str | None
    policy: str
    flagged: bool
    """Whether the policy fires on it."""
    stratum: str
    population: int
    """Of the stratum it was drawn from."""
    sampled: int
    """How many were drawn of that stratum."""
    market: str | None
    views: float | None


@dataclass(frozen=True)
class Picks:
    """A whole sample."""

    drawn: tuple[Drawn, ...]

    @property
    def cases(self) -> Set[tuple[str, str]]:
        """Verdict and policy of every pick."""
        return {(each.verdict, each.policy) for each in self.drawn}

    def weights(self, answered: Set[tuple[str, str]]) -> Mapping[tuple[str, str], float]:
        """By verdict and policy, how many videos each answered pick stands for: those of its
        stratum over the answered ones, so that a stratum keeps its part where some have no answer.

        answered: verdict and policy of picks that have an answer.
        """
        told = [each for each in self.drawn if (each.verdict, each.policy) in answered]
        of = Counter((each.policy, each.stratum) for each in told)
        return {
            (each.verdict, each.policy): each.population / of[each.policy, each.stratum]
            for each in told
        }

    def completed(self, verdicts: Mapping[str, Seen]) -> Picks:
        """With the market and the views that the verdicts name where the picks do not.

        verdicts: by id.
        """
        return replace(self, drawn=tuple(_completed(pick, verdicts) for pick in self.drawn))


def _completed(pick: Drawn, verdicts: Mapping[str, Seen]) -> Drawn:
    seen = verdicts.get(pick.verdict)
    if seen is None:
        return pick
    views = seen.views if pick.views is None else pick.views
    return replace(pick, market=pick.market or seen.market, views=views)


def load_picks(path: Path) -> Picks:
    """The picks of a file of JSON lines.

    Raises UsageError that names the line where one is no pick or was not drawn with a known chance,
    and the stratum of which the file does not hold what was drawn.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", remedy=_REMEDY) from error
    picks: dict[tuple[str, str], Drawn] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        row = _row(where, line)
        pick = _pick(where, row)
        if (pick.verdict, pick.policy) in picks:
            raise UsageError(f"{where}: {pick.verdict} stands there already under {pick.policy}")
        picks[pick.verdict, pick.policy] = pick
    if not picks:
        raise UsageError(f"{path}: holds no picks", remedy=_REMEDY)
    _check_strata(path, picks.values())
    return Picks(tuple(picks.values()))


def _row(where: str, line: bytes) -> Mapping[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where}: no JSON: {error}", remedy=_REMEDY) from error
    if not isinstance(row, dict) or row.get("schema") != PICK_SCHEMA:
        raise UsageError(f"{where}: not a pick: its schema is not {PICK_SCHEMA}", remedy=_REMEDY)
    if row.get("strategy") != STRATEGY:
        raise UsageError(
            f"{where}: drawn by {row.get('strategy')!r}, with chances that nobody knows: no"
            " estimate can rest on it",
            remedy=f"draw a sample with the strategy {STRATEGY}",
        )
    return row


def _pick(where: str, row: Mapping[str, Any]) -> Drawn:
    for name in ("verdict", "uri", "policy", "stratum"):
        if not isinstance(row.get(name), str) or not row[name]:
            raise UsageError(f"{where}: {name} is not a text", remedy=_REMEDY)
    for name in ("population", "sampled"):
        if type(row.get(name)) is not int or row[name] < 1:
            raise UsageError(f"{where}: {name} is not a number above 0", remedy=_REMEDY)
    if type(row.get("flagged")) is not bool:
        raise UsageError(f"{where}: flagged is not true or false", remedy=_REMEDY)
    weight, expected = row.get("weight"), row["population"] / row["sampled"]
    if type(weight) not in (int, float) or not math.isclose(
        float(weight or 0.0), expected, rel_tol=1e-3
    ):
        raise UsageError(
            f"{where}: weight {weight!r} is not population over sampled, {expected:g}",
            remedy=_REMEDY,
        )
    sha256, market, views = row.get("sha256"), row.get("market"), row.get("views")
    known = type(views) in (int, float) and views is not None and views >= 0
    return Drawn(
        verdict=row["verdict"],
        uri=row["uri"],
        sha256=sha256 if isinstance(sha256, str) else None,
        policy=row["policy"],
        flagged=row["flagged"],
        stratum=row["stratum"],
        population=row["population"],
        sampled=row["sampled"],
        market=market if isinstance(market, str) and market else None,
        views=float(views) if known and views is not None else None,
    )


def _check_strata(path: Path, picks: Any) -> None:
    held = Counter((pick.policy, pick.stratum) for pick in picks)
    said: dict[tuple[str, str], tuple[int, int]] = {}
    for pick in picks:
        place = (pick.policy, pick.stratum)
        sizes = (pick.population, pick.sampled)
        if said.setdefault(place, sizes) != sizes:
            raise UsageError(f"{path}: the lines of {pick.stratum} differ in its size")
    for (policy, stratum), (population, sampled) in said.items():
        if held[policy, stratum] != sampled or sampled > population:
            raise UsageError(
                f"{path}: holds {held[policy, stratum]} picks of {stratum} ({policy}), of which"
                f" {sampled} of {population} were drawn",
                remedy=_REMEDY,
            )
