"""`-o` of scan and rescan into folders of parts, and the commands that read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import orjson
import pytest
from tests.conftest import Library, Vscan
from tests.decisions.made import verdict as found
from tests.store.parts_made import names, parts, stored, write
from tests.store.test_records import OTHER, verdict
from tests.verdict_schema import check_parts, check_run

from vscan.errors import OutputError
from vscan.folders import remove_under, write_under
from vscan.reports.configurations import found_runs
from vscan.storage import read_under
from vscan.store.verdict_parts import RecordParts


@pytest.fixture
def uri(tmp_path: Path) -> Iterator[str]:
    """A folder in object storage, as it is typed."""
    yield f"memory://{tmp_path.name}/run/"
    fsspec.filesystem("memory").store.clear()


def test_a_scan_into_parts_is_a_scan(
    vscan: Vscan, library: Library, uri: str, tmp_path: Path
) -> None:
    """Shares of a scan into one folder, run again, and merged are the lines of one run into one
    file; summaries and manifests are as their schemas say, and the exit codes the same."""
    command = ("scan", library.clips, *library.rules)
    assert 3 == vscan(*command, "-o", tmp_path / "v.jsonl").code
    codes = []
    for shard in ("1/2", "2/2"):
        ran = vscan(*command, "--shard", shard, "-o", uri)
        codes.append(ran.code)
        assert f"verdicts in {uri}" in ran.err
    assert {0, 3} == {0, *codes}
    ran = vscan(*command, "-o", uri)
    assert (3, True) == (ran.code, "3 done before" in ran.err)
    assert 0 == vscan("verdicts", "merge", uri, "-o", tmp_path / "all.jsonl").code
    assert sorted((tmp_path / "v.jsonl").read_bytes().splitlines()) == sorted(
        (tmp_path / "all.jsonl").read_bytes().splitlines()
    )
    root = uri.rstrip("/")
    assert 3 == len(stored(root))
    found = {name: orjson.loads(read_under(root, name, limit=None)) for name in names(root)
             if name.endswith(".json")}  # fmt: skip
    summaries = {name: each for name, each in found.items() if name.startswith("runs/")}
    assert {"shard-00001-of-00002", "shard-00002-of-00002", "whole"} == {
        name.removeprefix("runs/").removesuffix(".run.json") for name in summaries
    }
    for name, each in found.items():
        assert [] == (check_run if name in summaries else check_parts)(each)
    assert uri == found["runs/whole.run.json"]["output"]
    assert "2/2" == found["runs/shard-00002-of-00002.run.json"]["configuration"]["shard"]
    assert found["manifests/shard-00001-of-00002.json"]["finished"]


def test_figures_of_what_lies_in_object_storage(vscan: Vscan, uri: str, tmp_path: Path) -> None:
    """report, metrics and pick say of a folder of parts behind a URI, and of an object, what they
    say of the same lines in a local file; only the file's name differs."""
    write(uri.rstrip("/"), *(f"{number}.mp4" for number in range(4)))
    local, one = tmp_path / "run", uri.rstrip("/") + ".jsonl"
    assert 0 == vscan("verdicts", "merge", uri, "-o", local).code
    assert 0 == vscan("verdicts", "merge", uri, "-o", one).code
    for command in (("metrics", "--json"), ("pick", "-n", "2", "--on", "p", "--json")):
        expected = vscan(command[0], local, *command[1:])
        for place in (uri, one):
            told = vscan(command[0], place, *command[1:])
            assert (0, 0) == (expected.code, told.code), told.err
            assert expected.out.replace(str(local).encode(), place.encode()) == told.out
    pages = []
    for name in (local, uri):
        page = tmp_path / "page.html"
        ran = vscan("report", name, "-o", page, "--force")
        assert (0, True) == (ran.code, "4 videos" in ran.err), ran.err
        pages.append(page.read_text("utf-8"))
    assert "Scan report: run<" in pages[0] and "Scan report: run<" in pages[1]
    assert uri in pages[1]


