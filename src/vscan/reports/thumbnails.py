"""Blurred, grey, small pictures of the frames at which findings are strongest.

The reader process itself shrinks a frame to 16 x 16 grey levels' worth of pixels and sends nothing
more, so that no clearer picture of it is ever in this process, let alone in a file. What is lost in
shrinking is in no pixel any more: nobody can get it back from the page.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from vscan.at_hand import at_hand
from vscan.errors import SourceError, VscanError
from vscan.store.browse import Record

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from vscan.decode.workers import ReaderPool

SMALL = 16
"""Pixels of each side that a frame is shrunk to, whatever its shape."""
WIDTH = 160
"""Pixels of the picture that is shown, as which the small one is drawn again, smoothly."""
MOST_HEIGHT = 284
QUALITY = 60
"""Of JPEG, 1..95."""
MOST_SHOTS = 4
"""Pictures of one video at most: of its strongest findings."""
EARLIER_S = 0.001
"""Times in a record are rounded: the frame itself may come that much before."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One blurred frame, or why there is none."""

    time_s: float
    data: str = ""
    """`data:image/jpeg;base64,…`; empty where there is none."""
    problem: str = ""


def thumbnails(records: Iterable[Record]) -> Iterator[tuple[str, tuple[Shot, ...]]]:
    """Of each record with findings its id and its blurred frames, in the records' order.

    Files are read as a scan reads them, in a confined process. One that is not there, that cannot
    be read or is not the file that was judged any more has the reason instead of a picture.
    """
    from vscan.decode.workers import ReaderPool

    with closing(ReaderPool(1)) as readers:
        for record in records:
            times_s = _times(record)
            if times_s:
                yield record["id"], tuple(_shots(record, times_s, readers))


def _times(record: Record) -> list[float]:
    """Of the strongest findings, the peak of the strongest segment, ascending."""
    findings = [each for each in record["findings"] if each["segments"]]
    strongest = sorted(findings, key=lambda each: -each["score"])[:MOST_SHOTS]
    peaks = (max(each["segments"], key=lambda one: one["score"])["peak_s"] for each in strongest)
    return sorted({max(0.0, float(peak)) for peak in peaks})


def _shots(record: Record, times_s: list[float], readers: ReaderPool) -> Iterator[Shot]:
    try:
        with at_hand(_name(record)) as path:
            pictures = _pictures(path, record["source"]["sha256"], times_s, readers)
    except VscanError as error:
        problem = error.message.splitlines()[0]
        yield from (Shot(time_s=each, problem=problem) for each in times_s)
        return
    height = _height(record["source"]["width"], record["source"]["height"])
    for time_s in times_s:
        picture = pictures.get(time_s)
        if picture is None:
            yield Shot(time_s=time_s, problem="there is no frame at that time")
        else:
            yield Shot(time_s=time_s, data=_data(picture, height))


def _name(record: Record) -> str:
    uri = record["source"]["uri"]
    if uri.startswith("bytes:"):
        raise SourceError("not_found", "its name is not UTF-8 and cannot be told from the record")
    return str(uri)


def _pictures(
    path: Path, sha256: str | None, times_s: list[float], readers: ReaderPool
) -> dict[float, NDArray[np.uint8]]:
    """By time, the (SMALL, SMALL, 3) picture of the frame there. Raises VscanError."""
    from vscan.decode.process import ProcessFailed
    from vscan.digests import file_digests
    from vscan.media import ImageSpec, Measure
    from vscan.sampling import TimesRequest

    digests = file_digests(path)
    if digests.sha256 != sha256:
        raise SourceError("changed_while_read", "the file is not the one that was judged")
    image = ImageSpec(SMALL, SMALL, resize_mode="squash", interpolation="bilinear")
    request = TimesRequest(tuple(max(0.0, each - EARLIER_S) for each in times_s))
    found: list[tuple[float, NDArray[np.uint8]]] = []
    try:
        with readers.session(path, digests.stamp) as video:
            for batch in video.read(request, Measure(image=image)):
                found += zip(batch.times_s.tolist(), batch.images, strict=True)
    except ProcessFailed as failure:
        raise SourceError(failure.code, failure.message) from failure
    # One frame may answer two times that lie closer together than frames do.
    return {each: min(found, key=lambda one: abs(one[0] - each))[1] for each in times_s if found}


def _height(width: float | None, height: float | None) -> int:
    if not width or not height:
        return WIDTH
    return min(MOST_HEIGHT, max(1, round(WIDTH * height / width)))


def _data(picture: NDArray[np.uint8], height: int) -> str:
    from PIL import Image

    small = Image.fromarray(picture).convert("L")
    shown, out = small.resize((WIDTH, height), Image.Resampling.BICUBIC), BytesIO()
    shown.save(out, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")
