"""A full verdict is what it was: every field, scores within a tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from tests.goldens.verdict import GOLDEN, verdict_record

TOLERANCE = {"distance": 6.0, "score": 0.06, "similarity": 0.02}
"""What another build of the codecs may move; everything else is exact to a millisecond."""


def differences(golden: Any, found: Any, place: str = "") -> Iterator[str]:
    """Every place in which a record is not the golden one."""
    if isinstance(golden, dict) and isinstance(found, dict):
        if list(golden) != list(found):
            yield f"{place}: fields {list(golden)}, found {list(found)}"
        for key in golden.keys() & found.keys():
            if key == "peak_s" and found["start_s"] <= found[key] <= found["end_s"]:
                continue  # frames of a still scene score alike: which is first is the machine's
            yield from differences(golden[key], found[key], f"{place}.{key}")
    elif isinstance(golden, list) and isinstance(found, list) and len(golden) == len(found):
        for number, (one, two) in enumerate(zip(golden, found, strict=True)):
            yield from differences(one, two, f"{place}[{number}]")
    elif isinstance(golden, float) and isinstance(found, float):
        within = TOLERANCE.get(place.rpartition(".")[2], 0.001)
        if not math.isclose(golden, found, abs_tol=within, rel_tol=0.0):
            yield f"{place}: {golden}, found {found}"
    elif golden != found:
        yield f"{place}: {golden!r}, found {found!r}"


def test_a_full_verdict(tmp_path: Path) -> None:
    """Prompts, a mirrored copy, a benign exemplar: the record is the golden one, field by field.

    Where a change is meant, `make goldens` writes it anew; read the diff before it is committed.
    """
    golden = orjson.loads(GOLDEN.read_bytes())
    assert [] == list(differences(golden, verdict_record(tmp_path)))


def test_the_comparison_notices() -> None:
    """A comparison that could not fail would pin nothing."""
    golden = orjson.loads(GOLDEN.read_bytes())
    changes: list[Callable[[dict[str, Any]], object]] = [
        lambda record: record["findings"].pop(),
        lambda record: record["samples"].update(read=0),
        lambda record: record.update(surprise=1),
        lambda record: record["findings"][0].update(score=0.1),
        lambda record: record["findings"][0]["segments"][0].update(start_s=99.0),
        lambda record: record["suppressed"][0]["by"][0].update(transform="flipped"),
    ]
    for change in changes:
        record = orjson.loads(GOLDEN.read_bytes())
        change(record)
        assert 1 == len(list(differences(golden, record)))
