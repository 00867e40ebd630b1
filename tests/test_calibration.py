"""Calibrating: other videos become the index's background and set its operating point."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Vscan
from vscan.calibration import calibrate_index
from vscan.demo.scenes import Scene, play
from vscan.demo.story import write_video
from vscan.errors import ExemplarIndexError
from vscan.exemplars.index import ExemplarIndex
from vscan.indexing import Label, add_exemplars, new_index, search_index
from vscan.settings import ScanSettings
from vscan.sources import find_sources

EMBEDDING = ScanSettings(model="builtin", signals=("embedding",), workers=1)
RUN = ScanSettings(workers=1)
KNOWN = (Scene(2, ("elephant",), seed=1), Scene(2, ("umbrella",), seed=2))
OTHERS = (
    ("dog face", "pizza", "banana", "automobile", "house", "bus", "bicycle", "camera"),
    ("cat face", "soccer ball", "guitar", "rose", "butterfly", "laptop", "t-shirt", "basketball"),
    ("lion", "snake", "fish", "hamburger", "birthday cake", "airplane", "red apple", "tiger"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of one drawn clip, a copy of that, and three videos of other pictograms."""
    from vscan.embeddings import builtin

    root = tmp_path_factory.mktemp("calibrated")
    write_video(root / "known.mp4", play(KNOWN))
    write_video(root / "copy.mp4", play(KNOWN), crf=34)
    drawn = {sprite.name for sprite in builtin.sprites()}
    for k, names in enumerate(OTHERS):
        scenes = [
            Scene(1, (name,) if name in drawn else (), seed=100 + 10 * k + n)
            for n, name in enumerate(names)
        ]
        write_video(root / "others" / f"{k}.mp4", play(scenes))
    new_index(root / "index", settings=EMBEDDING)
    sources = find_sources([str(root / "known.mp4")])
    list(add_exemplars(root / "index", sources, Label(policy="a.b"), settings=RUN))
    return root


def test_others_become_the_background_and_the_copy_is_still_found(folder: Path) -> None:
    """After it a copy matches, no other video does, and the record says the new point."""
    index, others = folder / "index", str(folder / "others")
    before = ExemplarIndex.open(index)
    done = calibrate_index(index, find_sources([others]), settings=RUN)
    after = ExemplarIndex.open(index)
    assert after.background is not None
    assert after.manifest.model is not None
    assert (3, len(after.background)) == (done.videos, done.vectors)
    assert done.match_similarity == after.manifest.model.match_similarity
    assert before.digest != after.digest
    searched = search_index(index, find_sources([str(folder / "copy.mp4"), others]), settings=RUN)
    found = {Path(each.uri).stem: len(each.matches) for each in searched}
    assert found.pop("copy") > 0
    assert {"0": 0, "1": 0, "2": 0} == found
    again = calibrate_index(index, find_sources([others]), settings=RUN)
    assert after.digest == ExemplarIndex.open(index).digest
    assert (done.match_similarity, done.nearest) == (again.match_similarity, again.nearest)


def test_too_little_is_refused_and_changes_nothing(folder: Path) -> None:
    """A video of few pictures teaches nothing; the index stays as it was."""
    before = ExemplarIndex.open(folder / "index").digest
    with pytest.raises(ExemplarIndexError, match="different pictures"):
        calibrate_index(folder / "index", find_sources([str(folder / "copy.mp4")]), settings=RUN)
    assert before == ExemplarIndex.open(folder / "index").digest


def test_the_command(folder: Path, vscan: Vscan) -> None:
    """It tells the point and what it was learnt from; a broken video costs the others nothing."""
    broken = folder / "broken.mp4"
    broken.write_bytes(b"no video")
    ran = vscan("index", "calibrate", folder / "index", folder / "others", broken, "--json")
    (told,) = ran.records
    assert 3 == ran.code
    assert [str(broken)] == told["errors"]
    assert 3 == told["videos"]
    manifest = ExemplarIndex.open(folder / "index").manifest
    assert manifest.model is not None
    assert told["match_similarity"] == manifest.model.match_similarity
    plain = vscan("index", "calibrate", folder / "index", folder / "others")
    assert 0 == plain.code
    assert f"match similarity {told['match_similarity']}" in plain.out.decode()
