"""What a scan's settings name, loaded: the pack, the exemplar indexes, the signals judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vscan.errors import UsageError
from vscan.readiness import refuse_blindness
from vscan.settings import SIGNALS, ScanSettings

if TYPE_CHECKING:
    from vscan.exemplars.index import ExemplarIndex
    from vscan.policies import PolicyPack


@dataclass(frozen=True, eq=False)
class Loaded:
    """A pack and its indexes, as they are at one moment."""

    pack: PolicyPack
    indexes: Sequence[ExemplarIndex]
    judged: tuple[str, ...]
    """The signals that are judged."""
    now: str
    """UTC: which exemplars have expired is settled by it, once for a whole run."""


def load_named(settings: ScanSettings, now: str) -> Loaded:
    """The pack and the indexes that the settings name, as they are at `now`.

    Raises UsageError (PackError, ExemplarIndexError) where one of them cannot be used, or where
    nothing could be found with them.
    """
    from vscan.exemplars.index import ExemplarIndex
    from vscan.policies import load_pack

    pack = load_pack(settings.policy)
    indexes = [ExemplarIndex.open(folder, now=now) for folder in settings.indexes]
    refuse_twins(indexes)
    judged = settings.signals or needed_signals(pack, indexes)
    refuse_blindness(pack, indexes, judged)
    return Loaded(pack, indexes, judged, now)


def needed_signals(pack: PolicyPack, indexes: Sequence[ExemplarIndex]) -> tuple[str, ...]:
    """What the pack's prompts and the indexes need, in the order of SIGNALS."""
    needed = {signal for index in indexes for signal in index.signals}
    if any(policy.prompts for policy in pack.policies):
        needed.add("embedding")
    return tuple(signal for signal in SIGNALS if signal in needed)


def refuse_twins(indexes: Sequence[ExemplarIndex]) -> None:
    """Raises UsageError where two indexes have one name: records could not tell them apart."""
    names = [index.name for index in indexes]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise UsageError(
            f"two exemplar indexes are both named {twins[0]!r}",
            remedy="give each index once, or create one of them again under another --name",
        )
