"""The reader process: opens one file at a time and streams what is asked of it.

Started as `python -m vscan.decode.child PARENT_PID`; speaks `wire` on its stdin and stdout. It
imports numpy, orjson, Pillow, PyAV and, where it serves, decord: no torch.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from vscan import storage
from vscan.decode import wire
from vscan.decode.measuring import in_batches
from vscan.decode.probe import Probe, probe
from vscan.decode.reader import Reader, ReaderFailed
from vscan.decode.sandbox import ReadLimits, confine, resident_bytes
from vscan.errors import SourceError
from vscan.media import FrameBatch

HOLD_BYTES = 128 << 20
"""About 850 pictures of 224 x 224: a quarter of an hour at one a second."""
DECORD = "decord"


@dataclass(frozen=True)
class Pipes:
    """The two ends of the talk with the parent."""

    incoming: BinaryIO
    outgoing: int

    def receive(self) -> dict[str, Any]:
        """The parent's next message; EOFError when it is gone."""
        header, _ = wire.read_message(self._read_exactly)
        return header

    def send(self, header: Mapping[str, Any], payload: Sequence[NDArray[Any]] = ()) -> None:
        """One message to the parent, all of it."""
        for piece in wire.frame_message(header, payload):
            view = piece
            while view:
                view = view[os.write(self.outgoing, view) :]

    def _read_exactly(self, size: int) -> bytearray:
        data = bytearray()
        while len(data) < size:
            part = self.incoming.read(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data


@dataclass(frozen=True, eq=False)
class OpenFile:
    """The file that is being served."""

    file: BinaryIO
    path: Path
    probed: Probe
    limits: ReadLimits
    threads: int

    def reader(self, which: str) -> Reader:
        """The reader named `which`; decord is imported only here."""
        if which == DECORD:
            from vscan.decode.decord_reader import DecordReader

            return DecordReader(self.file, self.path, self.probed, self.threads)
        from vscan.decode.pyav_reader import PyavReader

        return PyavReader(self.file, self.probed, self.limits, self.threads)


def main() -> None:
    """Serves the parent until it closes the pipe."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.dup(1)
    # What a library prints must not end up between the messages.
    os.dup2(2, 1)
    pipes = Pipes(incoming, outgoing)
    try:
        hello = pipes.receive()
        confine(int(hello["memory_bytes"]), int(sys.argv[1]))
        import av

        av.logging.set_level(None)
        pipes.send({"op": "ready"})
        while True:
            _serve_file(pipes, pipes.receive())
    except (EOFError, BrokenPipeError):
        return


def _serve_file(pipes: Pipes, opening: Mapping[str, Any]) -> None:
    """One file, from `open` to `close`."""
    with ExitStack() as stack:
        opened: OpenFile | None = None
        try:
            opened = _open(opening, stack)
            info = opened.probed
            pipes.send(
                {
                    "op": "info",
                    "info": asdict(info.info),
                    "not_decord": info.not_decord,
                }
            )
        except Exception as error:  # noqa: BLE001 - whatever a file does becomes its own message
            pipes.send(_failure(error))
        while (message := pipes.receive())["op"] != "close":
            try:
                if opened is None:
                    raise RuntimeError("read before open")
                _serve_read(pipes, opened, message)
            except BrokenPipeError:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                pipes.send(_failure(error))
    pipes.send({"op": "closed", "resident_bytes": resident_bytes()})


def _open(opening: Mapping[str, Any], stack: ExitStack) -> OpenFile:
    path = Path(os.fsdecode(base64.b64decode(opening["path"])))
    limits = ReadLimits(**opening["limits"])
    file = stack.enter_context(storage.open_source(path))
    return OpenFile(file, path, probe(file, limits), limits, int(opening["threads"]))


def _failure(error: Exception) -> dict[str, Any]:
    """An exception as a message; the parent turns it back."""
    if isinstance(error, ReaderFailed):
        return {"op": "reader_failed", "message": str(error)}
    if isinstance(error, SourceError):
        fields = {"code": error.code, "message": error.message, "remedy": error.remedy}
        return {"op": "error", **fields}
    if isinstance(error, MemoryError):
        message = "reading the file needs more memory than allowed"
        return {"op": "error", "code": "memory_limit", "message": message, "remedy": ""}
    message = f"unexpected {type(error).__name__}: {error}"[:500]
    return {"op": "error", "code": "internal", "message": message, "remedy": ""}


def _serve_read(pipes: Pipes, opened: OpenFile, message: Mapping[str, Any]) -> None:
    """One request: batches, then the report."""
    request = wire.unpack_request(message["request"])
    measure = wire.unpack_measure(message["measure"])
    after_s = message["after_s"]
    with opened.reader(message["reader"]) as reader:
        frames = reader.read(request)
        if after_s is not None:
            frames = (frame for frame in frames if frame[0] > after_s)
        cost_s: dict[str, float] = {}
        batches = in_batches(frames, measure, cost_s)
        if message["reader"] == DECORD:
            batches = _held_back(batches)
        for batch in batches:
            pipes.send(*wire.pack_batch(batch))
        pipes.send({"op": "report", "report": asdict(reader.report()) | {"cost_s": cost_s}})


def _held_back(batches: Iterator[FrameBatch]) -> Iterator[FrameBatch]:
    """Batches kept until the last one is made, as far as HOLD_BYTES go.

    Where a damaged file makes FFmpeg drop a frame in silence, decord's later frames are labelled
    one too early, and it shows only in the count at the end. Until then nothing is handed out.
    """
    held: list[FrameBatch] = []
    room = HOLD_BYTES
    for batch in batches:
        held.append(batch)
        room -= batch.images.nbytes + batch.pdq.nbytes + batch.keypoints.nbytes
        if room < 0:
            yield from held
            held.clear()
    yield from held


if __name__ == "__main__":
    main()