def test_a_local_folder_and_its_fresh_start(
    vscan: Vscan, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that ends in a slash is a folder of parts, of rescan too, with --summary elsewhere;
    --fresh starts it over, and clears no folder of something else."""
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    command = ("scan", library.good, *library.rules, "--signals", "pdq", "--store", "frames")
    assert 0 == vscan(*command, "-o", "run/", "--summary", "s.json").code
    before = parts(run)
    assert (1, False) == (len(before), (run / "runs").exists())
    assert [] == check_run(orjson.loads((tmp_path / "s.json").read_bytes()))
    again = ("rescan", "--store", "frames", *library.rules[:4], "-o", "run/")
    ran = vscan(*again)
    assert (0, before, True) == (ran.code, parts(run), "1 done before" in ran.err)
    assert 0 == vscan(*again, "--fresh").code
    assert (1, True) == (len(parts(run)), before != parts(run))
    (run / "clip.mp4").touch()
    ran = vscan(*again, "--fresh")
    assert (2, True) == (ran.code, "something else than verdict parts: clip.mp4" in ran.err)
    (run / parts(run)[0]).write_bytes(b"damaged")
    ran = vscan(*command, "-o", "run/")
    assert (2, True) == (ran.code, "does not hold the bytes that were written" in ran.err)


def test_a_run_that_cannot_store_what_it_gathered(
    vscan: Vscan, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code, summary and metrics agree on it, also where something else had ended the run."""

    def refusing(root: Path | str, name: str, data: bytes, **options: Any) -> None:
        if name.startswith("parts/"):
            raise OutputError("no room left")
        write_under(root, name, data, **options)

    monkeypatch.setattr("vscan.store.verdict_parts.write_under", refusing)
    run, metrics = tmp_path / "run", tmp_path / "vscan.prom"
    command = ("scan", library.clips, *library.rules, "--signals", "pdq", "-o", f"{run}/")
    ran = vscan(*command, "--max-errors", "0", "--metrics-file", metrics)
    summary = orjson.loads((run / "runs" / "whole.run.json").read_bytes())
    assert (2, True) == (ran.code, "verdicts are not stored and will be judged again" in ran.err)
    assert ("failed", 2, False) == tuple(summary[k] for k in ("reason", "exit_code", "finished"))
    assert "no room left" in summary["message"]
    assert "vscan_run_exit_code 2.0" in metrics.read_text("utf-8")


def test_no_secret_of_an_output_is_told(vscan: Vscan, library: Library, uri: str) -> None:
    """A user's password in its URI reaches neither what is said nor what is logged nor an error."""
    _, _, rest = uri.partition("://")
    command = ("scan", library.good, *library.rules)
    for form in ("text", "json"):
        ran = vscan(*command, "-o", f"memory://me:hidden@{rest}", "--log-format", form)
        assert (0, True, False) == (ran.code, f"memory://{rest}" in ran.err, "hidden" in ran.err)
    root = f"memory://me:hidden@{rest}".rstrip("/")
    write_under(root, "other", b"")
    ran = vscan(*command, "-o", f"{root}/", "--fresh")
    assert (2, True, False) == (ran.code, "holds something else" in ran.err, "hidden" in ran.err)
    write_under(root, parts(root)[0], b"damaged")
    ran = vscan(*command, "-o", f"{root}/")
    assert (2, True, False) == (ran.code, "the bytes that were" in ran.err, "hidden" in ran.err)
    remove_under(root, parts(root)[0])
    ran = vscan(*command, "-o", f"{root}/")
    assert (2, True, False) == (ran.code, "is not there" in ran.err, "hidden" in ran.err)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("s3://bucket/run/verdicts.jsonl", "verdicts merge s3://bucket/run/verdicts/ -o"),
        ("https://host/run/", "nothing can be written over http"),
        ("s3://", "names no folder"),
        ("s4://bucket/run/", "s4:// is unknown"),
    ],
)
@pytest.mark.parametrize("command", [("scan", "x.mp4"), ("rescan", "--store", "none")])
def test_outputs_that_cannot_be(
    vscan: Vscan, command: tuple[str, ...], output: str, said: str
) -> None:
    """They are refused before anything is read, with what to do instead."""
    ran = vscan(*command, "-o", output)
    assert (2, b"", True) == (ran.code, ran.out, said in ran.err), ran.err
    assert "Traceback" not in ran.err


