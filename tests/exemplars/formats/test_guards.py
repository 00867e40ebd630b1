"""Reading what strangers wrote: what JSON, text and numbers are refused, and where it is said."""

from __future__ import annotations

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import guards


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b'{"a": 1, "b": 2, "a": 3}', "'a' stands twice"),
        (b'{\n"a": }', r"f:2: not JSON"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "too large"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "f: "),
        (b"\xff\xfe", "f:1: not UTF-8"),
        (b"", "f:1: not JSON"),
    ],
    ids=["twice", "syntax", "nan", "infinity", "1e999", "depth", "digits", "bytes", "empty"],
)
def test_json_that_is_refused(document: bytes, said: str) -> None:
    """Each is an error with file and cause, never a traceback."""
    with pytest.raises(ExemplarIndexError, match=said):
        guards.json_of(document, "f")


def test_a_byte_order_mark_is_passed_over() -> None:
    """Programs that write one are understood."""
    assert [1] == guards.json_of(b"\xef\xbb\xbf[1]", "f")


def test_lines_keep_their_numbers() -> None:
    """Blank lines are passed over and counted, CR LF ends a line as LF does."""
    assert [(1, "a"), (3, " b")] == guards.lines_of(b"a\r\n\n b\n\n", "f")


@pytest.mark.parametrize(
    ("text", "value"), [("1.23e+02", 123.0), ("0", 0.0), (".5", 0.5), ("5.", 5.0), ("1E2", 100.0)]
)
def test_numbers_of_any_usual_form(text: str, value: float) -> None:
    """Decimals with and without exponent are read."""
    assert value == guards.number(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "1_0", "", "0x1", "١", " 1", "1" * 500])
def test_numbers_that_are_none(text: str) -> None:
    """What Python would take beyond decimals is refused, as is what is not finite."""
    with pytest.raises(ValueError, match="not a finite number"):
        guards.number(text)


def test_a_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No list is read that is larger than the limit."""
    monkeypatch.setattr(guards, "MAX_FILE_BYTES", 4)
    with pytest.raises(ExemplarIndexError, match="larger than the 4 bytes"):
        guards.text_of(b"12345", "f")


@pytest.mark.parametrize("value", [0, 17, -3, 1704901040.222779, "2025-03-03", "1e5", "007", ""])
def test_numbers_and_texts_come_back_as_they_were(value: object) -> None:
    """A time or id that was a number is one again, a text that is no number a text."""
    assert value == guards.text_number(guards.number_text("f", "x", value))
