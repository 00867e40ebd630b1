"""Columns from end to end: a small set is made, searched and scored; the peer by a stand-in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bench.copies import planning
from bench.copies.hard_edits import EDITS
from bench.copies.kinship import Kinship
from bench.copies.making import Wanted, make_set
from bench.copies.running import Choice, run_columns
from bench.copies.scoring import score_predictions
from bench.copies.set_files import CopySet, read_segments

from tests.media_factory import scene_frames, write_video
from vscan.errors import UsageError

STAND_IN = """\
import pathlib
class Feature:
    def __init__(self, hex, quality):
        self.hex, self.quality = hex, quality
def computeHash(path, seconds_per_hash):
    assert seconds_per_hash == 1
    name = pathlib.Path(path).name
    if "mirror" in name:
        raise Exception("cannot be hashed")
    print("a line of the library's own")
    known = "R000002" in name or name.startswith("b_mp4")
    return [Feature("ff" * 32 if known else "00" * 32, 100), Feature("0f" * 32, 49)]
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> CopySet:
    """Two originals, each in grey and mirrored."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "videos").mkdir()
    for seed, name in enumerate("ab"):
        frames = scene_frames(seed=seed, count=30, width=160, height=128)
        write_video(folder / "videos" / f"{name}.mp4", frames, fps=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "EDITS", {name: EDITS[name] for name in ("grey", "mirror")})
        patch.setattr(planning, "NEEDLES_EACH", 0)
        patch.setattr(planning, "DISTRACTORS", {})
        patch.setattr(planning, "TRAPS", {})
        wanted = Wanted(videos=folder / "videos", seed=1, kinship=Kinship(), processes=1)
        return make_set(wanted, folder / "set", lambda _: None)


def choice(*columns: str) -> Choice:
    """These columns, vPDQ's by this interpreter."""
    return Choice(columns, "fps:1", "builtin", 1, Path(sys.executable))


def test_pdq_finds_what_pdq_is_made_for(tiny: CopySet) -> None:
    """Grey and mirrored copies are found, each at its place, and no other pair."""
    lines = list(run_columns(tiny.folder, choice("pdq"), command="run"))
    scores = score_predictions(tiny, read_segments(tiny.folder / "predictions-pdq.csv"))
    assert [(group.name, group.found, group.micro_ap) for group in scores.groups] == [
        ("plain", 4, 1.0)
    ]
    assert scores.false_pairs == ()
    assert max(spread.p90 for spread in scores.boundaries.values()) <= 1.0
    assert any(line.startswith("searching: wall s") for line in lines)


def test_the_peer_is_matched_by_its_rule(tiny: CopySet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of low quality do not count, a video that cannot be hashed is named, times are not."""
    module = tiny.folder / "stand-in"
    module.mkdir()
    (module / "vpdq.py").write_text(STAND_IN, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(module))
    lines = list(run_columns(tiny.folder, choice("vpdq"), command="run"))
    found = read_segments(tiny.folder / "predictions-vpdq.csv")
    assert [(each.query_id, each.ref_id, each.score, each.query_start) for each in found] == [
        ("Q000001", "R000001", 1.0, None), ("Q000003", "R000002", 1.0, None),
    ]  # fmt: skip
    assert sum("cannot be hashed" in line for line in lines) == 2


def test_a_column_that_cannot_run_does_not_stop_the_others(
    tiny: CopySet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without vpdq its column is named with the reason, and the next one is run."""
    (tmp_path / "vpdq.py").write_text("raise ImportError\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    lines = list(run_columns(tiny.folder, choice("vpdq", "pdq"), command="run"))
    assert any(line.startswith("vpdq: not run: ") for line in lines)
    assert any(line.startswith("searching: wall s") for line in lines)


def test_an_unknown_column_is_refused(tiny: CopySet) -> None:
    """A column that is none is an error before anything is searched."""
    with pytest.raises(UsageError, match="nosuch"):
        next(run_columns(tiny.folder, choice("nosuch"), command="run"))
