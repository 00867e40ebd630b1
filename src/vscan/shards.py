"""Shares of a run for array jobs: each source belongs to one shard, by its URI alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vscan.errors import UsageError
from vscan.names import record_uri
from vscan.sources import Found

_FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True)
class Shard:
    """Share `number` (1-based) of `count` shares."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise UsageError(
                f"there is no shard {self}: the first number goes from 1 to the second",
                remedy="for three jobs: --shard 1/3, --shard 2/3 and --shard 3/3",
            )

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, uri: str) -> bool:
        """Whether a source belongs to this share, by the URI that its record has.

        The first eight bytes of the URI's SHA-256 in UTF-8, as a big-endian number, modulo `count`
        give the shard, counted from 0: the same on every machine and in every version.
        """
        digest = hashlib.sha256(record_uri(uri).encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1


def parse_shard(text: str) -> Shard:
    """The shard that `2/5` means. Raises UsageError."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise UsageError(
            f"{text!r} is no shard", remedy="write which one of how many, as --shard 2/5"
        )
    return Shard(int(form[1]), int(form[2]))


def share_of(
    sources: Iterable[Found], shard: Shard, *, leave: Callable[[], None]
) -> Iterator[Found]:
    """The sources of one shard out of all that there are; `leave` is called for each other one."""
    for source in sources:
        if shard.holds(source.uri):
            yield source
        else:
            leave()
