"""Rates with their intervals, drawn one under the other on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vscan.reports.markup import paragraph, text

STYLE = """\
.rates{display:grid;grid-template-columns:minmax(8rem,18rem) max-content minmax(8rem,1fr);
gap:.35rem 1rem;align-items:center;margin:.5rem 0}
.rates svg{display:block;width:100%;height:18px}
.rates span{overflow-wrap:anywhere}.rates .figure{font-variant-numeric:tabular-nums}
.scale{stroke:var(--line)}.span{stroke:var(--new);stroke-width:3}.dot{fill:var(--new)}
@media (max-width:40rem){.rates{grid-template-columns:1fr;row-gap:0}.rates .name{margin-top:.6rem}
.rates .figure{color:var(--faint)}}
"""
_TOPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Ends of the scale."""


@dataclass(frozen=True)
class IntervalRow:
    """One rate 0..1 with its interval; None: withheld."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    told: str
    """The figure in words, which stands beside it."""


def interval_rows(about: str, rows: Sequence[IntervalRow]) -> str:
    """The rows as a picture each, beside name and figure, all on one scale. about: what they are
    rates of."""
    most = max((row.high or row.value or 0.0 for row in rows), default=0.0)
    top = next((end for end in _TOPS if most <= end), 1.0)
    drawn = "".join(
        f'<span class="name">{text(row.name)}</span><span class="figure">{text(row.told)}</span>'
        f"<span>{_picture(about, row, top)}</span>"
        for row in rows
    )
    scale = paragraph(f"{about}, with its 95 % interval, on a scale from 0 to {top:g}", remark=True)
    return f'<div class="rates">{drawn}</div>\n{scale}'


def _picture(about: str, row: IntervalRow, top: float) -> str:
    """Positions are shares of the width, so that it fits any screen without its lines growing."""

    def at(value: float) -> str:
        # A margin of 2 % keeps the dots at the ends whole.
        return f"{2 + 96 * min(1.0, max(0.0, value / top)):.2f}%"

    marks = ""
    if row.value is not None:
        if row.low is not None and row.high is not None:
            marks += (
                f'<line class="span" x1="{at(row.low)}" x2="{at(row.high)}" y1="9" y2="9"></line>'
            )
        marks += f'<circle class="dot" cx="{at(row.value)}" cy="9" r="5"></circle>'
    ticks = "".join(
        f'<line class="scale" x1="{at(top * k / 4)}" x2="{at(top * k / 4)}" y1="4" y2="14"></line>'
        for k in range(5)
    )
    said = f"{about}, {row.name}: {row.told}"
    return (
        f'<svg role="img" aria-label="{text(said)}"><title>{text(said)}</title>'
        f'<line class="scale" x1="{at(0.0)}" x2="{at(top)}" y1="9" y2="9"></line>'
        f"{ticks}{marks}</svg>"
    )
