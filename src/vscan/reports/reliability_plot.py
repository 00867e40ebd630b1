"""Reliability as a picture: what was observed against the probability that was told."""

from __future__ import annotations

from vscan.metrics.thresholds.reliability import Reliability
from vscan.reports.markup import text

STYLE = """\
.plot path{fill:none;stroke:var(--line)}.plot .diagonal{stroke:var(--faint);stroke-dasharray:4 4}
.plot .whisker{stroke:var(--new);stroke-width:1.5}
"""
"""CSS of the plot."""
_SIDE, _LEFT, _TOP, _BELOW, _RIGHT = 320, 64, 12, 48, 12
"""Pixels: the square of the plot, and what stands around it."""


def reliability_plot(about: str, held: Reliability) -> str:
    """A square with the diagonal of perfect agreement, and for each bin its share with its 95 %
    interval. about: what a screen reader says."""
    width, height = _LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BELOW
    told = "; ".join(
        f"probability {each.probability:.2f}, observed {each.observed:.2f}" for each in held.bins
    )
    drawn = [_axes()]
    for each in held.bins:
        x, y = _x(each.probability), _y(each.observed)
        if each.low is not None and each.high is not None:
            low, high = _y(each.low), _y(each.high)
            drawn.append(
                f'<path class="whisker" d="M{x} {low}V{high}M{x - 4:g} {low}h8M{x - 4:g} {high}h8">'
                "</path>"
            )
        drawn.append(f'<circle class="new" cx="{x}" cy="{y}" r="4.5"></circle>')
    return (
        f'<svg class="plot" role="img" aria-label="{text(about)}" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}"><title>{text(about)}</title>'
        f"<desc>{text(told)}</desc>{''.join(drawn)}</svg>"
    )


def _axes() -> str:
    right, bottom = _LEFT + _SIDE, _TOP + _SIDE
    marks = []
    for step in range(5):
        share = step / 4
        x, y = _x(share), _y(share)
        marks.append(
            f'<path class="grid" d="M{x} {_TOP}V{bottom}M{_LEFT} {y}H{right}"></path>'
            f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{share:g}</text>'
            f'<text x="{_LEFT - 8}" y="{y + 4:g}" text-anchor="end">{share:g}</text>'
        )
    middle = _TOP + _SIDE / 2
    return (
        f"{''.join(marks)}"
        f'<path class="diagonal" d="M{_LEFT} {bottom}L{right} {_TOP}"></path>'
        f'<text x="{_LEFT + _SIDE / 2:g}" y="{bottom + 40}" text-anchor="middle">probability</text>'
        f'<text x="14" y="{middle:g}" text-anchor="middle"'
        f' transform="rotate(-90 14 {middle:g})">share that violates</text>'
    )


def _x(share: float) -> float:
    return round(_LEFT + _SIDE * share, 1)


def _y(share: float) -> float:
    return round(_TOP + _SIDE * (1.0 - share), 1)
