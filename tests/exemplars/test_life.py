"""The life of an exemplar: what is said of it changes, its time ends, and its tracks stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.exemplars.synthetic import exemplar, make_index, tracks
from vscan.errors import ExemplarIndexError
from vscan.exemplars import batches
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.writer import IndexWriter

NOW = "2026-11-02T09:30:00Z"


@pytest.mark.parametrize(
    ("changes", "active"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"quarantined": "matched everything, 2026-11-01"}, False),
        ({"expires_at": "2026-11-02T09:30:01Z"}, True),
        ({"expires_at": NOW}, False),
        ({"expires_at": "2025-12-31T23:59:59Z"}, False),
    ],
)
def test_active(changes: dict[str, Any], active: bool) -> None:
    """Disabled, quarantined or expired: any of them makes an exemplar match nothing."""
    assert active == replace(exemplar("a"), **changes).active(NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"expires_at": "2026-11-02"},
        {"expires_at": "2026-11-02T09:30:00+01:00"},
        {"expires_at": "2026-02-30T09:30:00Z"},
        {"confirmed": -1},
        {"deconfirmed": -1},
    ],
    ids=str,
)
def test_impossible_values_are_refused(wrong: dict[str, Any]) -> None:
    """Times that do not sort as text, days that there are not, and counts below zero."""
    with pytest.raises(ValueError, match=r".+"):
        replace(exemplar("a"), **wrong)


def test_update_changes_what_is_said_and_no_tracks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exemplars' file of its batch is written again, and no other file but the manifest."""
    monkeypatch.setattr(batches, "BATCH_EXEMPLARS", 2)
    before = make_index(tmp_path, "abcd")
    with IndexWriter(tmp_path) as writer:
        changed = writer.update(exemplar("c").id, note="case 18", confirmed=2)
    after = ExemplarIndex.open(tmp_path)
    assert ("case 18", 2) == (changed.note, changed.confirmed)
    assert changed == after.exemplar(changed.id)
    old, new = before.manifest.batches, after.manifest.batches
    assert (old[0], old[1].tracks) == (new[0], new[1].tracks)
    assert old[1].exemplars != new[1].exemplars
    assert before.digest == after.digest


def test_update_to_the_same_writes_nothing(tmp_path: Path) -> None:
    """What changes nothing is no new generation."""
    before = make_index(tmp_path, "a").manifest
    with IndexWriter(tmp_path) as writer:
        writer.update(exemplar("a").id, note="")
    assert before == ExemplarIndex.open(tmp_path).manifest


def test_update_refuses_what_cannot_be(tmp_path: Path) -> None:
    """Unknown exemplars and fields, and what follows from the content."""
    make_index(tmp_path, "a")
    with IndexWriter(tmp_path) as writer:
        with pytest.raises(ExemplarIndexError, match="has no exemplar"):
            writer.update(exemplar("z").id, note="x")
        wrongs: list[dict[str, Any]] = [{"id": exemplar("b").id}, {"tracks": {}}, {"colour": 1}]
        for wrong in wrongs:
            with pytest.raises(ValueError, match="not a field"):
                writer.update(exemplar("a").id, **wrong)


@pytest.mark.parametrize(
    "changes",
    [{"enabled": False}, {"quarantined": "why"}, {"expires_at": NOW}, {"policy": "drugs"}],
    ids=str,
)
def test_what_decides_matching_is_in_the_digest(tmp_path: Path, changes: dict[str, Any]) -> None:
    """An index in which something else may match has another digest; set back, the old one."""
    before = make_index(tmp_path, "ab")
    with IndexWriter(tmp_path) as writer:
        writer.update(exemplar("b").id, **changes)
        assert writer.manifest.digest != before.digest
        writer.update(exemplar("b").id, **{each: getattr(exemplar("b"), each) for each in changes})
    assert before.digest == ExemplarIndex.open(tmp_path).digest


def test_expiry_is_judged_when_the_index_is_opened(tmp_path: Path) -> None:
    """Without a time nothing has expired; with one, what has is not active, and still listed."""
    make_index(tmp_path, "ab")
    with IndexWriter(tmp_path) as writer:
        writer.update(exemplar("a").id, expires_at=NOW)
    assert [True, True] == ExemplarIndex.open(tmp_path).active.tolist()
    late = ExemplarIndex.open(tmp_path, now=NOW)
    assert ([False, True], 80) == (late.active.tolist(), len(late.rows("pdq")))
    hits = late.vectors("pdq").range_search(tracks(0)["pdq"].values[:, :32], 31)
    assert 0 == len(hits)
