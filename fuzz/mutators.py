"""Mutators of bytes and of JSON: what damages a file, and what a liar would change in one.

Each takes a generator and gives another version; the generator alone decides, so that a case comes
back with its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

Rng = np.random.Generator
Mutator = Callable[[Rng, bytes], bytes]

NUMBERS = (0, 1, -1, 127, 128, 255, 256, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
"""Where lengths, counts and offsets go wrong."""
TEXTS = (
    b"", b"\0", b"..", b"../../x", b"/etc/passwd", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[2J",
    b"{", b"}", b"[", b"]", b'"', b"\\", b"\n", b"\r\n", b",", b"nan", b"NaN", b"Infinity", b"-0",
    b"1e999", b"null", b"true", "\u202e".encode(), "\u2028".encode(), b"<script>", b"%s",
    b"9" * 400,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, -0.0, 2**53, 2**64 - 1, "", "x", "..", "../../x", "\0", "\u202e",
    "sha256:", [], {}, [[]], [None], {"a": None}, "9" * 300,
)  # fmt: skip


def mutated(rng: Rng, data: bytes) -> bytes:
    """The bytes after one to four mutations, mostly one."""
    for _ in range(1 + int(rng.geometric(0.6) - 1) % 4):
        data = BYTES[int(rng.integers(len(BYTES)))](rng, data)
    return data


def flip_bits(rng: Rng, data: bytes) -> bytes:
    """One to eight bits turned."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        if out:
            out[int(rng.integers(len(out)))] ^= 1 << int(rng.integers(8))
    return bytes(out)


def overwrite(rng: Rng, data: bytes) -> bytes:
    """A run of up to 64 bytes is noise, or all of one value."""
    at, count = _place(rng, data), int(rng.integers(1, 65))
    noise = bytes([int(rng.integers(256))]) * count if rng.random() < 0.5 else rng.bytes(count)
    return data[:at] + noise[: len(data) - at] + data[at + count :]


def cut(rng: Rng, data: bytes) -> bytes:
    """The end is missing, or the beginning, or a piece in the middle."""
    start, stop = sorted((_place(rng, data), _place(rng, data)))
    return (data[:start], data[stop:], data[:start] + data[stop:])[int(rng.integers(3))]


def double(rng: Rng, data: bytes) -> bytes:
    """A piece stands twice."""
    start, stop = sorted((_place(rng, data), _place(rng, data)))
    return data[:stop] + data[start : start + 4096] + data[stop:]


def move(rng: Rng, data: bytes) -> bytes:
    """A piece stands elsewhere."""
    start, stop = sorted((_place(rng, data), _place(rng, data)))
    rest = data[:start] + data[stop:]
    at = _place(rng, rest)
    return rest[:at] + data[start:stop] + rest[at:]


def number(rng: Rng, data: bytes) -> bytes:
    """A number of 1, 2, 4 or 8 bytes is one of those at which things go wrong."""
    size, value = 1 << int(rng.integers(4)), NUMBERS[int(rng.integers(len(NUMBERS)))]
    order = "big" if rng.random() < 0.5 else "little"
    at = _place(rng, data)
    told = (value % (1 << 8 * size)).to_bytes(size, order)  # type: ignore[arg-type]  # of two words
    return data[:at] + told + data[at + size :]


def text(rng: Rng, data: bytes) -> bytes:
    """Some text that means something to a parser, put in or written over what is there."""
    told, at = TEXTS[int(rng.integers(len(TEXTS)))], _place(rng, data)
    return data[:at] + told + data[at + (len(told) if rng.random() < 0.5 else 0) :]


def swap_lines(rng: Rng, data: bytes) -> bytes:
    """A line is missing, stands twice, or has changed places with another."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    one, other = (int(rng.integers(len(lines))) for _ in range(2))
    choice = int(rng.integers(3))
    if choice == 0:
        del lines[one]
    elif choice == 1:
        lines.insert(other, lines[one])
    else:
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


BYTES: Sequence[Mutator] = (
    flip_bits, overwrite, cut, double, move, number, text, swap_lines,
)  # fmt: skip


def mutated_json(rng: Rng, value: Any) -> Any:
    """A JSON value with one of its parts changed in kind, size or name, missing, or in excess."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        out, key = dict(value), list(value)[int(rng.integers(len(value)))]
        choice = rng.random()
        if choice < 0.12:
            del out[key]
        elif choice < 0.2:
            out[f"{key}x"] = out.pop(key)
        elif choice < 0.25:
            out["surprise"] = _value(rng)
        else:
            out[key] = mutated_json(rng, out[key])
        return out
    if isinstance(value, list) and value and rng.random() < 0.85:
        at = int(rng.integers(len(value)))
        if rng.random() < 0.25:
            return value[:at] + value[at + 1 :]
        if rng.random() < 0.2:
            return [*value, *value[at : at + 1]]
        return [*value[:at], mutated_json(rng, value[at]), *value[at + 1 :]]
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.5:
        return (value + 1, -value, value * 2**33, value / 3)[int(rng.integers(4))]
    if isinstance(value, str) and value and rng.random() < 0.5:
        return mutated(rng, value.encode()).decode("utf-8", "replace")
    return _value(rng)


def mutated_json_bytes(rng: Rng, data: bytes) -> bytes:
    """The same for a document as it stands in a file; numbers that JSON cannot hold are left."""
    try:
        return orjson.dumps(mutated_json(rng, orjson.loads(data)))
    except (orjson.JSONEncodeError, orjson.JSONDecodeError):
        return mutated(rng, data)


def _value(rng: Rng) -> Any:
    return VALUES[int(rng.integers(len(VALUES)))]


def _place(rng: Rng, data: bytes) -> int:
    """Anywhere, and in the head more often than its share: it is what decides how all is read."""
    most = len(data) + 1
    return int(rng.integers(min(most, 512) if rng.random() < 0.3 else most))
