"""A scan that is ready to run: what `scanning.prepare` makes of settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vscan.flood import FLOOD_SHARE
from vscan.scratch import Scratch

if TYPE_CHECKING:
    from vscan.decode.limits import ReadLimits
    from vscan.embeddings.encoder import Encoder
    from vscan.embeddings.loading import LoadingEncoder
    from vscan.engines.ray_cluster import Cluster
    from vscan.keeping import Keeper
    from vscan.recipe import Recipe
    from vscan.rules import Rules
    from vscan.settings import ScanSettings


@dataclass(frozen=True, eq=False)
class Spread:
    """Where a scan runs that does not run in this process alone."""

    cluster: Cluster
    settings: ScanSettings
    """With absolute paths."""
    now: str
    """UTC: the moment at which the indexes were opened."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scan that is ready to run."""

    recipe: Recipe
    rules: Rules
    encoder: Encoder | None
    workers: int
    limits: ReadLimits
    notes: tuple[str, ...]
    """What the person who started it should know."""
    flood_share: float = FLOOD_SHARE
    keeper: Keeper | None = None
    loading: LoadingEncoder | None = None
    """The encoder where it is still to be loaded, which begins when the first source needs it."""
    spread: Spread | None = None
    """None: the local engine."""
    new_scratch: Callable[[], Scratch] = Scratch
    """Makes the room in which a run fetches what lies behind URIs."""
