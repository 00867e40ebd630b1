"""Limits of reading: how they are written, and that each one that is hit is told by its name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import typer
from PIL import Image

from tests.media_factory import barcode_clip, write_video
from vscan.cli.app import app
from vscan.decode import process
from vscan.decode.limits import LIMIT_NAMES, ReadLimits, parse_limits
from vscan.decode.workers import ReaderPool
from vscan.errors import SourceError, UsageError
from vscan.media import ImageSpec, Measure
from vscan.sampling import EveryRequest
from vscan.settings import ScanSettings

DOCS = Path(__file__).parents[2] / "docs" / "limits.md"


@pytest.mark.parametrize(
    ("written", "name", "value"),
    [
        ("memory_bytes=2G", "memory_bytes", 2 << 30),
        ("memory_bytes = 512 MiB", "memory_bytes", 512 << 20),
        ("memory_bytes=1.5g", "memory_bytes", 3 << 29),
        ("max_pixels=36M", "max_pixels", 36_000_000),
        ("max_side=8192", "max_side", 8192),
        ("timeout_s=30s", "timeout_s", 30.0),
        ("cpu_s=90", "cpu_s", 90.0),
        ("max_duration_s=4h", "max_duration_s", 4 * 3600.0),
        ("max_duration_s=1.5m", "max_duration_s", 90.0),
        ("max_streams=40", "max_streams", 40),
        ("threads=2", "threads", 2),
    ],
)
def test_units(written: str, name: str, value: Any) -> None:
    """Bytes, seconds and counts take the units that people write; what is not told stays."""
    assert ReadLimits(**{name: value}) == parse_limits([written])


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (["max_pixel=3"], "do you mean max_pixels"),
        (["memory=2G"], "do you mean memory_bytes"),
        (["pixels"], "do you mean max_pixels"),
        (["max_pixels"], "no value"),
        (["max_pixels="], "no value"),
        (["max_pixels=many"], "units: K, M, G"),
        (["max_pixels=3s"], "units: K, M, G"),
        (["timeout_s=30G"], "units: s, m, h"),
        (["timeout_s=nan"], "units: s, m, h"),
        (["timeout_s=-1"], "units: s, m, h"),
        (["timeout_s=0"], "above 0"),
        (["max_side=1.5"], "whole number"),
        (["memory_bytes=64M"], "at least 256 MiB"),
        (["max_side=5", "max_side=6"], "given twice"),
    ],
)
def test_what_cannot_be_a_limit(written: list[str], told: str) -> None:
    """A slip of the pen ends the run before it begins, with the nearest name or the units."""
    with pytest.raises(UsageError) as caught:
        parse_limits(written)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [{"max_pixels": 0}, {"max_pixels": True}, {"max_pixels": 1.5}, {"max_side": None},
     {"cpu_s": float("nan")}, {"max_duration_s": float("inf")}, {"threads": 0}],
    ids=str,
)  # fmt: skip
def test_values_are_checked(values: dict[str, Any]) -> None:
    """From Python a limit must be a number above 0 as well, and finite."""
    with pytest.raises(UsageError, match=next(iter(values))):
        ReadLimits(**values)


def test_limits_of_a_scan() -> None:
    """A scan's timeout is one of its limits, and may be given in one place only."""
    limits = ReadLimits(max_side=99)
    assert (
        ReadLimits(max_side=99, timeout_s=7) == ScanSettings(limits=limits, timeout_s=7).read_limits
    )
    assert limits == ScanSettings(limits=limits).read_limits
    with pytest.raises(UsageError, match="twice"):
        ScanSettings(limits=ReadLimits(timeout_s=5), timeout_s=7)


def refused(path: Path, limits: ReadLimits, measure: Measure | None = None) -> SourceError:
    """The error that reading all of a file ends in."""
    with (
        ReaderPool(1, limits) as readers,
        pytest.raises(SourceError) as caught,
        readers.session(path) as video,
    ):
        for _ in video.read(EveryRequest(1), measure or Measure()):
            pass
    return caught.value


