"""A set of the demonstration's own scenes: what the built-in model's embedding finds in its world.

References are scene videos drawn by vscan.demo, queries are their recompressed, cropped and
mirrored copies, and as many scene videos with none of the references' pictograms match nothing.
Whether the embedding tells apart two videos of one pictogram on other grounds is not asked here:
it embeds what is shown, and takes them for alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.copies.edits import between, one_of, seeded
from bench.copies.hard_edits import EDITS
from bench.copies.kinship import Roles
from bench.copies.making import Plan, make_planned
from bench.copies.originals import Original, look_at
from bench.copies.planning import Job, edit_jobs
from bench.copies.set_files import CopySet
from vscan.demo.scenes import Scene, play
from vscan.demo.story import HOAX, write_video
from vscan.embeddings import builtin

REFERENCES = DISTRACTORS = 8
COPIES = ("recompress", "crop80", "mirror")
"""The edits, by name; all are plain ones."""
SCENES_EACH = 3
SCENE_S = (1.5, 3.0)
MOST_PICTOGRAMS = 2
"""Of one scene."""

SceneVideo = tuple[Scene, ...]


def make_demo_set(
    out: Path, say: Callable[[str], None], *, seed: int, processes: int = 2
) -> CopySet:
    """Draw the scene videos and make the set in the folder `out`, or what of it is missing."""
    known, others = scene_videos(seed)
    say(f"drawing {len(known) + len(others)} videos of the demonstration's scenes")
    originals = list(_written(known, "known", out / "scenes"))
    distractors = list(_written(others, "other", out / "scenes"))
    roles = Roles(tuple(o.name for o in originals), tuple(d.name for d in distractors))
    plan = Plan(
        tuple(_jobs(originals, seed)),
        tuple(originals),
        tuple(distractors),
        roles,
        {"seed": seed, "scenes": "vscan.demo"},
    )
    return make_planned(plan, out, say, processes=processes)


def scene_videos(seed: int) -> tuple[list[SceneVideo], list[SceneVideo]]:
    """The references, the demonstration's known clip first, and the distractors.

    No pictogram is in two videos.
    """
    rng = seeded(seed, "demo scenes")
    taken = {name for scene in HOAX for name in scene.sprites}
    names = [sprite.name for sprite in builtin.sprites() if sprite.name not in taken]
    rng.shuffle(names)
    drawn = [_draw_video(rng, names) for _ in range(REFERENCES - 1 + DISTRACTORS)]
    return [HOAX, *drawn[: REFERENCES - 1]], drawn[REFERENCES - 1 :]


def _draw_video(rng: np.random.Generator, names: list[str]) -> SceneVideo:
    """Scenes with the last of `names`, which are taken off it."""
    scenes = []
    # One scene alone holds two pictograms: there are too few for every video to hold more.
    full = int(rng.integers(SCENES_EACH))
    for k in range(SCENES_EACH):
        sprites = tuple(names.pop() for _ in range(MOST_PICTOGRAMS if k == full else 1))
        seconds = between(rng, *SCENE_S)
        size = one_of(rng, 0.55, 0.6, 0.7)
        scenes.append(Scene(seconds, sprites, seed=int(rng.integers(2**31)), size=size))
    return tuple(scenes)


def _written(videos: Sequence[SceneVideo], kind: str, folder: Path) -> Iterator[Original]:
    for k, scenes in enumerate(videos, start=1):
        path = folder / f"{kind}-{k}.mp4"
        write_video(path, play(scenes))
        found = look_at(path, path.name)
        assert isinstance(found, Original), found
        yield found


def _jobs(originals: Sequence[Original], seed: int) -> Iterator[Job]:
    edits = [EDITS[name] for name in COPIES]
    for original in originals:
        yield from edit_jobs(original, edits, seed)
