"""The set of the demonstration's scenes: what is drawn, and what truth the copies come with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from bench.copies import demo_scenes
from bench.copies.demo_scenes import COPIES, make_demo_set, scene_videos
from bench.copies.set_files import read_set

from vscan.demo.scenes import FPS


def test_no_pictogram_is_in_two_videos() -> None:
    """References are eight, distractors as many, each of 4 s or more with pictograms of its own."""
    for seed in range(5):
        known, others = scene_videos(seed)
        assert (len(known), len(others)) == (8, 8)
        shown = Counter(
            name for video in [*known, *others] for scene in video for name in scene.sprites
        )
        assert set(shown.values()) == {1}
        assert all(sum(scene.seconds for scene in video) >= 4 for video in [*known, *others])
        assert all(len(video) >= 2 for video in [*known, *others])


def test_scenes_follow_from_the_seed() -> None:
    """The same seed draws the same videos, another one others, after the demonstration's own."""
    assert scene_videos(1) == scene_videos(1)
    one, two = scene_videos(1)[0], scene_videos(2)[0]
    assert one[0] == two[0]
    assert all(a != b for a, b in zip(one[1:], two[1:], strict=True))


def test_copies_hold_all_of_their_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reference has its three copies, true from end to end; distractors have no truth."""
    monkeypatch.setattr(demo_scenes, "REFERENCES", 2)
    monkeypatch.setattr(demo_scenes, "DISTRACTORS", 1)
    said: list[str] = []
    copies = make_demo_set(tmp_path, said.append, seed=1, processes=1)
    assert read_set(tmp_path).queries == copies.queries
    by_reference = {reference.original: reference.ref_id for reference in copies.references}
    assert [query.edit for query in copies.queries] == [*COPIES, *COPIES, "video"]
    lengths = {f"known-{k}.mp4": sum(round(scene.seconds * FPS) for scene in video) / FPS
               for k, video in enumerate(scene_videos(1)[0], start=1)}  # fmt: skip
    queries = {query.query_id: query for query in copies.queries}
    assert len(copies.truth) == 6
    for each in copies.truth:
        name = queries[each.query_id].original
        assert each.ref_id == by_reference[name]
        assert (each.query_start, each.ref_start) == (0.0, 0.0)
        assert each.query_end == pytest.approx(lengths[name], abs=0.01)
        assert each.ref_end == pytest.approx(lengths[name], abs=0.01)
    files = [each.file for each in copies.queries] + [each.file for each in copies.references]
    assert all((tmp_path / file).is_file() for file in files)
    make_demo_set(tmp_path, said.append, seed=1, processes=1)
    assert said[-1] == "6 videos, 0 of them to make"
