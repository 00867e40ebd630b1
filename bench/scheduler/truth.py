"""The hidden truth of a made-up collection: what each source is, and what goes wrong with it."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Trouble = Literal["raises", "reader_death", "deadline", "fetch"]
TROUBLE_CODES: dict[Trouble, str] = {
    "raises": "internal",
    "reader_death": "worker_died",
    "deadline": "deadline",
    "fetch": "read_failed",
}
"""The error that a source has in its record while its trouble lasts."""
LISTINGS = 3
"""The collection grows twice: what is listed at first, at second, and from then on."""
_LATE = (0.90, 0.95)
"""Share of the sources in the first and in the second listing."""
_MEAN_READ_S, _MOST_READ_S = 0.0003, 0.005


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Shares 0..1 of the sources."""

    absent: float = 0.005
    """No file behind the name: `not_found`, asked for again by each run."""
    unreadable: float = 0.03
    """`no_frames`: final."""
    too_slow: float = 0.001
    """`deadline` in every run, and tried again by each."""
    review: float = 0.04
    violation: float = 0.02
    raises: float = 0.01
    """Reading raises what nobody foresaw; a later run mends it, as the next three."""
    reader_death: float = 0.005
    deadline: float = 0.005
    fetch: float = 0.01
    """The bytes cannot be had to the end, so that there is no digest either."""
    same_content: float = 0.02
    """Equal, byte for byte, to the source before it."""
    named_twice: float = 0.02
    """A listing has the name twice, once of them as `./name`."""


@dataclass(frozen=True, slots=True)
class Truth:
    """One source, as it is."""

    number: int
    uri: str
    outcome: str
    """Of its verdict, when all that passes has passed."""
    code: str | None
    """Of its error; None where it has none."""
    sha256: str | None
    """Of its content; None where there is none."""
    bytes: int
    read_s: float
    """Seconds that reading it takes."""
    trouble: Trouble | None
    lasts: int
    """Tries that the trouble spoils."""
    listed_from: int
    """The first listing that has it, 0-based."""
    named_twice: bool

    @property
    def final(self) -> bool:
        """Whether its line is an answer, which no later run asks for again."""
        return self.code in (None, "no_frames")


@dataclass(frozen=True)
class World:
    """All sources, each drawn from seed and number, so that none is held."""

    seed: int
    sources: int
    rates: Rates = field(default_factory=Rates)

    def all(self) -> Iterator[Truth]:
        """Every source, in order of number."""
        return map(self.truth, range(self.sources))

    def truth(self, number: int) -> Truth:
        """The source of that number."""
        return _truth(self, number)

    def of(self, uri: str) -> Truth:
        """The source of that name."""
        return self.truth(number_of(uri))


def number_of(uri: str) -> int:
    """The number in a source's name."""
    return int(uri[-13:-4])


def _uri(number: int) -> str:
    return f"clips/{number % 256:02x}/{number:09d}.mp4"


@lru_cache(maxsize=1 << 12)
def _truth(world: World, number: int) -> Truth:
    digest = hashlib.blake2b(b"%d:%d" % (world.seed, number), digest_size=32).digest()
    kind, trouble, lasts, late, twice, same, size, slow = (
        each / 2**32 for each in struct.unpack(">8I", digest)
    )
    rates = world.rates
    outcome, code = _outcome(kind, rates)
    spoiled = _trouble(trouble, rates) if code in (None, "no_frames") else None
    content = number - 1 if same < rates.same_content and number else number
    return Truth(
        number=number,
        uri=_uri(number),
        outcome=outcome,
        code=code,
        sha256=None
        if code == "not_found"
        else hashlib.sha256(b"%d:%d" % (world.seed, content)).hexdigest(),
        bytes=1_000_000 + int(size * 50_000_000),
        read_s=min(_MOST_READ_S, -_MEAN_READ_S * math.log(1.0 - slow)),
        trouble=spoiled,
        lasts=1 if lasts < 0.75 else 2,
        listed_from=sum(late >= each for each in _LATE),
        named_twice=twice < rates.named_twice,
    )


def _outcome(drawn: float, rates: Rates) -> tuple[str, str | None]:
    choices = (
        (rates.absent, "error", "not_found"),
        (rates.unreadable, "error", "no_frames"),
        (rates.too_slow, "error", "deadline"),
        (rates.review, "review", None),
        (rates.violation, "violation", None),
    )
    for share, outcome, code in choices:
        if drawn < share:
            return outcome, code
        drawn -= share
    return "clear", None


def _trouble(drawn: float, rates: Rates) -> Trouble | None:
    for trouble in TROUBLE_CODES:
        share: float = getattr(rates, trouble)
        if drawn < share:
            return trouble
        drawn -= share
    return None
