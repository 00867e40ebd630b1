"""Pieces of an HTML page, every text in them escaped: tables, paragraphs, bars."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from vscan.names import shown
from vscan.reports.templating import MAY, rendered

_NAME_WIDTH, _BAR_WIDTH, _COUNT_WIDTH, _ROW = 240, 380, 80, 40


def text(value: str) -> str:
    """Any text as it stands on the page, whatever steers a reader's eye or browser escaped."""
    return html.escape(shown(value), quote=True)


def page(title: str, body: Iterable[str], *, style: str = "") -> str:
    """A whole page around pieces of markup: it loads nothing and runs nothing.

    style: CSS that it needs beside that of all pages.
    """
    whole = Markup("\n".join(body))  # noqa: S704 -- of this module's pieces, which escape texts
    own = Markup(style)  # noqa: S704 -- written by our own pages
    return rendered("frame.html", title=title, may=MAY, body=whole, style=own)


def sentence(words: str) -> str:
    """Words as a sentence: a capital and a full stop."""
    return f"{words[:1].upper()}{words[1:]}."


def paragraph(words: str, *, remark: bool = False) -> str:
    """One paragraph; a remark stands back."""
    return f'<p class="remark">{text(words)}</p>' if remark else f"<p>{text(words)}</p>"


def heading(words: str) -> str:
    """The heading of a section."""
    return f"<h2>{text(words)}</h2>"


def pairs(said: Iterable[tuple[str, str]]) -> str:
    """Names and what they stand for."""
    told = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in said)
    return f"<dl>{told}</dl>"


def items(said: Sequence[str]) -> str:
    """A list, or nothing where there is nothing in it."""
    return f"<ul>{''.join(f'<li>{text(each)}</li>' for each in said)}</ul>" if said else ""


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    figures: Iterable[int] = (),
) -> str:
    """A table whose first column names its rows. figures: columns that hold numbers, from 0."""
    numbers = set(figures)

    def mark(column: int) -> str:
        return ' class="figure"' if column in numbers else ""

    head = "".join(
        f'<th scope="col"{mark(column)}>{text(name) or "&#160;"}</th>'
        for column, name in enumerate(columns)
    )
    lines = []
    for first, *others in rows:
        cells = "".join(f"<td{mark(k)}>{text(cell)}</td>" for k, cell in enumerate(others, start=1))
        lines.append(f'<tr><th scope="row">{text(first)}</th>{cells}</tr>')
    body = "\n".join(lines)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}"><table>'
        f"<caption>{text(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def bars(about: str, rows: Sequence[tuple[str, int, int]]) -> str:
    """Two bars for each name: how many before and after. about: what a screen reader says."""
    most = max((max(old, new) for _, old, new in rows), default=0) or 1
    width, height = _NAME_WIDTH + _BAR_WIDTH + _COUNT_WIDTH, _ROW * len(rows)
    told = "; ".join(f"{name}: {old} before, {new} after" for name, old, new in rows)
    drawn = []
    for number, (name, old, new) in enumerate(rows):
        top = number * _ROW
        drawn.append(f'<text x="0" y="{top + 21}">{text(_cut(name))}</text>')
        for below, kind, count in ((4, "old", old), (18, "new", new)):
            length = round(_BAR_WIDTH * count / most, 1)
            drawn.append(
                f'<rect class="{kind}" x="{_NAME_WIDTH}" y="{top + below}" width="{length}"'
                ' height="12"></rect>'
                f'<text x="{_NAME_WIDTH + length + 6}" y="{top + below + 11}">{count}</text>'
            )
    return (
        f'<svg role="img" aria-label="{text(about)}" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}"><title>{text(about)}</title>'
        f"<desc>{text(told)}</desc>{''.join(drawn)}</svg>"
    )


def _cut(name: str) -> str:
    """A long name's end is what tells it from others."""
    return name if len(name) <= 32 else f"…{name[-31:]}"
