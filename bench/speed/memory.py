"""The most memory that a scan and its readers hold, against the length of the video."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.speed.clip_set import ClipSet
from bench.speed.model import MODEL, pack_in, weights_in
from bench.speed.processes import measured
from bench.speed.tables import markdown, ratio

_MIB = 1 << 20


def compare(
    clips: ClipSet, *, seconds: float, times: Sequence[int], sampling: str
) -> Iterator[str]:
    """Lines: one table, a row for each of `times` as long as `seconds`."""
    own = clips.folder.resolve()
    settings = {
        "policy": str(pack_in(own)),
        "model": MODEL,  # whose pictures are large: what is held of them would show
        "weights": str(weights_in(own)),
        "signals": ["embedding"],
    }
    rows: list[list[str]] = []
    firsts = (0.0, 0.0)
    for factor in times:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "long.mp4"
            long_s = lengthened(clips.paths[0], path, seconds=seconds * factor)
            request = {
                "paths": [str(path)],
                "settings": settings | {"sampling": sampling},
                "peaks": True,
            }
            ran = measured("vscan_run", request)
        yield from ran["errors"]
        peaks = (ran["own_peak_bytes"] / _MIB, ran["reader_peak_bytes"] / _MIB)
        firsts = firsts if rows else peaks
        rows.append(
            [f"{factor}x", f"{long_s:.0f}", str(ran["frames"])]
            + [f"{peak:.0f}" for peak in peaks]
            + [f"{ratio(*pair):.2f}" for pair in zip(peaks, firsts, strict=True)]
        )
    head = ["length", "s", "frames", "scan, peak MiB", "reader, peak MiB",
            "scan / first", "reader / first"]  # fmt: skip
    yield from markdown(head, rows)


def lengthened(clip: Path, path: Path, *, seconds: float) -> float:
    """Writes a video of the clip's packets, over and over until it is that long; its length in
    seconds."""
    import av

    with av.open(str(clip)) as source, av.open(str(path), "w") as output:
        stream = source.streams.video[0]
        added = output.add_stream_from_template(stream)
        base = stream.time_base
        assert base is not None
        packets = [each for each in source.demux(stream) if each.size and each.dts is not None]
        held = [(bytes(p), p.pts or 0, p.dts or 0, p.duration or 0, p.is_keyframe) for p in packets]
        first = min(pts for _, pts, *_ in held)
        span = max(pts + length for _, pts, _, length, _ in held) - first
        at = 0
        while at * base < seconds:
            for content, pts, dts, length, is_keyframe in held:
                packet = av.Packet(content)
                packet.pts, packet.dts, packet.duration = pts + at, dts + at, length
                packet.time_base, packet.stream = base, added
                packet.is_keyframe = is_keyframe
                output.mux_one(packet)
            at += span
    return float(at * base)
