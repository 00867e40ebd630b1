"""What a decoder that was taken over may say to the run: nonsense is its own file's error."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from fuzz.mutators import Rng, mutated, mutated_json
from fuzz.target import Case, Files, WrongAnswerError
from vscan.decode import wire
from vscan.decode.process import Deadline, ProcessFailed, ReaderProcess
from vscan.decode.sandbox import ReadLimits
from vscan.decode.session import VideoSession
from vscan.errors import SourceError
from vscan.hashes.keypoints import SOURCE_FEATURE_BYTES
from vscan.media import FrameBatch, ImageSpec, Measure, ReadReport, VideoInfo
from vscan.sampling import GridRequest

ASKED = Measure(ImageSpec(8, 6), pdq=True, keypoints=2)
SAMPLES = 3


class Recorded(ReaderProcess):
    """A process that says what was recorded, whatever it is told. Nothing is started."""

    def __init__(self, said: bytes) -> None:
        self.files_served = 0
        self.resident_bytes = 0
        self._said = BytesIO(said)
        self._ended = False

    @property
    def pid(self) -> int:
        """Nobody's."""
        return 0

    @property
    def alive(self) -> bool:
        """Until it is killed."""
        return not self._ended

    def send(self, header: Mapping[str, Any], file: int | None = None) -> None:
        """Goes nowhere."""

    def receive(self, deadline: Deadline) -> tuple[dict[str, Any], list[bytearray]]:
        """The next message, as ReaderProcess has it."""
        try:
            return wire.read_message(self._exactly)
        except EOFError as error:
            self.kill()
            raise ProcessFailed("worker_died", "it has said all") from error
        except ValueError as error:
            self.kill()
            raise ProcessFailed("worker_died", f"nonsense: {error}") from error

    def kill(self) -> None:
        """Says nothing more."""
        self._ended = True

    def _exactly(self, size: int) -> bytearray:
        data = bytearray(self._said.read(size))
        if len(data) < size:
            raise EOFError
        return data


class Replay:
    """Where a session gets that process from."""

    def __init__(self, said: bytes) -> None:
        self.limits = ReadLimits(timeout_s=5)
        self.threads = 1
        self._said = said

    def take(self, *, unused: bool = False) -> ReaderProcess:
        """The same words again."""
        return Recorded(self._said)

    def give_back(self, process: ReaderProcess) -> None:
        """Nothing to keep."""


class ReaderTalk(Files):
    """The messages of one reading, mutated as bytes and as what they say."""

    name = "reader-talk"
    about = "messages of a taken-over decoder end in right batches, or in that file's own error"

    def __init__(self) -> None:
        self._messages: list[tuple[dict[str, Any], bytes]] = []

    def prepare(self, folder: Path) -> None:
        """Records a reading of three samples."""
        batch = FrameBatch(
            times_s=np.arange(SAMPLES, dtype=np.float64),
            images=np.zeros((SAMPLES, 6, 8, 3), np.uint8),
            pdq=np.zeros((SAMPLES, 8, 32), np.uint8),
            pdq_quality=np.zeros(SAMPLES, np.uint8),
            pdq_sample=np.arange(SAMPLES, dtype=np.int32),
            pdq_region=np.zeros(SAMPLES, np.uint8),
            keypoints=np.zeros((SAMPLES, 2, SOURCE_FEATURE_BYTES), np.uint8),
        )
        info = VideoInfo("mpegts", "h264", 160, 96, 3.0)
        report = ReadReport(SAMPLES, SAMPLES, 3.0, "PyAV 18", gaps_s=((0.5, 1.0),))
        header, arrays = wire.pack_batch(batch)
        self._messages = [
            (
                {
                    "op": "info",
                    "info": asdict(info),
                    "not_decord": "container mpegts",
                    "spares": False,
                },
                b"",
            ),
            (header, b"".join(array.tobytes() for array in arrays)),
            ({"op": "report", "report": asdict(report)}, b""),
            ({"op": "closed", "resident_bytes": 1}, b""),
        ]
        sizes = [array.nbytes for array in arrays]
        for k, (said, _) in enumerate(self._messages):
            said["payload"] = sizes if k == 1 else []

    def case(self, rng: Rng) -> Case:
        """One message says something else, or some bytes on the pipe are others."""
        messages = list(self._messages)
        if rng.random() < 0.75:
            at = int(rng.integers(len(messages)))
            messages[at] = (mutated_json(rng, messages[at][0]), messages[at][1])
        pipe = b"".join(_framed(said, payload) for said, payload in messages)
        return {"pipe": pipe if rng.random() < 0.7 else mutated(rng, pipe)}

    def check(self, case: Case, folder: Path) -> str:
        """A session that is told so."""
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"video")
            file.flush()
            video = VideoSession(Replay(case["pipe"]), Path(file.name))
            try:
                video.open()
                for batch in video.read(GridRequest(1.0), ASKED):
                    _right(batch)
                said = video.report
                if not isinstance(said.planned, int) or not isinstance(said.read, int):
                    raise WrongAnswerError(f"a report of {said.read!r} of {said.planned!r}")
            except SourceError as error:
                return error.code
            finally:
                video.close()
        return "read"


def _framed(said: dict[str, Any], payload: bytes) -> bytes:
    head = orjson.dumps(said)
    return len(head).to_bytes(4, "little") + head + payload


def _right(batch: FrameBatch) -> None:
    if batch.images.shape[1:] != (6, 8, 3) or batch.keypoints.shape[1:] != (
        2,
        SOURCE_FEATURE_BYTES,
    ):
        raise WrongAnswerError(f"not what was asked for: {batch!r}")
    if not np.isfinite(batch.times_s).all() or (np.diff(batch.times_s) <= 0).any():
        raise WrongAnswerError(f"times that do not ascend: {batch!r}")
