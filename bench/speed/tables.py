"""Tables in Markdown, and the line that says which machine the figures are of."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Iterator, Sequence

from bench.machine import processor
from vscan.embeddings.precision import choose_compute, cpu_flags
from vscan.provenance import version
from vscan.settings import available_cores

Row = Sequence[str]


def markdown(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    """Lines of a table, padded so that it reads as well in a terminal; first column on the left."""
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]

    def line(row: Row) -> str:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return f"| {' | '.join(cells)} |"

    yield line(head)
    rules = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    yield f"| {' | '.join(rules)} |"
    yield from (line(row) for row in rows)


def machine() -> str:
    """The processor, the cores that may be used, what it computes models in, and the versions."""
    flags = cpu_flags()
    units = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    precision = choose_compute().precision
    return (
        f"machine: {processor()}, {available_cores()} cores ({', '.join(units) or 'plain'}), "
        f"models in {precision}; Python {platform.python_version()}, vscan {version()}"
    )


def median_of(values: Sequence[float], digits: int = 2) -> str:
    """The median, with the range of several in brackets."""
    middle = f"{statistics.median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def times(ratio: float) -> str:
    """A ratio as a factor; a dash where nothing could be divided by."""
    return f"{ratio:.2f}x" if 0.0 < ratio < float("inf") else "-"


def ratio(one: float, other: float) -> float:
    """one / other, infinite where the other is 0."""
    return one / other if other else float("inf")