def test_size_length_and_streams(tmp_path: Path) -> None:
    """Each is refused before anything is decoded, by the name that raises it."""
    clip = barcode_clip(tmp_path / "a.mp4", count=60).path
    many = _with_sound(tmp_path / "b.mkv")
    image = tmp_path / "c.png"
    Image.new("RGB", (300, 2)).save(image)
    cases: list[tuple[Path, dict[str, Any]]] = [
        (clip, {"max_pixels": 160 * 96 - 1}),
        (clip, {"max_side": 159}),
        (image, {"max_side": 299}),
        (clip, {"max_duration_s": 1.5}),
        (many, {"max_streams": 3}),
    ]
    for path, limits in cases:
        error = refused(path, ReadLimits(threads=1, **limits))
        ((name, value),) = limits.items()
        assert "too_large" == error.code
        assert f"more than limit {name} = {value}" in error.message


def test_a_length_that_nothing_claims(tmp_path: Path) -> None:
    """A video whose container claims no length is stopped on the way."""
    path = barcode_clip(tmp_path / "a.h264", count=60).path
    error = refused(path, ReadLimits(max_duration_s=0.5, threads=1))
    assert "too_large" == error.code
    assert "more than limit max_duration_s = 0.5" in error.message


def test_memory(tmp_path: Path) -> None:
    """Running out of memory names the limit, where the process lives to tell or not."""
    frames = [np.full((2160, 3840, 3), 90, np.uint8)] * 3
    path = write_video(tmp_path / "a.ts", frames, options={"preset": "ultrafast"})
    error = refused(path, ReadLimits(memory_bytes=270 << 20, threads=1), Measure(pdq=True))
    if error.code != "worker_died":  # a library may abort without a word
        assert "memory_limit" == error.code
        assert f"more than limit memory_bytes = {270 << 20}" in error.message


def test_dying_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that a library ends for want of memory says so with its last words."""
    words = "import os; os.write(2, b'terminate: std::bad_alloc'); os.abort()"
    monkeypatch.setattr(process, "CHILD", ("-c", words))
    with pytest.raises(process.ProcessFailed) as caught:
        process.ReaderProcess(ReadLimits(memory_bytes=1 << 30))
    assert "memory_limit" == caught.value.code
    assert f"more than limit memory_bytes = {1 << 30}" in caught.value.message


def test_cpu_time(tmp_path: Path) -> None:
    """A file that keeps a processor busy is ended by the system, also where no deadline would."""
    path = barcode_clip(tmp_path / "a.ts", count=150).path
    limits = ReadLimits(cpu_s=0.1, timeout_s=600, threads=1)
    error = refused(path, limits, Measure(ImageSpec(2048, 2048, "squash"), pdq=True))
    assert "deadline" == error.code
    assert "limit cpu_s = 0.1" in error.message


def test_cpu_time_is_each_reading_s_own(tmp_path: Path) -> None:
    """What a process spent on earlier files is not taken off a later one's."""
    path = barcode_clip(tmp_path / "a.ts", count=10).path
    with ReaderPool(1, ReadLimits(cpu_s=1, threads=1)) as readers:
        spent = 0.0
        while spent < 3:
            with readers.session(path) as video:
                measure = Measure(ImageSpec(512, 512, "squash"), pdq=True)
                assert 10 == sum(map(len, video.read(EveryRequest(1), measure)))
                spent = _cpu_s(video.process_id)


def test_every_limit_is_documented() -> None:
    """The command's help and the page on limits name each of them."""
    scan = typer.main.get_command(app).commands["scan"]  # type: ignore[attr-defined]
    (option,) = (each for each in scan.params if each.name == "limit")
    assert set(LIMIT_NAMES) <= set(re.findall(r"\w+", option.help))
    assert set(LIMIT_NAMES) <= set(re.findall(r"`(\w+)`", DOCS.read_text("utf-8")))


def _cpu_s(pid: int | None) -> float:
    """Seconds of CPU time of a process; proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _with_sound(path: Path) -> Path:
    """A video with three streams of sound."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(3):
            output.add_stream("pcm_s16le", rate=8000)
        for k in range(5):
            grey = np.full((64, 64, 3), 30 * k, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        output.mux(stream.encode())
    return path
