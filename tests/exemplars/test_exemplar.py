"""Exemplars: ids follow from content, and fields that cannot be are refused."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.exemplars.synthetic import exemplar
from vscan.exemplars.exemplar import exemplar_id


def test_an_id_follows_from_the_content() -> None:
    """The same SHA-256 always gives the same id, another one another."""
    first = exemplar_id("0" * 64)
    assert re.fullmatch("ex_[0-9a-z]{20}", first)
    assert first == exemplar_id("0" * 64)
    assert first != exemplar_id("1" + "0" * 63)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "ex_short"},
        {"sha256": "A" * 64},
        {"md5": "0"},
        {"opinion": "bad"},
        {"policy": ""},
        {"duration_s": -1.0},
        {"duration_s": float("nan")},
    ],
    ids=str,
)
def test_an_impossible_field_is_refused(wrong: dict[str, Any]) -> None:
    """An exemplar checks itself."""
    with pytest.raises(ValueError, match=r".+"):
        replace(exemplar("a"), **wrong)
