"""Names of verdict parts: whose they are, of which run, in which order, and of which content.

RUN/parts/<worker>/<run>-<sequence>-<16 hex of the SHA-256>.jsonl
RUN/manifests/<worker>.json
RUN/runs/<worker>.run.json
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from vscan.errors import OutputError
from vscan.shards import Shard

PARTS, MANIFESTS, SUMMARIES = "parts", "manifests", "runs"
"""The folders that a run's folder has."""
WHOLE = "whole"
"""The worker of a run that is not shared out."""
DIGEST_LENGTH = 16
"""Hex digits of a part's SHA-256 in its name."""

_STAMP = "%Y%m%dT%H%M%S%f"
_RUN = r"[0-9]{8}T[0-9]{9}Z-[0-9a-f]{8}"
_PART = re.compile(rf"({_RUN})-([0-9]{{6,9}})-([0-9a-f]{{{DIGEST_LENGTH}}})\.jsonl", re.ASCII)
_WORKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_SHARD = re.compile(r"shard-([0-9]{5,9})-of-([0-9]{5,9})", re.ASCII)


@dataclass(frozen=True, order=True, slots=True)
class PartName:
    """What the name of a part says. Sorted, the older ones come first."""

    run: str
    """When its run began and which one it was: `20261125T023310482Z-5f0c91ab`."""
    sequence: int
    """Its place among the parts of its run, from 1."""
    digest: str
    """16 hex digits: the first of the SHA-256 of its bytes."""
    worker: str

    @property
    def name(self) -> str:
        """Its own name."""
        return f"{self.run}-{self.sequence:06}-{self.digest}.jsonl"

    @property
    def path(self) -> str:
        """Its name below the run's folder."""
        return f"{PARTS}/{self.worker}/{self.name}"

    @classmethod
    def of(cls, worker: str, name: str) -> PartName | None:
        """The part of this name in a worker's folder; None where it is no name of a part."""
        form = _PART.fullmatch(name)
        if form is None or not is_worker(worker):
            return None
        try:
            _moment(form[1])
        except ValueError:
            return None
        part = cls(form[1], int(form[2]), form[3], worker)
        return part if part.name == name else None


def worker_of(shard: Shard | None) -> str:
    """The worker that a share of a run is: `shard-00002-of-00005`, or `whole`."""
    return WHOLE if shard is None else f"shard-{shard.number:05}-of-{shard.count:05}"


def is_worker(name: str) -> bool:
    """Whether a folder of this name may hold a worker's parts."""
    return _WORKER.fullmatch(name) is not None


def concerns(worker: str, shard: Shard | None) -> bool:
    """Whether a worker may have judged sources of this share: not another share of as many."""
    form = _SHARD.fullmatch(worker)
    if form is None or shard is None:
        return True
    return int(form[2]) != shard.count or worker == worker_of(shard)


def manifest_path(worker: str) -> str:
    """Where a worker's manifest stands below the run's folder."""
    return f"{MANIFESTS}/{worker}.json"


def summary_name(worker: str) -> str:
    """Where the summary of a worker's latest run stands below the run's folder."""
    return f"{SUMMARIES}/{worker}.run.json"


def new_run(now: datetime, *, after: str | None) -> str:
    """The name of a run that begins now (UTC), later than the run `after` by its name, too.

    A machine's clock may be behind that of the one before it: what is judged again would count as
    older then. Raises OutputError where no later time can be named.
    """
    if after is not None:
        try:
            now = max(now, _moment(after) + timedelta(milliseconds=1))
        except OverflowError as error:
            raise OutputError(
                f"{after}: no run can be later than this one",
                remedy="remove its parts, or choose another -o",
            ) from error
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03}Z-{secrets.token_hex(4)}"


def _moment(run: str) -> datetime:
    return datetime.strptime(run.partition("Z-")[0], _STAMP).replace(tzinfo=UTC)


def names_a_file(name: str) -> bool:
    """Whether a URI reads like a file's name (`…/verdicts.jsonl`), not like a folder's (`…/run/`).

    A suffix must begin with a letter: `…/run-1.2` is a folder, and so is all that ends in a slash,
    and a bucket.
    """
    _, slash, own = name.partition("://")[2].rpartition("/")
    suffix = PurePosixPath(own).suffix if slash else ""
    return re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]*", suffix) is not None
