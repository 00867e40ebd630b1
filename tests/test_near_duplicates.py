"""Real near-duplicates, where VSCAN_CORPUS names them: they find each other, nothing else does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from vscan.indexing import Label, add_exemplars, new_index, search_index
from vscan.matching.match import Match
from vscan.settings import ScanSettings
from vscan.sources import find_sources

CORPUS = Path(os.environ.get("VSCAN_CORPUS", "absent"))
BEGINS_S = {
    "tmk-chair-19-sd-bar.mp4": 3.7,
    "tmk-chair-20-sd-bar.mp4": 2.0,
    "tmk-chair-22-sd-grey-bar.mp4": 0.0,
    "tmk-chair-22-sd-sepia-bar.mp4": 0.0,
    "tmk-chair-22-with-large-logo-bar.mp4": 0.0,
    "tmk-chair-22-with-small-logo-bar.mp4": 0.0,
    "tmk-chair-orig-22-sd-bar.mp4": 0.0,
}
"""Seconds into the longest version at which each one begins."""
STEP_S = 1.0
SIGNALS = ("pdq", "keypoints")

pytestmark = [
    pytest.mark.skipif(
        not (CORPUS / "near-duplicates").is_dir(), reason="VSCAN_CORPUS names no near-duplicates"
    ),
    pytest.mark.timeout(900),
]


@dataclass(frozen=True)
class Found:
    """All matches by name of the video and name of the exemplar."""

    matches: dict[tuple[str, str], list[Match]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """The seven clips as exemplars, every video of the corpus searched in them."""
    path = tmp_path_factory.mktemp("near") / "index"
    settings = ScanSettings(signals=SIGNALS)
    new_index(path, name="near", settings=settings)
    clips = find_sources([str(CORPUS / "near-duplicates")])
    names = {}
    for added in add_exemplars(path, clips, Label(policy="test.known"), settings=settings):
        assert added.exemplar is not None, added.error
        names[added.exemplar.id] = Path(added.uri).name
    matches: dict[tuple[str, str], list[Match]] = {}
    sources = find_sources([str(CORPUS / each) for each in ("near-duplicates", "plain", "hard")])
    for searched in search_index(path, sources, settings=ScanSettings()):
        for match in searched.matches:
            key = (Path(searched.uri).name, names[match.exemplar])
            matches.setdefault(key, []).append(match)
    yield Found(matches)


@pytest.mark.parametrize(("video", "exemplar"), [*product(BEGINS_S, BEGINS_S)])
def test_each_finds_each_at_the_right_times(found: Found, video: str, exemplar: str) -> None:
    """Every version finds every other, at an offset that is right to one sampling step."""
    matches = found.matches.get((video, exemplar), [])
    offset_s = BEGINS_S[video] - BEGINS_S[exemplar]
    right = [
        match
        for match in matches
        if abs(match.exemplar_span.start_s - match.source_span.start_s - offset_s) <= STEP_S
        and match.speed == pytest.approx(1.0, abs=0.05)
        and match.transform == "identity"
    ]
    covered = sum(match.source_span.length_s for match in right if match.signal == "keypoints")
    wrong = [m.source_span.pair() for m in matches if m not in right]
    assert not [pair for pair in wrong if pair[1] - pair[0] > 2 * STEP_S], matches
    assert covered >= 15.0, matches


def test_nothing_else_matches_them(found: Found) -> None:
    """No other video of the corpus matches any of the seven, in either signal."""
    assert set() == {video for video, _ in found.matches} - set(BEGINS_S)


def test_a_large_logo_needs_another_signal(found: Found) -> None:
    """Where the logo puts hashes beyond a match for the most part, keypoints cover the clip."""
    matches = found.matches["tmk-chair-22-with-large-logo-bar.mp4", "tmk-chair-orig-22-sd-bar.mp4"]
    by_signal = {
        signal: sum(m.source_span.length_s for m in matches if m.signal == signal)
        for signal in SIGNALS
    }
    assert by_signal["keypoints"] >= 18.0
