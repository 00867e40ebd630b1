"""What is done with each source of a scan: the one function of every engine and process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vscan.pipeline import Rules, scan_source

if TYPE_CHECKING:
    from vscan.decode.workers import ReaderPool
    from vscan.keeping import Keeper
    from vscan.measuring import Embed
    from vscan.recipe import Recipe
    from vscan.sources import Source
    from vscan.timings import Timings
    from vscan.verdicts import Verdict


@dataclass(frozen=True, eq=False, kw_only=True)
class SourceWork:
    """A source's verdict, made by what all sources of a run share. Safe among threads."""

    recipe: Recipe
    rules: Rules
    keeper: Keeper | None
    is_done: Callable[[str], bool]
    """Whether the output holds a verdict of that id already."""
    begin_model: Callable[[], None] = lambda: None
    """Told, each time, that a source was not done before: the model will be needed."""
    timings: Timings | None = None

    def __call__(self, source: Source, readers: ReaderPool, embed: Embed) -> Verdict | None:
        """As pipeline.scan_source: the verdict, or None for a source that was done before."""
        return scan_source(
            source,
            recipe=self.recipe,
            rules=self.rules,
            readers=readers,
            embed=embed,
            is_done=self._done,
            keeper=self.keeper,
            timings=self.timings,
        )

    def _done(self, verdict_id: str) -> bool:
        known = self.is_done(verdict_id)
        if not known:
            self.begin_model()
        return known
