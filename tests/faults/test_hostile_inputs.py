"""Inputs that are made to mislead: bombs, playlists in a video's clothes, names, links, devices."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Library, Vscan
from tests.faults.bombs import KINDS, long_video, names_others, png_bomb, video_bomb
from tests.media_factory import scene_frames, write_video
from vscan.decode.sandbox import ReadLimits
from vscan.decode.workers import ReaderPool
from vscan.errors import SourceError
from vscan.media import Measure
from vscan.sampling import GridRequest


def by_name(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Records by the file's name."""
    return {Path(each["source"]["uri"]).name: each for each in records}


# Bombs


def test_a_picture_of_256_million_pixels(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """30 KB that decode to 768 MB are refused, also where a film's header claims small frames, and
    frames that are wide beyond measure; the video beside them is judged."""
    png_bomb(tmp_path / "still.png")
    video_bomb(tmp_path / "honest.mov", claimed=16_000)
    video_bomb(tmp_path / "lying.mov", claimed=64)
    write_video(tmp_path / "wide.mkv", [np.zeros((16, 17_000, 3), np.uint8)] * 2, codec="ffv1")
    assert (tmp_path / "still.png").stat().st_size < 64 << 10
    ran = vscan("scan", tmp_path, library.good, *library.rules)
    found = by_name(ran.records)
    assert (3, 5) == (ran.code, len(found))
    assert "clear" == found.pop("plain.mp4")["outcome"]
    errors = {name: record["error"] for name, record in found.items()}
    assert "too_large" == errors["still.png"]["code"] == errors["wide.mkv"]["code"]
    for name in ("honest.mov", "lying.mov"):  # it shows in the decoder alone
        assert "no_frames" == errors[name]["code"]
    assert all("limit max_" in error["message"] for error in errors.values())


def test_a_bomb_is_refused_before_it_takes_memory(tmp_path: Path) -> None:
    """None of them is ever decoded: with the least memory that a reader can have, the error is
    that of its size and not of its memory."""
    bombs = [
        png_bomb(tmp_path / "still.png"),
        video_bomb(tmp_path / "honest.mov", claimed=16_000),
        video_bomb(tmp_path / "lying.mov", claimed=64),
    ]
    limits = ReadLimits(memory_bytes=700 << 20, timeout_s=60, threads=1)
    with ReaderPool(1, limits) as readers:
        for bomb in bombs:
            with pytest.raises(SourceError) as caught, readers.session(bomb) as video:
                list(video.read(GridRequest(1.0), Measure(pdq=True)))
            assert caught.value.code not in ("memory_limit", "worker_died", "deadline"), bomb.name


def test_a_video_of_ten_hours(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """It is read from end to end and judged; one beyond the limit of a day is refused for that."""
    long_video(tmp_path / "ten.mp4", hours=10)
    long_video(tmp_path / "days.mp4", hours=30)
    found = by_name(vscan("scan", tmp_path, *library.rules).records)
    samples = found["ten.mp4"]["samples"]
    assert "error" not in found["ten.mp4"]
    assert (36_001, 1.0) == (samples["read"], samples["coverage"])
    assert 36_000 < found["ten.mp4"]["source"]["duration_s"] < 40_000
    assert "too_large" == found["days.mp4"]["error"]["code"]


# What names something else


@pytest.fixture
def server() -> Iterator[tuple[str, list[object]]]:
    """A URL, and what has connected to it so far."""
    arrived: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, address = listening.accept()
                except OSError:
                    return
                arrived.append(address)
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/a.ts", arrived
        listening.shutdown(socket.SHUT_RDWR)


def test_what_names_something_else_opens_nothing(
    vscan: Vscan, library: Library, tmp_path: Path, server: tuple[str, list[object]]
) -> None:
    """Playlists and shortcuts called .mp4 are errors: nobody is connected to, and the video beside
    them that they name is not looked at under their names."""
    url, arrived = server
    folder = tmp_path / "inputs"
    folder.mkdir()
    frames = scene_frames(seed=3, count=30, width=160, height=120)
    write_video(folder / "neighbour.ts", frames)
    for kind in KINDS:
        for path in ("neighbour.ts", str(folder / "neighbour.ts")):
            name = f"{kind}-{'near' if path == 'neighbour.ts' else 'far'}.mp4"
            (folder / name).write_bytes(names_others(kind, url=url, path=path))
    ran = vscan("scan", folder, *library.rules)
    found = by_name(ran.records)
    assert "error" not in found.pop("neighbour.ts")
    assert 2 * len(KINDS) == len(found)
    assert {"unsupported_format"} == {record["error"]["code"] for record in found.values()}
    assert [] == arrived


def test_a_url_as_a_name(
    vscan: Vscan, library: Library, tmp_path: Path, server: tuple[str, list[object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A URL of this machine is an error and not fetched; a file that is called like one is read."""
    url, arrived = server
    monkeypatch.chdir(tmp_path)
    (refused,) = vscan("scan", url, *library.rules).records
    assert "permission_denied" == refused["error"]["code"]
    place = Path(url)
    place.parent.mkdir(parents=True)
    place.hardlink_to(library.good)
    (record,) = vscan("scan", url, *library.rules).records
    assert "clear" == record["outcome"]
    assert [] == arrived


# Names, links, and what is no file

NAMES = [
    b"..mp4", b"...", b"-rf.mp4", b"new\nline.mp4", b"\x1b]0;owned\x07.mp4", b"tab\t.mp4",
    "\u202egpj.exe.mp4".encode(), b"\xff\xfe.mp4", b"<img src=x onerror=alert(1)>.mp4",
    b"a&b\"c'd.mp4", b"%2e%2e%2fx.mp4", b"con.mp4 ", b"x" * 250 + b".mp4",
]  # fmt: skip


SHOWN = [
    "new\\nline.mp4", "\\x1b]0;owned\\x07.mp4", "tab\\t.mp4", "\\u202egpj.exe.mp4",
    "\\xff\\xfe.mp4", "<img src=x onerror=alert(1)>.mp4",
]  # fmt: skip
"""Some of them as a terminal gets to see them."""


def test_names_stay_names(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """Whatever a video is called, it has its one line, and everything that a scan writes lies
    where it was told to: a name is never a path, markup or a command to a terminal."""
    folder, store, out = tmp_path / "in", tmp_path / "store", tmp_path / "v.jsonl"
    (folder / "below").mkdir(parents=True)
    for name in NAMES:
        os.link(library.good, os.path.join(os.fsencode(folder), name))  # noqa: PTH118 -- bytes
    names = [os.path.join(str(folder), os.fsdecode(name)) for name in NAMES]  # noqa: PTH118
    names[0] = f"{folder}/below/../..mp4"
    ran = vscan(
        "scan", "--from-file", "-", *library.rules, "--store", store, "--signals", "pdq", "-o", out,
        stdin=b"\0".join(map(os.fsencode, names)),
    )  # fmt: skip
    assert (0, len(NAMES)) == (ran.code, len(out.read_bytes().splitlines()))
    assert {"in", "store", "v.jsonl", "v.run.json"} == {each.name for each in tmp_path.iterdir()}
    assert {"frames", "sources", "store.json"} == {each.name for each in store.iterdir()}
    assert len(NAMES) == len(list((store / "sources").glob("*/*.json")))
    table = vscan("show", out).out.decode()
    for text in (table, ran.err):
        assert all(line.isprintable() for line in text.splitlines())
    assert 1 + len(NAMES) == len(table.splitlines())
    assert [] == [name for name in SHOWN if f"/{name} " not in table]


def test_links_that_lead_nowhere_and_devices(
    vscan: Vscan, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop of links, a FIFO, a socket and devices are passed over in a folder, and have an error
    line where they are named; nothing is waited for and nothing read."""
    (tmp_path / "loop.mp4").symlink_to("pool.mp4")
    (tmp_path / "pool.mp4").symlink_to("loop.mp4")
    (tmp_path / "up").symlink_to(".")
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    (tmp_path / "tty.mp4").symlink_to("/dev/tty")
    os.mkfifo(tmp_path / "fifo.mp4")
    (tmp_path / "good.mp4").hardlink_to(library.good)
    (tmp_path / "same.mp4").symlink_to("good.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.mp4"))
        ran = vscan("scan", tmp_path, *library.rules)
        assert ["good.mp4"] == [Path(each["source"]["uri"]).name for each in ran.records]
        assert "; 6 other files skipped" in ran.err
        names = ("loop.mp4", "zero.mp4", "tty.mp4", "fifo.mp4", "socket.mp4", "up/good.mp4")
        ran = vscan("scan", *(tmp_path / name for name in names), *library.rules)
    found = by_name(ran.records)
    assert len(names) == len(found)
    assert "clear" == found.pop("good.mp4")["outcome"]
    assert found.pop("loop.mp4")["error"]["code"] in ("not_found", "read_failed")
    assert {"not_a_file"} == {record["error"]["code"] for record in found.values()}

    really = os.open

    def exchanged(path: str | Path, flags: int, *more: Any, **named: Any) -> int:
        if Path(path) == tmp_path / "good.mp4":  # after it was looked at
            Path(path).unlink()
            os.mkfifo(path)
        return really(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", exchanged)
    (record,) = vscan("scan", tmp_path / "good.mp4", *library.rules).records
    assert "not_a_file" == record["error"]["code"]
