"""Blurred frames: of the right time, nothing sharper than 16 pixels, and a word where none is."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.media_factory import write_video
from tests.reports.scanned import long_video

from vscan.digests import file_digests
from vscan.reports.thumbnails import SMALL, WIDTH, Shot, thumbnails
from vscan.verdicts import Segment, Verdict


def frames() -> Iterator[NDArray[np.uint8]]:
    """Black for two seconds, then a fine red and white chequerboard, at 5 frames a second."""
    fine = np.indices((96, 128)).sum(axis=0) // 4 % 2 == 0
    board = np.where(fine[:, :, None], [255, 0, 0], [255, 255, 255]).astype(np.uint8)
    yield from [np.zeros_like(board)] * 10
    yield from [board] * 10


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Those frames as a file."""
    write_video(tmp_path / "v.mp4", frames(), fps=5)
    return tmp_path / "v.mp4"


def peaking(video: Path, peak_s: float, *, sha256: str | None = None) -> Verdict:
    """A verdict on the file whose strongest moment is at that time."""
    digest = file_digests(video).sha256 if sha256 is None else sha256
    made = long_video(str(video), "weapons", sha256=digest)
    segment = Segment(start_s=0.0, end_s=4.0, peak_s=peak_s, score=0.9)
    finding = replace(made.findings[0], segments=(segment,))
    source = replace(made.source, width=128, height=96)
    return replace(made, findings=(finding,), source=source)


def only(verdict: Verdict) -> Shot:
    """The one blurred frame of a verdict."""
    ((_, (shot,)),) = thumbnails([verdict.as_dict()])
    return shot


def pixels(shot: Shot) -> NDArray[np.float64]:
    """(H, W) grey levels of the picture as it is shown."""
    head, data = shot.data.split(",")
    assert "data:image/jpeg;base64" == head
    picture = Image.open(BytesIO(base64.b64decode(data)))
    assert "L" == picture.mode and not picture.getexif()
    return np.asarray(picture, np.float64)


def test_it_is_the_frame_of_that_time(video: Path) -> None:
    """Dark before two seconds, light after; grey, 160 pixels wide, in the shape of the video."""
    dark, light = pixels(only(peaking(video, 1.0))), pixels(only(peaking(video, 2.6)))
    assert (120, WIDTH) == dark.shape == light.shape
    assert dark.mean() < 20 and light.mean() > 100


def test_what_is_fine_is_gone(video: Path) -> None:
    """A chequerboard of 4 pixels, clear in the video, is even in the picture: the detail is in no
    pixel of it, however it is sharpened."""
    shown = pixels(only(peaking(video, 2.6)))
    assert shown.std() < 8
    small = np.asarray(Image.fromarray(shown.astype(np.uint8)).resize((SMALL, SMALL)))
    again = np.asarray(
        Image.fromarray(small).resize((WIDTH, 120), Image.Resampling.BICUBIC), np.float64
    )
    assert np.abs(again - shown).max() < 16


def test_the_last_frame_has_one(video: Path) -> None:
    """A time that was rounded up past the last frame's is still that frame's."""
    assert only(peaking(video, 3.8)).data


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sha256": "cd" * 32}, "not the one that was judged"),
        ({"uri": "gone.mp4"}, "no file of this name"),
        ({"uri": "ftp://host/a.mp4"}, "ftp:// is unknown"),
        ({"uri": "bytes:a\\xff.mp4"}, "not UTF-8"),
    ],
)
def test_no_picture_but_a_word(video: Path, change: dict[str, str], told: str) -> None:
    """Another file than was judged is never shown; one that is not there is told, not an error."""
    made = peaking(video, 1.0)
    shot = only(replace(made, source=replace(made.source, **change)))  # type: ignore[arg-type]
    assert "" == shot.data and told in shot.problem


def test_no_picture_of_what_does_not_decode(tmp_path: Path, video: Path) -> None:
    """A file that is damaged gives its reason; the others have their pictures all the same, in
    the same order, and a video without a finding has none."""
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(video.read_bytes()[:700])
    verdicts = [peaking(broken, 1.0), long_video("clear.mp4"), peaking(video, 1.0)]
    made = [shots for _, shots in thumbnails([each.as_dict() for each in verdicts])]
    assert [False, True] == [bool(shot.data) for (shot,) in made]
    assert made[0][0].problem
