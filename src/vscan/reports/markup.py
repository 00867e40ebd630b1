"""Pieces of an HTML page, every text in them escaped: tables, paragraphs, bars."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from vscan.names import shown

STYLE = """\
:root{color-scheme:light dark;--ink:#1c1c1c;--paper:#fff;--faint:#5a5a5a;--line:#cfcfcf;
--old:#8a8a8a;--new:#1f5fa8}
@media (prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#161616;--faint:#b0b0b0;
--line:#444;--old:#9a9a9a;--new:#6cb1ff}}
body{margin:0 auto;max-width:70rem;padding:1.5rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;margin:.5rem 0}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;
border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th[scope=row]{font-weight:normal;min-width:5.5rem}
td.figure,th.figure{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.remark{color:var(--faint)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:var(--faint)}
dd{margin:0;overflow-wrap:anywhere}
svg{max-width:100%;height:auto}svg text{fill:var(--ink);font:13px system-ui,sans-serif}
.old{fill:var(--old)}.new{fill:var(--new)}
.plot path{fill:none;stroke:var(--line)}.plot .diagonal{stroke:var(--faint);stroke-dasharray:4 4}
.plot .whisker{stroke:var(--new);stroke-width:1.5}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser lets the page do: nothing but its own style."""
_NAME_WIDTH, _BAR_WIDTH, _COUNT_WIDTH, _ROW = 240, 380, 80, 40


def text(value: str) -> str:
    """Any text as it stands on the page, whatever steers a reader's eye or browser escaped."""
    return html.escape(shown(value), quote=True)


def page(title: str, body: Iterable[str]) -> str:
    """A whole page: it loads nothing and runs nothing."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{text(title)}</h1>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )


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
