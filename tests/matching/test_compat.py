"""Meta's matchers: their yes and no, their distances, and the fast way against the slow one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from vscan.errors import UsageError
from vscan.exemplars.formats import vpdq_text
from vscan.matching.compat import (
    CPP,
    PYTX,
    HashList,
    MatcherRules,
    compare,
    compare_reference,
    rules_named,
)

INTEROP = os.environ.get("VSCAN_INTEROP")
Pairs = list[tuple[str, int]]
BASE = "5a" * 32


def flipped(bits: int) -> str:
    """BASE with its last bits changed."""
    return f"{int(BASE, 16) ^ ((1 << bits) - 1):064x}"


def hash_list(pairs: Pairs) -> HashList:
    """Pairs as arrays."""
    values = np.frombuffer(bytes.fromhex("".join(digits for digits, _ in pairs)), np.uint8)
    return HashList(values.reshape(-1, 32), np.array([each for _, each in pairs], np.uint8))


@pytest.mark.parametrize(
    ("bits", "pytx", "cpp"), [(30, True, True), (31, True, False), (32, False, False)]
)
def test_at_which_distance_they_say_yes(bits: int, pytx: bool, cpp: bool) -> None:
    """python-threatexchange takes 31 bits, the C++ program stops below."""
    one, other = hash_list([(BASE, 100)]), hash_list([(flipped(bits), 100)])
    assert (pytx, cpp) == (
        compare(one, other, PYTX).is_match, compare(one, other, CPP).is_match,
    )  # fmt: skip


def test_what_is_counted() -> None:
    """One counts each different hash once, the other every frame; both leave out low quality."""
    far = flipped(200)
    query: Pairs = [(BASE, 100)] * 3 + [(far, 100), (flipped(100), 49)]
    known: Pairs = [(BASE, 50)]
    said = compare(hash_list(query), hash_list(known), PYTX)
    assert (False, 50.0, 100.0, 2, 1) == (
        said.is_match, said.query_percent, said.compared_percent, said.query_hashes,
        said.compared_hashes,
    )  # fmt: skip
    said = compare(hash_list(query), hash_list(known), CPP)
    assert (False, 75.0, 4) == (said.is_match, said.query_percent, said.query_hashes)


def test_the_first_of_equal_hashes_stands_for_all() -> None:
    """python-threatexchange drops repeats before it looks at quality: a bad first one is none."""
    query: Pairs = [(BASE, 10), (BASE, 100), (flipped(200), 100)]
    said = compare(hash_list(query), hash_list([(BASE, 100)]), PYTX)
    assert (1, 0.0) == (said.query_hashes, said.query_percent)


def test_a_short_clip_within_a_long_video_is_missed_by_both() -> None:
    """They ask that 80 % of the query be known, whatever of the known clip came back."""
    rng = np.random.default_rng(1)
    long = HashList(rng.integers(0, 256, (100, 32), np.uint8), np.full(100, 100, np.uint8))
    clip = HashList(long.values[:10], long.quality[:10])
    for rules in (PYTX, CPP):
        assert (False, 100.0) == (
            compare(long, clip, rules).is_match, compare(long, clip, rules).compared_percent,
        )  # fmt: skip
        assert compare(clip, long, rules).is_match


def test_nothing_matches_nothing() -> None:
    """Lists of which nothing is counted are no match, and no division by zero."""
    none, one = hash_list([(BASE, 0)]), hash_list([(BASE, 100)])
    for rules in (PYTX, CPP):
        for query, compared in ((none, one), (one, none), (none, none)):
            assert not compare(query, compared, rules).is_match


@pytest.mark.parametrize("rules", [PYTX, CPP], ids=["pytx", "cpp"])
@pytest.mark.parametrize("seed", range(4))
def test_the_fast_way_says_what_the_slow_one_says(
    rules: MatcherRules, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On lists with repeats, near hashes and every quality; however many are compared at once."""
    monkeypatch.setattr("vscan.matching.compat._BLOCK_PAIRS", 100)
    rng = np.random.default_rng(seed)

    def pairs() -> Pairs:
        return [(flipped(int(rng.integers(0, 70))), int(rng.integers(40, 60))) for _ in range(40)]

    query, known = pairs(), pairs()
    expected = compare_reference(query, known, rules)
    assert expected == compare(hash_list(query), hash_list(known), rules)
    assert 0 < expected.query_hashes < 40


def test_an_unknown_matcher() -> None:
    """A wrong name is a usage error with the right ones."""
    with pytest.raises(UsageError) as refused:
        rules_named("tmk")
    assert "pytx, cpp" in refused.value.remedy


def test_a_list_of_the_wrong_shape() -> None:
    """A list checks itself."""
    with pytest.raises(ValueError, match="N=1"):
        HashList(np.zeros((2, 32), np.uint8), np.zeros(1, np.uint8))


@pytest.mark.skipif(not INTEROP, reason="VSCAN_INTEROP names no folder of partners' files")
@pytest.mark.parametrize("rules", [PYTX, CPP], ids=["pytx", "cpp"])
def test_metas_own_hashes(rules: MatcherRules) -> None:
    """On the clips that Meta ships: the two cuts of one scene agree, the large logo hides it."""
    lists = {
        file.stem: [(each.value, each.quality or 0) for each in vpdq_text.read(data, file.name)]
        for file in sorted(Path(INTEROP or "").glob("vpdq-*.txt"))
        if (data := file.read_bytes())
    }
    matches = {
        (one, other)
        for one in lists
        for other in lists
        if compare(hash_list(lists[one]), hash_list(lists[other]), rules).is_match
    }
    clips = "vpdq-chair-19-sd-bar", "vpdq-chair-20-sd-bar", "vpdq-chair-22-sd-grey-bar"
    hidden = "vpdq-chair-22-with-large-logo-bar"
    assert {(one, other) for one in clips for other in clips} | {(hidden, hidden)} == matches
    few = {name: pairs[::7] for name, pairs in lists.items()}
    for one in few.values():
        for other in few.values():
            expected = compare_reference(one, other, rules)
            assert expected == compare(hash_list(one), hash_list(other), rules)
