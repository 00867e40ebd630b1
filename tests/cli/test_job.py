"""A scan as a batch job: its metrics, the errors that it tolerates, and what its exit codes say."""

from __future__ import annotations

import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import Library, Vscan
from tests.test_tallies import PROVENANCE, error, verdict
from tests.verdict_schema import check_run

from vscan.cli import job_metrics
from vscan.cli.job_metrics import MetricsEndpoint, MetricsFile
from vscan.cli.telling import speak
from vscan.job_metrics import METRICS, JobMetrics
from vscan.scratch import Scratch
from vscan.tallies import RunTally

DOCS = Path(__file__).parents[2] / "docs"
Values = dict[str, float]


@pytest.fixture(autouse=True)
def text_again() -> Iterator[None]:
    """Whatever a test has set, stderr is text for the next one."""
    yield
    speak("text")


def values(text: str) -> Values:
    """Every sample, as `name{label="value"}`, read by Prometheus's own parser."""
    found: Values = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def written(path: Path) -> Values:
    """What a metrics file holds."""
    return values(path.read_text("utf-8"))


# Metrics


def test_the_file_of_a_run(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """At the end it says what the lines say, and how the run ended; a rerun counts anew."""
    out, file = tmp_path / "v.jsonl", tmp_path / "deep" / "vscan.prom"
    begun = time.time()
    command = ("scan", library.clips, *library.rules, "-o", out, "--metrics-file", file)
    assert 3 == vscan(*command).code
    told = written(file)
    summary = orjson.loads(out.with_suffix(".run.json").read_bytes())
    for outcome, count in summary["counts"]["outcomes"].items():
        assert count == told[f'vscan_videos_total{{outcome="{outcome}"}}']
    (code,) = summary["counts"]["errors"]
    assert (1, 0) == tuple(
        told[f'vscan_errors_total{{code="{each}"}}'] for each in (code, "deadline")
    )
    assert 1 == told['vscan_findings_total{policy="hoax.known_clip"}']
    assert (summary["samples"]["planned"], summary["samples"]["read"]) == (
        told["vscan_samples_planned_total"], told["vscan_samples_read_total"]
    )  # fmt: skip
    assert summary["samples"]["video_s"] == pytest.approx(told["vscan_video_seconds_total"])
    assert begun < told["vscan_run_start_time_seconds"] < told["vscan_last_verdict_time_seconds"]
    assert (1, 3) == (told["vscan_run_finished"], told["vscan_run_exit_code"])
    (info,) = [name for name in told if name.startswith("vscan_info")]
    assert f'pack="{summary["configuration"]["provenance"]["pack"]}"' in info
    vscan(*command)
    again = written(file)
    assert (3, 0) == (
        again["vscan_videos_passed_over_total"], again['vscan_videos_total{outcome="clear"}']
    )  # fmt: skip
    assert "vscan_last_verdict_time_seconds" not in again
    assert ["vscan.prom"] == [entry.name for entry in file.parent.iterdir()]


def test_a_run_that_could_not_begin(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """Its exit code is exported all the same: nobody waits for a job that is gone."""
    file = tmp_path / "vscan.prom"
    vscan("scan", library.good, "--policy", "none.toml", "--metrics-file", file)
    told = written(file)
    assert (0, 2) == (told["vscan_run_finished"], told["vscan_run_exit_code"])


def test_it_is_the_tally() -> None:
    """Every number is the tally's at that moment, and every metric is in the table."""
    tally = RunTally()

    def fetched() -> float:
        """bytes that came over the network"""
        return 12.5

    def broken() -> float:
        raise OSError("gone")

    metrics = JobMetrics(tally, extra={"vscan_sent_bytes_total": fetched})
    metrics.add("vscan_broken_bytes", broken)
    metrics.fetches(Scratch())
    metrics.runs(PROVENANCE, ["a", "b"])

    def now() -> str:
        from prometheus_client import generate_latest

        return generate_latest(metrics.registry).decode()

    before = values(now())
    assert (0, 0) == (before['vscan_findings_total{policy="a"}'], before["vscan_run_finished"])
    assert "vscan_run_exit_code" not in before
    for each in (verdict("v", "violation"), error("e", "deadline"), None):
        tally.count(each)
    metrics.ended(1, finished=True)
    after = values(now())
    assert (1, 1, 1, 0, 1, 12.5) == tuple(
        after[name]
        for name in (
            'vscan_videos_total{outcome="violation"}', 'vscan_errors_total{code="deadline"}',
            'vscan_findings_total{policy="a"}', 'vscan_findings_total{policy="b"}',
            "vscan_run_exit_code", "vscan_sent_bytes_total",
        )
    )  # fmt: skip
    assert "# HELP vscan_sent_bytes_total bytes that came over the network" in now()
    assert "vscan_broken_bytes" not in now()
    assert METRICS.keys() | {"vscan_sent_bytes_total"} == set(
        re.findall(r"^# TYPE (\w+)", now(), re.MULTILINE)
    )


@pytest.mark.parametrize("name", ["vscan_videos_total", "fetched_bytes_total", "vscan_Fetched"])
def test_names_of_further_metrics(name: str) -> None:
    """One that is taken, or is none of ours, is a mistake."""
    with pytest.raises(ValueError, match="taken, or no name"):
        JobMetrics(RunTally(), extra={name: lambda: 0.0})


def test_the_endpoint() -> None:
    """A scrape while the run lasts; afterwards the port is free."""
    tally = RunTally()
    speak("text")
    with closing(MetricsEndpoint("127.0.0.1", 0, JobMetrics(tally))) as endpoint:
        address = f"http://127.0.0.1:{endpoint.port}/metrics"
        tally.count(verdict("v", "clear"))
        with urllib.request.urlopen(address) as answer:
            assert 1 == values(answer.read().decode())['vscan_videos_total{outcome="clear"}']
    with closing(socket.create_server(("127.0.0.1", endpoint.port))):
        pass


def test_a_port_in_use(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """It is told before any work, with the way out, and no file is left as if a run were on."""
    out = tmp_path / "v.jsonl"
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        ran = vscan("scan", library.good, *library.rules, "-o", out, "--metrics-port", port)
    assert (2, []) == (ran.code, list(tmp_path.iterdir()))
    assert f"metrics cannot be served at 127.0.0.1 port {port}" in ran.err
    assert "--metrics-port" in ran.err


def test_places_where_no_metrics_go(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """A folder that is a file, the verdicts themselves, somebody else's file, a device: refused at
    the start, and left as they were."""
    out, notes = tmp_path / "v.jsonl", tmp_path / "notes.txt"
    notes.write_text("mine", "utf-8")
    for place in (notes / "vscan.prom", out, notes, tmp_path, Path("/dev/null")):
        ran = vscan("scan", library.good, *library.rules, "-o", out, "--metrics-file", place)
        assert 2 == ran.code, place
        assert f"vscan: error: {place}" in ran.err
        assert ["notes.txt"] == [entry.name for entry in tmp_path.iterdir()]
    assert "mine" == notes.read_text("utf-8")
    assert Path("/dev/null").is_char_device()


def test_metrics_do_not_end_a_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be written later on is one note, and is tried again."""
    monkeypatch.setattr(job_metrics, "WRITE_S", 0.01)
    file, tally = tmp_path / "deep" / "vscan.prom", RunTally()
    with closing(MetricsFile(file, JobMetrics(tally))):
        file.unlink()
        file.mkdir()
        until = time.monotonic() + 60
        while not (err := capfd.readouterr().err) and time.monotonic() < until:
            time.sleep(0.01)
        assert [f"vscan: note: {file}: metrics cannot be written (Is a directory)"] == (
            err.splitlines()
        )
        time.sleep(0.1)  # for further tries, which say nothing
        assert "" == capfd.readouterr().err
        file.rmdir()
        tally.count(verdict("v", "clear"))
    assert 1 == written(file)['vscan_videos_total{outcome="clear"}']
    assert "" == capfd.readouterr().err


def test_metrics_are_documented() -> None:
    """Each has its row on the page."""
    page = (DOCS / "jobs.md").read_text("utf-8")
    for name, meaning in METRICS.items():
        assert re.search(rf"^\| `{name}(\{{[a-z,]+\}})?` \| \w+ \| {re.escape(meaning)} \|$", page,
                         re.MULTILINE), name  # fmt: skip


# Errors that are tolerated


def test_too_many_errors(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """One more than that ends the run with 4; its line is kept, the summary says why, and the same
    command goes on from there."""
    folder, out = tmp_path / "videos", tmp_path / "v.jsonl"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.mp4").write_bytes(b"no video %d" % number)
    (folder / "z.mp4").write_bytes(library.good.read_bytes())
    command = ("scan", folder, *library.rules, "-o", out, "--max-errors")
    ran = vscan(*command, "2")
    assert (4, 3) == (ran.code, len(out.read_bytes().splitlines()))
    assert "vscan: error: 3 videos ended as error (3 " in ran.err
    summary = orjson.loads(out.with_suffix(".run.json").read_bytes())
    assert [] == check_run(summary)
    assert (False, "too_many_errors", 4) == (
        summary["finished"], summary["reason"], summary["exit_code"]
    )  # fmt: skip
    assert "--max-errors is 2" in summary["message"]
    again = vscan(*command, "3")
    assert (3, 7) == (again.code, len(out.read_bytes().splitlines()))
    assert "3 done before" in again.err


@pytest.mark.parametrize(("most", "code"), [("0", 4), ("1", 3), ("-1", 2)])
def test_how_many_are_tolerated(
    vscan: Vscan, library: Library, tmp_path: Path, most: str, code: int
) -> None:
    """As many as are named, 0 for none; for a rescan too."""
    ran = vscan("scan", library.clips / "broken.mp4", *library.rules, "--max-errors", most,
                "--store", tmp_path / "store", "--signals", "pdq")  # fmt: skip
    assert code == ran.code
    if code != 2:
        rules = library.rules[:-2]
        again = vscan("rescan", "--store", tmp_path / "store", *rules, "--max-errors", most)
        assert code == again.code


# What a scheduler is told


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("plain.mp4", (), 0),
        ("deep", ("--fail-on", "violation"), 1),
        ("plain.mp4", ("--policy", "none.toml"), 2),
        ("broken.mp4", (), 3),
        ("broken.mp4", ("--max-errors", "0"), 4),
    ],
)
def test_exit_codes_are_those_of_the_page(
    vscan: Vscan, library: Library, name: str, options: tuple[str, ...], code: int
) -> None:
    """Each code of the page's table is what such a run ends with; 130 and 143 have tests of their
    own, with real signals."""
    page = (DOCS / "jobs.md").read_text("utf-8")
    section = page.partition("## Exit codes")[2].partition("\n## ")[0]
    codes = [int(each) for each in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)]
    assert [0, 1, 2, 3, 4, 130, 137, 143] == codes
    assert code == vscan("scan", library.clips / name, *library.rules, *options).code
