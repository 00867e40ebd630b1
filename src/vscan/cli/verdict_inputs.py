"""Verdict files of a command's arguments, wherever they lie."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vscan.store.verdict_copies import LocalVerdicts


def local_ones(names: Iterable[str]) -> list[Path]:
    """Those that are files or folders of this machine, as an output must not be."""
    from vscan.storage import location, scheme_of

    places = (location(name) for name in names if scheme_of(name) in (None, "file"))
    return [place for place in places if isinstance(place, Path)]


@contextmanager
def verdict_inputs(names: Sequence[Path | str]) -> Iterator[LocalVerdicts]:
    """`verdict_copies.local_verdicts`, which says on a terminal how far the copying has come."""
    from tqdm import tqdm

    from vscan.store.verdict_copies import local_verdicts

    with tqdm(
        desc="copy", unit=" parts", file=sys.stderr, disable=not sys.stderr.isatty(),
        dynamic_ncols=True, leave=False,
    ) as bar:  # fmt: skip

        def told(done: int, total: int) -> None:
            if done == 1:
                bar.reset(total)
            bar.update()

        with local_verdicts(names, told=told) as copies:
            bar.close()
            yield copies
