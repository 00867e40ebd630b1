"""What the demonstration shows: each clip, how it is made, and what a scan must say of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from vscan.demo.scenes import FPS, HEIGHT, WIDTH, Frame, Scene, play
from vscan.verdicts import Outcome

EXEMPLAR = "hoax-clip.mp4"
"""The known clip: harmless to look at, so that only the exemplar index can find it."""
EXEMPLAR_POLICY = "hoax.known_clip"
"""Not a policy of the demo pack: a match with it is `known-content`."""

HOAX = (
    Scene(3, ("elephant", "airplane"), seed=71, size=0.6),
    Scene(3, ("umbrella",), seed=72, size=0.7),
    Scene(3, ("musical keyboard", "butterfly"), seed=73, size=0.6),
)


@dataclass(frozen=True)
class Clip:
    """One video of the demonstration."""

    name: str
    about: str
    scenes: tuple[Scene, ...] = ()
    outcome: Outcome = "clear"
    """What a scan must say."""
    policy: str | None = None
    """The policy that must fire; None: none may."""
    from_s: float = 0.0
    """Where that policy's content begins, seconds."""
    to_s: float = 0.0
    crf: int = 23
    """x264's quality, 0 best to 51 worst."""
    mirrored_and_cropped: bool = False
    damaged: bool = False

    def frames(self) -> Iterator[Frame]:
        """The clip's frames at FPS."""
        frames: Iterable[Frame] = play(self.scenes)
        return (mirror_and_crop(f) for f in frames) if self.mirrored_and_cropped else iter(frames)


CLIPS = (
    Clip("clean/pets.mp4", "a dog, then a cat",
         (Scene(4, ("dog face",), seed=11), Scene(4, ("cat face",), seed=12))),
    Clip("clean/lunch.mp4", "pizza and coffee",
         (Scene(5, ("pizza",), seed=21), Scene(4, ("hot beverage",), seed=22))),
    Clip("clean/nothing.mp4", "a background and nothing on it", (Scene(8, seed=31),)),
    Clip("knife.mp4", "a knife from 3 s to 7 s",
         (Scene(3, ("red apple",), seed=41), Scene(4, ("kitchen knife",), seed=42, size=0.7),
          Scene(3, ("banana",), seed=43)),
         "violation", "weapons", 3.0, 7.0),
    Clip("party.mp4", "beer from 4 s to 8 s",
         (Scene(4, ("birthday cake",), seed=51),
          Scene(4, ("clinking beer mugs",), seed=52, size=0.7),
          Scene(2, ("grinning face",), seed=53)),
         "review", "alcohol", 4.0, 8.0),
    Clip("bets.mp4", "a slot machine from 2 s to 7 s",
         (Scene(2, ("soccer ball",), seed=61), Scene(5, ("slot machine",), seed=62, size=0.7)),
         "review", "gambling", 2.0, 7.0),
    Clip("reupload.mp4", "the known clip's first 9 s, compressed hard, after 4 s of something else",
         (Scene(4, ("house",), seed=81), *HOAX),
         "review", "known-content", 4.0, 13.0, crf=34),
    Clip("mirrored.mp4", "the known clip, mirrored and cropped to 80 %, between other scenes",
         (Scene(3, ("bicycle",), seed=91), *HOAX, Scene(3, ("automobile",), seed=92)),
         "review", "known-content", 3.0, 12.0, crf=30, mirrored_and_cropped=True),
    Clip("broken.mp4", "the first bytes of a video, then nothing",
         (Scene(2, ("bus",), seed=95),), "error", damaged=True),
)  # fmt: skip


def mirror_and_crop(frame: Frame) -> Frame:
    """The middle 80 % of the frame, left and right swapped, in the frame's own size."""
    dx, dy = WIDTH // 10, HEIGHT // 10
    picture = Image.fromarray(frame[dy : HEIGHT - dy, dx : WIDTH - dx][:, ::-1])
    return np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def write_clips(folder: Path) -> list[Path]:
    """Make every clip below `folder/videos` and the known clip in `folder/exemplars`."""
    written = [folder / "exemplars" / EXEMPLAR]
    write_video(written[0], play(HOAX))
    for clip in CLIPS:
        path = folder / "videos" / clip.name
        write_video(path, clip.frames(), crf=clip.crf)
        if clip.damaged:
            path.write_bytes(path.read_bytes()[:600])
        written.append(path)
    return written


def write_video(path: Path, frames: Iterable[Frame], *, crf: int = 23, fps: int = FPS) -> None:
    """Encode frames of WIDTH x HEIGHT, `fps` a second, as H.264 in MP4."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # The bytes must not depend on the machine: one thread, whatever its number of cores, and no
        # macroblock tree, which in x264 differs from run to run where the CPU has AVX-512.
        stream.options = {"crf": str(crf), "preset": "veryfast", "threads": "1", "mbtree": "0"}
        stream.time_base = Fraction(1, fps)
        for i, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            picture.pts, picture.time_base = i, Fraction(1, fps)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
