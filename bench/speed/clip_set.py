"""A set of clips on disk: which there are, and how they were made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vscan.errors import UsageError

MANIFEST = "set.json"


@dataclass(frozen=True)
class Clip:
    """One clip of a set."""

    file: str
    """Below the set's folder."""
    made_of: str
    """The video whose seconds it shows."""
    seconds: float
    rate: float
    """Pictures a second."""
    width: int
    height: int


@dataclass(frozen=True)
class ClipSet:
    """Clips of one seed."""

    folder: Path
    seed: int
    gop_s: float
    """Seconds from keyframe to keyframe."""
    preset: str
    """Of x264."""
    clips: tuple[Clip, ...]

    @property
    def paths(self) -> list[Path]:
        """Of every clip, in order."""
        return [self.folder / clip.file for clip in self.clips]

    @property
    def seconds(self) -> float:
        """Of all clips together."""
        return sum(clip.seconds for clip in self.clips)

    def __str__(self) -> str:
        sizes = sorted({max(clip.width, clip.height) for clip in self.clips})
        return (
            f"{len(self.clips)} clips of {self.seconds:.0f} s together, seed {self.seed}, "
            f"long side {sizes[0]} to {sizes[-1]}, H.264 by x264 {self.preset}, "
            f"a keyframe every {self.gop_s:g} s"
        )


def write_clip_set(made: ClipSet) -> None:
    """Write the set's manifest into its folder."""
    said: dict[str, Any] = asdict(made)
    del said["folder"]
    (made.folder / MANIFEST).write_text(json.dumps(said, indent=1) + "\n", "utf-8")


def read_clip_set(folder: Path, limit: int | None = None) -> ClipSet:
    """The set in a folder, or its first `limit` clips. Raises UsageError where there is none, or
    where clips are missing."""
    try:
        said = json.loads((folder / MANIFEST).read_text("utf-8"))
        clips = tuple(Clip(**clip) for clip in said.pop("clips")[:limit])
        found = ClipSet(folder=folder, clips=clips, **said)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"{folder}: no set of clips ({error})", remedy="make one: python -m bench.speed make"
        ) from error
    require_files(found.paths)
    return found


def require_files(paths: Sequence[Path]) -> None:
    """Raises UsageError where one of the files is not there."""
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise UsageError(
            f"{missing[0]}: not there, nor {len(missing) - 1} more", remedy="make the set again"
        )
