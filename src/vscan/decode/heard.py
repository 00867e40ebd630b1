"""What a reader process says, held against what it may say: a decoder that was taken over is not
believed, and harms its own file alone.

Pictures of several videos share the model's batches, so one of another size would fail for all of
them; and numbers that are none would upset whatever follows. Nonsense ends the process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from vscan.decode import wire
from vscan.decode.process import ProcessFailed, ReaderProcess
from vscan.errors import WARNING_CODES
from vscan.hashes.keypoints import FEATURE_BYTES, SOURCE_FEATURE_BYTES
from vscan.hashes.regions import REGION_COUNT
from vscan.media import BATCH_FRAMES, MAX_GAPS, FrameBatch, Measure, ReadReport, VideoInfo

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Told = TypeVar("Told", VideoInfo, ReadReport)
"""What is told once in a reading."""
Header = Mapping[str, Any]


@contextmanager
def listening(process: ReaderProcess) -> Iterator[None]:
    """A block that takes in what the process said: what it cannot mean raises ProcessFailed."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        process.kill()
        reason = str(error).partition("\n")[0][:200]
        raise ProcessFailed(
            "worker_died", f"the reader process spoke nonsense: {type(error).__name__}: {reason}"
        ) from error


def heard_info(header: Header) -> VideoInfo:
    """What the probe learnt. Raises as `listening` takes it."""
    return _of_its_kinds(wire.unpack_info(header["info"]))


def heard_report(header: Header) -> ReadReport:
    """How a request ended. Raises as `listening` takes it."""
    report = _of_its_kinds(wire.unpack_report(header["report"]))
    if len(report.gaps_s) > MAX_GAPS + 1 or len(report.warnings) > len(WARNING_CODES):
        raise ValueError("more gaps or warnings than there can be")
    if not all(math.isfinite(part.start_s) and part.end_s < math.inf for part in report.parts):
        raise ValueError("streams without a time")
    if not 0 <= report.read <= report.planned or report.skipped_packets < 0:
        raise ValueError(f"{report.read} samples read of {report.planned}")
    gaps = (each for gap in report.gaps_s for each in gap)
    numbers = (report.end_s, *gaps, *report.cost_s.values())
    if not all(0.0 <= each < math.inf for each in numbers):
        raise ValueError("times that are none")
    return report


def heard_batch(
    header: Header, payload: Sequence[bytearray], measure: Measure, after_s: float | None
) -> FrameBatch:
    """A batch, which must be what was asked for. Raises as `listening` takes it.

    after_s: time of the sample before, seconds; None where there is none.
    """
    batch = wire.unpack_batch(header, payload)
    if not 0 < len(batch) <= BATCH_FRAMES:
        raise ValueError(f"a batch of {len(batch)} samples")
    if len(batch.pdq) > len(batch) * REGION_COUNT:
        raise ValueError(f"{len(batch.pdq)} hashes of {len(batch)} samples")
    image = measure.image
    side = (0, 0) if image is None else (image.height, image.width)
    if batch.images.shape[1:3] != side:
        raise ValueError(f"pictures of {batch.images.shape[1:3]} where {side} was asked for")
    if len(batch.pdq) and not measure.pdq:
        raise ValueError("hashes that were not asked for")
    width = SOURCE_FEATURE_BYTES if measure.role == "source" else FEATURE_BYTES
    if batch.keypoints.shape[1:] != (measure.keypoints, width):
        raise ValueError(f"features as {batch.keypoints.shape[1:]}, not {measure.keypoints}")
    samples = batch.pdq_sample
    if len(samples) and not (samples.min() >= 0 and samples.max() < len(batch)):
        raise ValueError("hashes of samples that are not there")
    times_s = batch.times_s if after_s is None else np.append(after_s, batch.times_s)
    if not np.isfinite(times_s).all() or (np.diff(times_s) <= 0).any():
        raise ValueError("times that do not ascend")
    return batch


def _of_its_kinds(told: Told) -> Told:
    """The same, if every field is of the kind that it is annotated with; pydantic's error is a
    ValueError."""
    checked: Told = _adapter(type(told).__name__).validate_python(asdict(told))
    return checked


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter({"VideoInfo": VideoInfo, "ReadReport": ReadReport}[name])
