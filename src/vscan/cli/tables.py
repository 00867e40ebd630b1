"""What commands print on stdout: tables for people, one JSON object a line for programs.

Names of files and other foreign text may hold what steers a terminal (ESC, carriage returns, marks
that turn the direction of writing). Everything printed here is escaped first.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from io import StringIO

_JOINERS = "\u200c\u200d"  # emoji and several scripts are written with them
_WIDE_ENOUGH = 1 << 20


def safe(text: str) -> str:
    """`text` on one line, whatever could steer a terminal as `\\x1b`, `\\n`, `\\u202e`."""
    if text.isprintable():
        return text
    return "".join(one if _is_plain(one) else _escaped(one) for one in text)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None
) -> None:
    """Prints a table on stdout.

    A terminal gets it fitted to its width, long cells folded; a pipe or file gets every row on one
    line, columns aligned, nothing cut. Raises ValueError for a row of another length.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = sys.stdout.isatty()
    table = Table(
        title=Text(safe(title)) if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD if on_terminal else None,
        show_edge=False,
        pad_edge=False,
        highlight=False,
    )
    for column in columns:
        table.add_column(Text(safe(column)), overflow="fold", no_wrap=not on_terminal)
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"a row of {len(row)} cells under {len(columns)} columns: {row}")
        table.add_row(*(Text(safe(cell)) for cell in row))
    drawn = StringIO()
    width = None if on_terminal else _WIDE_ENOUGH
    console = Console(file=drawn, force_terminal=on_terminal, width=width, highlight=False)
    console.print(table, soft_wrap=False)
    write_text("".join(f"{line.rstrip()}\n" for line in drawn.getvalue().splitlines()))


def print_line(text: str = "") -> None:
    """Prints one escaped line on stdout."""
    write_text(f"{safe(text)}\n")


def write_text(text: str) -> None:
    """Writes `text` on stdout as it is; what its encoding lacks stands as `\\u…`."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def print_json_lines(objects: Iterable[object]) -> None:
    """Writes each object (dicts, lists, dataclasses …) as one line of JSON, in UTF-8, on stdout.

    Marks that could steer a terminal stand as JSON's own `\\u` escapes: the value is the same.
    """
    sys.stdout.flush()
    for one in objects:
        sys.stdout.buffer.write(f"{json_line(one)}\n".encode())
    sys.stdout.buffer.flush()


def json_line(value: object) -> str:
    """`value` as one line of JSON that cannot steer a terminal."""
    import orjson

    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # text that is not Unicode, as names of files may be
        text = json.dumps(value, default=_plain, ensure_ascii=True, separators=(",", ":"))
    if text.isprintable():
        return text
    return "".join(one if _is_plain(one) else json.dumps(one)[1:-1] for one in text)


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _is_plain(one: str) -> bool:
    return one.isprintable() or one in _JOINERS or unicodedata.category(one) == "Zs"


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")
