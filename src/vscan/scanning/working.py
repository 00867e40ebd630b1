"""What is done with each source of a scan: the one function of every engine and process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vscan.earlier import Earlier
from vscan.pipeline import scan_source
from vscan.rules import Rules

if TYPE_CHECKING:
    from vscan.decode.workers import ReaderPool
    from vscan.measuring import Embed
    from vscan.recipe import Recipe
    from vscan.scratch import Scratch
    from vscan.sources import Found
    from vscan.timings import Timings
    from vscan.verdicts import Verdict


@dataclass(frozen=True, eq=False, kw_only=True)
class SourceWork:
    """A source's verdict, made by what all sources of a run share. Safe among threads."""

    recipe: Recipe
    rules: Rules
    earlier: Earlier
    scratch: Scratch
    begin_model: Callable[[], None] = lambda: None
    """Told, each time, that a source was not done before: the model will be needed."""
    timings: Timings | None = None

    def __call__(self, source: Found, readers: ReaderPool, embed: Embed) -> Verdict | None:
        """As pipeline.scan_source: the verdict, or None for a source that was done before."""
        return scan_source(
            source,
            recipe=self.recipe,
            rules=self.rules,
            readers=readers,
            embed=embed,
            scratch=self.scratch,
            earlier=replace(self.earlier, is_known=self._is_known),
            timings=self.timings,
        )

    def _is_known(self, verdict_id: str) -> bool:
        known = self.earlier.is_known(verdict_id)
        if not known:
            self.begin_model()
        return known