def test_commands_read_folders_of_parts(vscan: Vscan, uri: str, tmp_path: Path) -> None:
    """show, explain, diff and export take what a file would be: the newest line of each source."""
    write(uri.rstrip("/"), "clips/a.mp4", "clips/b.mp4")
    write(uri.rstrip("/"), "clips/a.mp4")
    shown = vscan("show", uri, "--json")
    assert {"clips/a.mp4", "clips/b.mp4"} == {each["source"]["uri"] for each in shown.records}
    assert 2 == len(shown.records)
    assert b"clips/b.mp4" in vscan("explain", uri, "b.mp4").out
    old = tmp_path / "old.jsonl"
    old.write_bytes(verdict("clips/a.mp4", "bb").to_line())
    ran = vscan("verdicts", "diff", old, uri, "--fail-on-change")
    assert (1, True) == (ran.code, "2 of 2 videos changed" in ran.err)
    table = tmp_path / "rows.csv"
    ran = vscan("verdicts", "export", uri, "-o", table, "--format", "csv")
    assert (0, 3) == (ran.code, len(table.read_text("utf-8").splitlines()))
    for command in (("show",), ("explain",), ("verdicts", "export")):
        arguments = {"explain": ("a",), "export": ("-o", tmp_path / "x", "--format", "csv")}
        ran = vscan(*command, "memory://none/run/", *arguments.get(command[-1], ()))
        assert (2, True) == (ran.code, "none/run/: holds no verdicts" in ran.err)


def test_further_commands_read_local_folders(vscan: Vscan, tmp_path: Path) -> None:
    """Figures, picks, reports and decisions are made of a local folder of parts as of a file; a
    report and an export say when its workers ran."""
    run, log = tmp_path / "run", tmp_path / "decisions.db"
    sink = RecordParts(run)
    for name in ("a", "b"):
        sink.write(found(f"clips/{name}.mp4", "weapons"))
    sink.finish()
    rules = ("--source", "a.mp4", "--policy", "weapons", "--ruling", "uphold", "--reviewer", "ana")
    assert 0 == vscan("review", "decide", log, run, *rules).code
    assert 0 == vscan("metrics", run, "--log", log).code
    assert 2 == len(vscan("pick", run, "-n", "2", "--json").records)
    assert 0 == vscan("report", run, "-o", tmp_path / "report.html", "--log", log).code
    assert "clips/b.mp4" in (tmp_path / "report.html").read_text("utf-8")
    summaries = found_runs([run])
    assert ((), (str(run),), ()) == (summaries.runs, summaries.without, summaries.unusable)
    write_under(run, "runs/whole.run.json", b"{}")
    write_under(run, "runs/shard-00001-of-00002.run.json", b"{}")
    assert 2 == len(found_runs([run]).unusable)


def test_merging_what_lies_here_and_there(vscan: Vscan, uri: str, tmp_path: Path) -> None:
    """A file, a folder and an object are put together into an object, which is not replaced
    unasked; a torn last line is told with the object's name."""
    root = uri.rstrip("/")
    write(root, "a")
    torn = verdict("b").to_line() + verdict("c").to_line()[:40]
    write_under(root, "old/b.jsonl", torn)
    plain = tmp_path / "a.jsonl"
    plain.write_bytes(verdict("a", provenance=OTHER).to_line())
    command = ("verdicts", "merge", plain, uri, f"{uri}old/b.jsonl", "-o", f"{uri}all/v.jsonl")
    ran = vscan(*command)
    assert 0 == ran.code, ran.err
    assert f"the torn last line of {uri}old/b.jsonl was left out" in ran.err
    assert "files differ about 1 source, the later file counts: a" in ran.err
    assert f"2 lines of 3 inputs; verdicts in {uri}all/v.jsonl" in ran.err
    whole = verdict("a").to_line() + verdict("b").to_line()
    assert whole == read_under(root, "all/v.jsonl", limit=None)
    assert (2, 0) == (vscan(*command).code, vscan(*command, "--force").code)
