"""Reading what strangers wrote: text, JSON and numbers within limits; errors name the place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats.record import HashRecord, Json

MAX_FILE_BYTES = 256 << 20
"""Of one list. Larger ones come in pages, or can be cut."""
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SHOWN = 120


def refuse(where: str, place: str | int, why: str) -> NoReturn:
    """Raises ExemplarIndexError: `where` is the file, `place` a line number or an entry's path."""
    colon = ":" if isinstance(place, int) else ": " if place else ""
    raise ExemplarIndexError(
        f"{where}{colon}{place}: {why}",
        remedy="nothing was taken from the file: ask its sender for a whole one, or mend the entry",
    )


def text_of(data: bytes, where: str) -> str:
    """The UTF-8 text in `data`, without a byte order mark."""
    if len(data) > MAX_FILE_BYTES:
        refuse(where, "", f"larger than the {MAX_FILE_BYTES} bytes that are read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        refuse(where, line, f"not UTF-8 text at byte {error.start}")


def lines_of(data: bytes, where: str) -> list[tuple[int, str]]:
    """Lines that hold anything, with their numbers from 1; ended by LF or CR LF."""
    lines = enumerate(text_of(data, where).split("\n"), start=1)
    return [(number, line.removesuffix("\r")) for number, line in lines if line.strip()]


def json_of(data: bytes, where: str) -> Json:
    """The JSON document in `data`.

    Refused: a key that stands twice in an object (which one is meant?), NaN and Infinity, numbers
    too large for a float, nesting too deep to read.
    """
    text = text_of(data, where)
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        refuse(where, error.lineno, f"not JSON at column {error.colno}: {error.msg}")
    except RecursionError:
        refuse(where, "", "nested too deeply")
    except ValueError as error:
        refuse(where, "", str(error))


def record(where: str, place: str | int, **given: Any) -> HashRecord:
    """A HashRecord; what it refuses becomes an error that names the place."""
    try:
        return HashRecord(**given)
    except ValueError as error:
        refuse(where, place, str(error))


def number(text: str) -> float:
    """The finite number that a decimal, with or without exponent, writes. Raises ValueError.

    Not `float(text)`: that takes `nan`, `1_0` and digits of other scripts as well.
    """
    value = float(text) if len(text) <= 400 and _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text[:_SHOWN]!r} is not a finite number")
    return value


def whole(text: str) -> int:
    """The number from 0 on that plain digits write. Raises ValueError."""
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError(f"{text[:_SHOWN]!r} is not a whole number")
    return int(text)


def object_of(where: str, place: str, value: Json) -> dict[str, Json]:
    """`value`, which must be a JSON object."""
    if not isinstance(value, dict):
        refuse(where, place, "not a JSON object")
    return value


def text_at(
    where: str, place: str, held: Mapping[str, Json], key: str, default: str | None = None
) -> str:
    """The text under `key`; without a default it must be there. null counts as absent."""
    value = held.get(key)
    if value is None:
        if default is not None:
            return default
        refuse(where, f"{place}.{key}", "is missing")
    if not isinstance(value, str):
        refuse(where, f"{place}.{key}", f"not a text but {_short(value)}")
    return value


def number_text(where: str, place: str, value: Json) -> str:
    """A time or id that may be a number or a text, as text; null and absent become ''."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(where, place, f"neither a number nor a text but {_short(value)}")
    return repr(value)


def text_number(text: str) -> int | float | str:
    """What `number_text` was given, as far as the text tells: digits become a number again."""
    if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]{1,17}\.[0-9]{1,17}", text) and repr(float(text)) == text:
        return float(text)
    return text


def json_bytes(document: Json) -> bytes:
    """The document, indented, UTF-8, with a line end. Raises ExemplarIndexError for NaN."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
        return (text + "\n").encode()
    except (ValueError, TypeError) as error:
        raise ExemplarIndexError(f"a record cannot be written as JSON: {error}") from error


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key[:_SHOWN]!r} stands twice in one object")
            seen.add(key)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that JSON knows")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:_SHOWN]} is too large a number")
    return value


def _short(value: Json) -> str:
    return json.dumps(value)[:_SHOWN]
