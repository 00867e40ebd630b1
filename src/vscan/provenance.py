"""What a scan's verdicts depend on beside the source, as it stands in every record."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vscan.verdicts import Provenance

if TYPE_CHECKING:
    from vscan.embeddings.encoder import Encoder
    from vscan.exemplars.index import ExemplarIndex
    from vscan.policies import PolicyPack


def provenance_of(
    pack: PolicyPack,
    sampling: str,
    signals: tuple[str, ...],
    indexes: Sequence[ExemplarIndex],
    *,
    now: str,
    model: str | None,
    precision: str | None,
) -> Provenance:
    """The provenance of judging by these, which begins at `now` (UTC).

    model: fingerprint of what made the embeddings, and precision how, as `precision_of` says; None
    where none are judged.
    """
    return Provenance(
        vscan=version(),
        pack=pack.ref,
        model=model,
        precision=precision,
        sampling=sampling,
        signals=signals,
        indexes={index.name: _state(index, now) for index in indexes},
    )


def followed(
    pack: PolicyPack, indexes: Sequence[ExemplarIndex], signals: Sequence[str], now: str
) -> str:
    """What a sampling plan that follows rules depends on: 16 hexadecimal digits of pack, indexes as
    they are at `now`, and signals judged."""
    told = [pack.ref, *signals, *(f"{each.name} {_state(each, now)}" for each in indexes)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def precision_of(encoder: Encoder) -> str:
    """How a model computes, as `fp32 on cpu`."""
    return f"{encoder.precision} on {encoder.device}"


def _state(index: ExemplarIndex, now: str) -> str:
    """The index's digest, and how many exemplars have expired.

    The digest holds when each does, so the number tells which: a rerun after one more has expired
    is another configuration, and judges anew.
    """
    expired = sum(exemplar.expired(now) for exemplar in index.exemplars)
    return f"{index.digest} less {expired} expired" if expired else index.digest


def version() -> str:
    """The installed version of vscan, as a record names it."""
    return importlib.metadata.version("vscan")
