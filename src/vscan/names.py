"""File names made safe to show and to record: no escape sequence, no hidden turn, no lost byte."""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters, ESC and line ends among them
    "\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # zero width, bidirectional controls
    "\u2028\u2029"  # line and paragraph separator
    "\u00ad\u180e\ufff9-\ufffb\U000e0000-\U000e007f"  # soft hyphen, annotations, tags: unseen
    "\ud800-\udfff"  # surrogates: bytes of a name that is not UTF-8
    "]"
)


def shown(name: str) -> str:
    """`name` for a terminal or a log: what is not to be seen is escaped as `\\xNN`, `\\uNNNN`
    or `\\UNNNNNNNN`.

    A byte that is not UTF-8 (a surrogate of `os.fsdecode`) becomes `\\xNN`, the byte itself.
    """
    return _HIDDEN.sub(_escaped, name)


def record_uri(name: str) -> str:
    """`name` as a record's `uri`: any two names differ, and orjson accepts it.

    Names that are plain Unicode stand as they are. One with bytes that are not UTF-8 gets those as
    `\\xNN` and its backslashes doubled, under the prefix `bytes:`; a name that begins with that
    prefix itself is treated likewise, so that nothing can pass for another.
    """
    if not name.startswith("bytes:") and not any("\ud800" <= c <= "\udfff" for c in name):
        return name
    doubled = name.replace("\\", "\\\\")
    return "bytes:" + re.sub("[\ud800-\udfff]", _escaped, doubled)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def sort_key(name: str) -> tuple[str, str]:
    """Orders names the same way on every system, whatever their normal form."""
    return unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode()), name
