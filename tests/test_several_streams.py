"""A file with several video streams, or with its end cut off, from the bytes to the verdict."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import orjson
import pytest
from bench.hostile.specials import several_streams

from tests.conftest import Library, Vscan
from tests.media_factory import scene_frames, write_video
from vscan.decode.limits import ReadLimits
from vscan.decode.workers import ReaderPool
from vscan.media import Measure
from vscan.sampling import TimesRequest


def hidden(library: Library, path: Path) -> Path:
    """A harmless video with the known clip as a second stream, which no player shows unasked."""
    sources = [library.good, library.folder / "known.mp4"]
    with av.open(str(path), "w") as output:
        inputs = [av.open(str(source)) for source in sources]
        streams = [output.add_stream_from_template(each.streams.video[0]) for each in inputs]
        for each, stream in zip(inputs, streams, strict=True):
            for packet in each.demux(each.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    output.mux(packet)
            each.close()
    return path


def test_what_a_second_stream_hides_is_found(
    vscan: Vscan, library: Library, tmp_path: Path
) -> None:
    """It stands behind the first on the file's timeline, `samples.streams` says where, and a rescan
    of the frame store says the same."""
    path = hidden(library, tmp_path / "two.mkv")
    store, out = tmp_path / "store", tmp_path / "again.jsonl"
    ran = vscan("scan", path, *library.rules, "--signals", "pdq", "--store", store)
    assert ran.code == 0, ran.err
    (record,) = ran.records
    assert ("violation", ["several_video_streams"]) == (record["outcome"], record["warnings"])
    first, second = record["samples"]["streams"]
    assert (0, 0.0, 4.0) == (first["stream"], first["start_s"], first["end_s"])
    assert (1, 4.0, 7.0) == (second["stream"], second["start_s"], second["end_s"])
    (evidence,) = record["findings"][0]["evidence"]
    start_s, end_s = evidence["source_span_s"]
    assert 4.0 <= start_s < end_s <= 7.0
    vscan("rescan", "--store", store, *library.rules[:-2], "-o", out)  # no workers: nothing is read
    assert [record] == [orjson.loads(line) for line in out.read_bytes().splitlines()]


def test_times_within_each_stream(tmp_path: Path) -> None:
    """Times asked for one by one, as a second round of sampling does, lead into the right one."""
    path = tmp_path / "a.mp4"
    several_streams(path, seconds=(2.5, 2.0))
    with ReaderPool(1, ReadLimits(threads=1)) as pool, pool.session(path) as video:
        batches = list(video.read(TimesRequest((0.5, 2.0, 3.0, 3.5, 4.8)), Measure()))
        report = video.report
    assert [0.5, 2.0, 3.0, 3.5, 4.8] == np.concatenate([b.times_s for b in batches]).round(
        3
    ).tolist()
    assert (5, 5) == (report.planned, report.read)


@pytest.mark.parametrize(("line", "outcome"), [("", "review"), ("min_coverage = 0.2\n", "clear")])
def test_a_video_that_is_cut_off_is_not_clear(
    vscan: Vscan, library: Library, tmp_path: Path, line: str, outcome: str
) -> None:
    """It goes to review for its coverage, unless the pack is content with less."""
    frames = scene_frames(seed=1, count=40, width=160, height=120)
    options = {"x264-params": "keyint=10:bframes=0"}
    write_video(tmp_path / "a.mkv", frames, fps=10, options=options)
    data = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(data[: len(data) // 2])
    pack = tmp_path / "pack.toml"
    text = (library.folder / "known.toml").read_text("utf-8")
    pack.write_text(text.replace("[[policy]]", line + "[[policy]]", 1), "utf-8")
    (record,) = vscan("scan", tmp_path / "a.mkv", "--policy", pack, *library.rules[2:]).records
    assert outcome == record["outcome"]
    assert (["partial_coverage"] if outcome == "review" else []) == record["reasons"]
    assert record["samples"]["coverage"] < 0.75
    assert record["samples"]["gaps_s"][-1][1] == pytest.approx(4.0, abs=0.2)
    assert "shorter_than_claimed" in record["warnings"]
