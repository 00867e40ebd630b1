"""The reader process: opens one file at a time and streams what is asked of it.

Started as `python -m vscan.decode.child PARENT_PID SOCKET`; speaks `wire` on its stdin and stdout,
and is handed each file, open, over the socket: it can open none itself (see sandbox.py). It imports
numpy, orjson, Pillow, PyAV and, where it serves, decord: no torch.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from vscan.decode import wire
from vscan.decode.measuring import in_batches
from vscan.decode.probe import Probe, probe
from vscan.decode.reader import Reader, ReaderFailed
from vscan.decode.sandbox import (
    ReadLimits,
    limit_cpu,
    limit_process,
    resident_bytes,
    restrict,
)
from vscan.decode.spending import Spending
from vscan.errors import SourceError
from vscan.media import DecodeMode, FrameBatch

HOLD_BYTES = 128 << 20
"""About 850 pictures of 224 x 224: a quarter of an hour at one a second."""
DECORD = "decord"


@dataclass(frozen=True)
class Pipes:
    """The two ends of the talk with the parent, and where its open files come from."""

    incoming: BinaryIO
    outgoing: int
    files: socket.socket

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

    def receive_file(self) -> BinaryIO:
        """The file that came with the last message, at its start, unbuffered."""
        _, descriptors, _, _ = socket.recv_fds(self.files, 1, 1)
        if not descriptors:
            raise EOFError
        return os.fdopen(descriptors[0], "rb", buffering=0)

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
    probed: Probe
    limits: ReadLimits
    threads: int
    walked: dict[DecodeMode, Reader] = field(default_factory=dict)
    """PyAV's readers, kept from one request to the next: each looks all packets over once."""

    def reader(self, which: str, mode: DecodeMode) -> Reader:
        """The reader named `which`; decord is imported only here."""
        if which == DECORD:
            from vscan.decode.decord_reader import DecordReader

            self.probed.ready.close()  # decord opens the file by itself
            handle = Path(f"/dev/fd/{self.file.fileno()}")
            return DecordReader(self.file, handle, self.probed, self.threads)
        from vscan.decode.pyav_reader import PyavReader

        if mode not in self.walked:
            self.walked[mode] = PyavReader(self.file, self.probed, self.limits, self.threads, mode)
        return self.walked[mode]


def main() -> None:
    """Serves the parent until it closes the pipe."""
    parent_pid, files = int(sys.argv[1]), int(sys.argv[2])
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.dup(1)
    # What a library prints must not end up between the messages.
    os.dup2(2, 1)
    pipes = Pipes(
        incoming, outgoing, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=files)
    )
    try:
        hello = pipes.receive()
        limit_process(int(hello["memory_bytes"]), parent_pid)
        import av

        av.logging.set_level(None)
        pipes.send({"op": "ready", "confinement": [asdict(layer) for layer in restrict()]})
        while (message := pipes.receive())["op"] != "trial":
            _serve_file(pipes, message)
        from vscan.decode.trial import attempts

        pipes.send({"op": "tried", "outcomes": attempts(message)})
    except (EOFError, BrokenPipeError):
        return


def _serve_file(pipes: Pipes, opening: Mapping[str, Any]) -> None:
    """One file, from `open` to `close`."""
    limits, spending = ReadLimits(**opening["limits"]), Spending()
    with ExitStack() as stack:
        opened: OpenFile | None = None
        stack.callback(_empty_stdin)
        file = stack.enter_context(pipes.receive_file())
        try:
            opened = _open(file, limits, int(opening["threads"]))
            stack.callback(opened.probed.ready.close)
            info = opened.probed
            pipes.send(
                {
                    "op": "info",
                    "info": asdict(info.info),
                    "not_decord": info.not_decord,
                    "spares": info.spares,
                }
            )
        except Exception as error:  # noqa: BLE001 - whatever a file does becomes its own message
            pipes.send(_failure(error, limits))
        while (message := pipes.receive())["op"] != "close":
            try:
                if opened is None:
                    raise RuntimeError("read before open")
                _serve_read(pipes, opened, message, spending)
            except BrokenPipeError:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                pipes.send(_failure(error, limits))
    pipes.send({"op": "closed", "resident_bytes": resident_bytes()})


def _open(file: BinaryIO, limits: ReadLimits, threads: int) -> OpenFile:
    limit_cpu(limits.cpu_for(None, threads))
    # FFmpeg reads stdin as `fd:`, which no name of a file can be taken for; decord does so.
    os.dup2(file.fileno(), 0)
    return OpenFile(file, probe(file, limits), limits, threads)


def _empty_stdin() -> None:
    """Lets go of the file that was served."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _failure(error: Exception, limits: ReadLimits) -> dict[str, Any]:
    """An exception as a message; the parent turns it back."""
    if isinstance(error, ReaderFailed):
        return {"op": "reader_failed", "message": str(error)}
    out_of_memory = isinstance(error, MemoryError)
    if out_of_memory or (isinstance(error, SourceError) and error.code == "memory_limit"):
        message = limits.out_of_memory
        return {"op": "error", "code": "memory_limit", "message": message, "remedy": ""}
    if isinstance(error, SourceError):
        fields = {"code": error.code, "message": error.message, "remedy": error.remedy}
        return {"op": "error", **fields}
    message = f"unexpected {type(error).__name__}: {error}"[:500]
    return {"op": "error", "code": "internal", "message": message, "remedy": ""}


def _serve_read(
    pipes: Pipes, opened: OpenFile, message: Mapping[str, Any], spending: Spending
) -> None:
    """One request: batches, then the report."""
    request = wire.unpack_request(message["request"])
    measure = wire.unpack_measure(message["measure"])
    after_s = message["after_s"]
    duration_s = opened.probed.info.duration_s
    limit_cpu(opened.limits.cpu_for(duration_s, opened.threads))
    with opened.reader(message["reader"], measure.decode) as reader:
        frames = reader.read(request)
        if after_s is not None:
            frames = (frame for frame in frames if frame[0] > after_s)
        cost_s: dict[str, float] = {}
        batches = in_batches(frames, measure, cost_s)
        if message["reader"] == DECORD:
            batches = _held_back(batches)
        for batch in batches:
            pipes.send(*wire.pack_batch(batch))
        report = asdict(reader.report()) | {"cost_s": spending.shared_out(cost_s)}
        pipes.send({"op": "report", "report": report})


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
