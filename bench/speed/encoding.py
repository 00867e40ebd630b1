"""Pictures to H.264 files with a keyframe every so many seconds exactly, cuts or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from bench.copies.encoding import CRF, to_i420
from bench.copies.timeline import Picture


def write_clip(path: Path, pictures: Iterable[Picture], **how: Any) -> int:
    """`write_clips` for one length of a group of pictures: `gop_s` beside `rate` and `preset`."""
    gop_s = float(how.pop("gop_s"))
    return write_clips({gop_s: path}, pictures, **how)


def write_clips(
    paths: Mapping[float, Path], pictures: Iterable[Picture], *, rate: Fraction, preset: str
) -> int:
    """Encode the same pictures (BGR) once for each length of a group of pictures, in seconds.

    paths: by seconds from keyframe to keyframe. rate: pictures a second. preset: of x264, with the
    B-frames, references and entropy coding that it stands for. Writes yuv420p in MP4, in one
    thread, so that the same pictures make the same bytes; a file appears when it is whole.
    Returns how many pictures there were. Raises ValueError where there is none.
    """
    count = 0
    with ExitStack() as stack:
        writers: list[_Writer] = []
        for picture in pictures:
            if not writers:
                size = (picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2)
                writers = [
                    _Writer(stack, path, size, rate, preset, gop_s) for gop_s, path in paths.items()
                ]
            planes = to_i420(picture)
            for writer in writers:
                writer.add(planes, count)
            count += 1
        for writer in writers:
            writer.end()
    if not count:
        raise ValueError(f"{', '.join(path.name for path in paths.values())}: no pictures to write")
    for path in paths.values():
        _unfinished(path).replace(path)
    return count


class _Writer:
    """One file that is being written."""

    def __init__(
        self,
        stack: ExitStack,
        path: Path,
        size: tuple[int, int],
        rate: Fraction,
        preset: str,
        gop_s: float,
    ) -> None:
        import av

        path.parent.mkdir(parents=True, exist_ok=True)
        self._rate = rate
        self._container = stack.enter_context(av.open(str(_unfinished(path)), "w", format="mp4"))
        every = round(gop_s * rate)
        # A scene cut must not be given a keyframe: who looks at keyframes alone would find the
        # beginning of each event in the very first of its frames.
        options = {
            "crf": str(CRF),
            "preset": preset,
            "x264-params": f"keyint={every}:min-keyint={every}:scenecut=0:open-gop=0",
        }
        stream = self._container.add_stream("libx264", rate=rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        self._stream = stream

    def add(self, planes: Picture, number: int) -> None:
        """The next picture as I420 planes."""
        import av

        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = number, 1 / self._rate
        self._container.mux(self._stream.encode(frame))

    def end(self) -> None:
        """What the encoder still holds."""
        self._container.mux(self._stream.encode(None))


def _unfinished(path: Path) -> Path:
    return path.with_name(path.name + ".part")
