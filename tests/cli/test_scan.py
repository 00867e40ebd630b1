"""`vscan scan` as a person uses it: lines, streams, exit codes, resuming, names, bad input."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import orjson
import pytest
from tests.conftest import Library, Vscan
from tests.verdict_schema import check

from vscan.demo.run import Shown
from vscan.errors import ERROR_CODES
from vscan.exemplars.manifest import IndexModel
from vscan.exemplars.writer import create_index
from vscan.store.records import RecordFile

BUILTIN = ("--model", "builtin", "--policy", "demo")


def outcomes(records: list[dict[str, Any]]) -> dict[str, str]:
    """Outcome by the file's name."""
    return {Path(each["source"]["uri"]).name: each["outcome"] for each in records}


def lines(path: Path) -> list[dict[str, Any]]:
    """The records of a verdict file."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def program(*arguments: object) -> list[str]:
    """The command line of a process of its own."""
    return [sys.executable, "-c", "from vscan.cli.app import main; main()", *map(str, arguments)]


@pytest.fixture
def many(library: Library, tmp_path: Path) -> Path:
    """A folder of many videos, so that a run can be met half-way."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(80):
        (folder / f"{number:03}.mp4").hardlink_to(library.good)
    return folder


# Lines and streams


def test_one_line_per_input(vscan: Vscan, library: Library) -> None:
    """Every video of a folder has its line, the broken one too; other files are counted."""
    ran = vscan("scan", library.clips, *library.rules)
    assert {"plain.mp4": "clear", "copy.mp4": "violation", "broken.mp4": "error"} == outcomes(
        ran.records
    )
    assert 3 == ran.code
    assert "3 videos: 1 violation, 1 clear, 1 error (1 unsupported_format); 1 other" in ran.err


def test_every_line_is_valid(vscan: Vscan, library: Library, demo: Shown) -> None:
    """Each line of a scan by hashes and of a scan by a model is what the schema says."""
    records = vscan("scan", library.clips, *library.rules).records + lines(demo.verdict_file)
    assert len(records) > 10
    for record in records:
        assert [] == check(record)


def test_the_schema_is_strict(vscan: Vscan, library: Library) -> None:
    """What a line lacks or has too much, at any depth, is noticed."""
    (record,) = vscan("scan", library.clips / "deep", *library.rules).records
    finding = record["findings"][0]
    for part in (record, record["source"], record["samples"], finding, *finding["evidence"]):
        part["surprise"] = 1
        assert check(record)
        del part["surprise"]
        for key in set(part) - {"distance", "similarity", "error"}:
            value = part.pop(key)
            assert check(record), key
            part[key] = value
    assert [] == check(record)


def test_both_intervals_are_told(vscan: Vscan, library: Library) -> None:
    """Where in the video, and where in the known clip: the copy stands from 2 s to 5 s."""
    (record,) = vscan("scan", library.clips / "deep", *library.rules).records
    ((finding,), samples) = record["findings"], record["samples"]
    (evidence,) = finding["evidence"]
    assert ("hoax.known_clip", "remove") == (finding["policy"], finding["action"])
    assert [2.0, 5.0] == pytest.approx(evidence["source_span_s"], abs=0.3)
    assert [0.0, 3.0] == pytest.approx(evidence["exemplar_span_s"], abs=0.3)
    assert ("fps:1", 7, 7, 1.0) == tuple(
        samples[k] for k in ("plan", "planned", "read", "coverage")
    )


def test_stdout_is_data_and_stderr_is_quiet(vscan: Vscan, library: Library) -> None:
    """In a pipe stdout holds JSON lines alone, stderr what each signal found and what came of it,
    and no bar."""
    ran = vscan("scan", library.good, *library.rules)
    assert 1 == len(ran.records)
    assert ["vscan: pdq: 0 matches", "vscan: 1 video: 1 clear"] == ran.err.splitlines()
    assert "\r" not in ran.err


def test_output_file(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """With -o the lines go to the file, stdout stays empty, and stderr says where they are."""
    out = tmp_path / "new" / "v.jsonl"
    ran = vscan("scan", library.good, *library.rules, "-o", out)
    assert (0, b"") == (ran.code, ran.out)
    assert f"verdicts in {out}" in ran.err
    assert ["clear"] == [record["outcome"] for record in lines(out)]


def test_twice_the_same_bytes(vscan: Vscan, library: Library) -> None:
    """Two runs, one with more readers: the same set of lines, byte for byte."""
    one = vscan("scan", library.clips, *library.rules, "--workers", "1")
    two = vscan("scan", library.clips, *library.rules, "--workers", "3")
    assert sorted(one.out.splitlines()) == sorted(two.out.splitlines())


def test_vectors_do_not_depend_on_their_batch(vscan: Vscan, demo: Shown) -> None:
    """With a model too: videos that share batches are judged as they are one by one."""
    rules = (*BUILTIN, "--index", demo.folder / "index")
    alone = vscan("scan", demo.folder / "videos", *rules, "--workers", "1")
    together = vscan("scan", demo.folder / "videos", *rules, "--workers", "3")
    expected = sorted(demo.verdict_file.read_bytes().splitlines())
    assert expected == sorted(alone.out.splitlines()) == sorted(together.out.splitlines())


# Exit codes


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("plain.mp4", (), 0),
        ("plain.mp4", ("--fail-on", "violation"), 0),
        ("deep", (), 0),
        ("deep", ("--fail-on", "violation"), 1),
        ("deep", ("--fail-on", "review"), 1),
        ("broken.mp4", (), 3),
        (".", ("--fail-on", "violation"), 3),
        ("plain.mp4", ("--no-such-option",), 2),
        ("plain.mp4", ("--workers", "0"), 2),
    ],
)
def test_exit_codes(
    vscan: Vscan, library: Library, name: str, options: tuple[str, ...], code: int
) -> None:
    """0 all judged, 1 what --fail-on names, 2 usage, 3 some are errors; the gravest wins."""
    assert code == vscan("scan", library.clips / name, *library.rules, *options).code


def test_what_was_done_before_counts_too(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """A rerun that finds everything done ends as the first run did: with 1, with 3."""
    for name, code in (("deep", 1), ("broken.mp4", 3)):
        command = ("scan", library.clips / name, *library.rules, "--fail-on", "violation",
                   "-o", tmp_path / f"{name}.jsonl")  # fmt: skip
        assert code == vscan(*command).code
        again = vscan(*command)
        assert "1 done before" in again.err
        assert code == again.code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(
    vscan: Vscan, library: Library, many: Path, tmp_path: Path, number: int, code: int
) -> None:
    """A run that is told to stop leaves whole lines and says how to go on; a rerun finishes."""
    out = tmp_path / "v.jsonl"
    command = ("scan", many, *library.rules, "-o", out, "--workers", "1")
    with subprocess.Popen(program(*command), stderr=subprocess.PIPE, text=True) as child:
        until = time.monotonic() + 120
        while not (out.exists() and out.stat().st_size) and time.monotonic() < until:
            time.sleep(0.02)
        child.send_signal(number)
        _, err = child.communicate(timeout=60)
    assert code == child.returncode
    assert ["vscan: interrupted; what was done is kept, the same command goes on from there"] == (
        err.splitlines()
    )
    done = lines(out)
    assert 1 <= len(done) < 80
    again = vscan(*command)
    assert (0, 80) == (again.code, len(lines(out)))
    assert f"{len(done)} done before" in again.err


def test_closed_pipe(library: Library, many: Path) -> None:
    """`vscan scan … | head -1`: a reader that leaves early is no error, not even where Python still
    holds a line that it would write at exit."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        program("scan", many, *library.rules, "--workers", "1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=buffered,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert orjson.loads(child.stdout.readline())["outcome"] == "clear"
        child.stdout.close()
        assert b"" == child.stderr.read()
        assert 0 == child.wait(60)


# Resuming


def test_a_second_run_does_nothing(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """What is done is not done again, and the file keeps its bytes."""
    out = tmp_path / "v.jsonl"
    command = ("scan", library.clips, *library.rules, "-o", out)
    vscan(*command)
    before = out.read_bytes()
    assert "vscan: 3 videos: 3 done before" in vscan(*command).err
    assert before == out.read_bytes()


def test_a_new_file_is_added(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """The next run scans what is new alone; the lines that stood there stay as they were."""
    out = tmp_path / "v.jsonl"
    vscan("scan", library.good, *library.rules, "-o", out)
    before = out.read_bytes()
    ran = vscan("scan", library.good, library.clips / "deep", *library.rules, "-o", out)
    assert "1 violation, 1 done before" in ran.err
    assert out.read_bytes().startswith(before)
    assert 2 == len(lines(out))


def test_a_changed_pack_is_judged_anew(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """Another pack: every video again, and the older line of each is gone at the end."""
    out, pack = tmp_path / "v.jsonl", tmp_path / "milder.toml"
    text = (library.folder / "known.toml").read_text("utf-8")
    pack.write_text(text.replace('"remove"', '"review"'), "utf-8")
    vscan("scan", library.clips, *library.rules, "-o", out)
    index = ("--index", library.folder / "index")
    ran = vscan("scan", library.clips, "--policy", pack, *index, "-o", out)
    assert "done before" not in ran.err
    assert {"plain.mp4": "clear", "copy.mp4": "review", "broken.mp4": "error"} == outcomes(
        lines(out)
    )


def test_a_killed_run_is_resumed(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """A last line that was torn off is dropped, its video scanned again."""
    out = tmp_path / "v.jsonl"
    command = ("scan", library.clips, *library.rules, "-o", out)
    vscan(*command)
    whole = out.read_bytes()
    out.write_bytes(whole[:-40])
    assert "2 done before" in vscan(*command).err
    assert whole == out.read_bytes()


def test_fresh(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """--fresh starts the file over."""
    out = tmp_path / "v.jsonl"
    vscan("scan", library.good, *library.rules, "-o", out)
    ran = vscan("scan", library.clips / "deep", *library.rules, "-o", out, "--fresh")
    assert "done before" not in ran.err
    assert {"copy.mp4": "violation"} == outcomes(lines(out))


def test_an_output_in_use(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """Two runs never write one file: the second is told so at once, and no line is lost."""
    out = tmp_path / "v.jsonl"
    vscan("scan", library.good, *library.rules, "-o", out)
    before = out.read_bytes()
    with RecordFile(out):
        ran = vscan("scan", library.clips, *library.rules, "-o", out)
    assert (2, b"") == (ran.code, ran.out)
    assert f"vscan: error: {out}: another run is writing this file" in ran.err
    assert before == out.read_bytes()


# Names


def test_a_list_of_names(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """--from-file takes a name a line, comments and blank lines aside."""
    listed = tmp_path / "list.txt"
    listed.write_text(f"# two\n{library.good}\n\n{library.clips / 'broken.mp4'}\n", "utf-8")
    ran = vscan("scan", "--from-file", listed, *library.rules)
    assert {"plain.mp4": "clear", "broken.mp4": "error"} == outcomes(ran.records)


def test_meta_is_passed_through(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """What a JSON line says beside `uri` stands in the record, unchanged; errors keep it too."""
    meta = {"market": "DE", "views": 12, "tags": ["a", None], "nested": {"x": 1.5}}
    listed = tmp_path / "list.jsonl"
    uris = (str(library.good), str(tmp_path / "gone.mp4"))
    listed.write_bytes(b"\n".join(orjson.dumps({"uri": uri, **meta}) for uri in uris))
    ran = vscan("scan", "--from-file", listed, *library.rules)
    assert dict.fromkeys(uris, meta) == {
        record["source"]["uri"]: record["source"]["meta"] for record in ran.records
    }


@pytest.mark.parametrize("end", [b"\n", b"\0"])
def test_names_on_stdin(vscan: Vscan, library: Library, end: bytes) -> None:
    """`-` reads names as `find` prints them, with -print0 too."""
    names = [library.good, library.clips / "deep" / "copy.mp4"]
    ran = vscan(
        "scan", "-", *library.rules, stdin=b"".join(os.fsencode(name) + end for name in names)
    )
    assert {"plain.mp4": "clear", "copy.mp4": "violation"} == outcomes(ran.records)


HOSTILE = {
    b"new\nline.mp4": "new\\nline.mp4",
    b"esc\x1b[2Jape.mp4": "esc\\x1b[2Jape.mp4",
    "turn\u202e4pm.exe.mp4".encode(): "turn\\u202e4pm.exe.mp4",
    b"not\xffutf8.mp4": "not\\xffutf8.mp4",
    b'quote".mp4': 'quote".mp4',
}


def test_hostile_names(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """Whatever a file is called, it has one line, and the table shows it without being steered."""
    folder, out = tmp_path / "names", tmp_path / "v.jsonl"
    folder.mkdir()
    for name in HOSTILE:
        os.link(library.good, os.path.join(os.fsencode(folder), name))  # noqa: PTH118 -- bytes
    ran = vscan("scan", folder, *library.rules, "-o", out)
    assert (0, len(HOSTILE)) == (ran.code, len(lines(out)))
    table = vscan("show", out).out.decode()
    assert len(HOSTILE) == table.count("clear")
    assert all(shown in table for shown in HOSTILE.values())
    assert all(line.isprintable() for line in table.splitlines())


# Bad input


def test_bad_files_are_lines_and_cost_the_others_nothing(
    vscan: Vscan, library: Library, tmp_path: Path
) -> None:
    """Each unreadable input is an `error` with a code and a message; its neighbours are judged."""
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "page.html").write_text("<html><body>no video</body></html>", "utf-8")
    (tmp_path / "text.mp4").write_text("words " * 1000, "utf-8")
    os.mkfifo(tmp_path / "pipe.mp4")
    shutil.copy(library.clips / "broken.mp4", tmp_path / "broken.mp4")
    names = ("empty.mp4", "page.html", "text.mp4", "pipe.mp4", "broken.mp4", "gone.mp4")
    ran = vscan("scan", *(tmp_path / name for name in names), library.good, *library.rules)
    found = {Path(each["source"]["uri"]).name: each for each in ran.records}
    assert {*names, "plain.mp4"} == set(found)
    assert (3, "clear") == (ran.code, found.pop("plain.mp4")["outcome"])
    codes = {name: record["error"]["code"] for name, record in found.items()}
    assert {"empty_file", "not_a_file", "not_found"} == {
        codes[name] for name in ("empty.mp4", "pipe.mp4", "gone.mp4")
    }
    assert {"unsupported_format"} == {codes["page.html"], codes["text.mp4"]}
    assert set(codes.values()) <= set(ERROR_CODES)
    for record in found.values():
        assert ("error", "review", []) == tuple(
            record[k] for k in ("outcome", "action", "findings")
        )
        assert len(record["error"]["message"]) > 10
    assert "Traceback" not in ran.err


PACK_START = 'schema = "vscan.pack/1"\nname = "p"\nversion = "1"\nneutral = ["x"]\n'
POLICY = '[[policy]]\nid = "a"\ntitle = "A"\nseverity = "low"\nprompts = ["x"]\n'


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--policy", "key.toml"), ("key.toml:9", "promts", "did you mean prompts")),
        (("--policy", "nan.toml"), ("nan.toml:11", "policy[0].thresholds.review", "nan")),
        (("--policy", "baselin"), ("did you mean baseline?",)),
        (("--policy", "gone.toml"), ("gone.toml",)),
        (("--sampling", "fps:0"), ("fps:0", "try fps:1")),
        (("--sampling", "all"), ("'all'", "fps:N", "keyframes")),
        (("--signals", "embeding"), ("'embeding'", "signals: embedding, pdq")),
        (("--model", "ViT-B-33"), ("ViT-B-33",)),
        (("--weights", "x.safetensors"), ("--weights", "--model")),
        (("--model", "ViT-B-32", "--weights", "gone.safetensors"), ("gone.safetensors", "check")),
        (("--index", "empty"), ("empty", "vscan index create")),
        (("--timeout", "nan"), ("timeout",)),
        (("--device", "tpu", "--model", "builtin"), ("tpu",)),
        (("--precision", "int4", "--model", "builtin"), ("int4",)),
        (("-o", "empty"), ("empty", "choose another -o")),
        (("-o", "file/v.jsonl"), ("file/v.jsonl", "choose another -o")),
        (("-o", "notes.txt"), ("notes.txt: line 1 is not a vscan verdict",)),
        (("--from-file", "gone.txt"), ("gone.txt: the list cannot be read",)),
        (("--from-file", "bad.jsonl"), ("bad.jsonl, line 1", "uri")),
        (("ftp://host/a.mp4",), ("ftp://host/a.mp4", "ftp:// is unknown")),
    ],
)  # fmt: skip
def test_bad_settings(
    vscan: Vscan,
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    told: tuple[str, ...],
) -> None:
    """What cannot be used ends the run with 2 and an error that names it and the way out."""
    monkeypatch.chdir(tmp_path)
    Path("key.toml").write_text(PACK_START + POLICY.replace("prompts", "promts"), "utf-8")
    Path("nan.toml").write_text(
        PACK_START + POLICY + "[policy.thresholds]\nreview = nan\n", "utf-8"
    )
    Path("empty").mkdir()
    Path("file").touch()
    Path("notes.txt").write_text("mine\n", "utf-8")
    Path("bad.jsonl").write_text('{"url": "a.mp4"}\n', "utf-8")
    needs_model = "--model" in options or "--weights" in options
    rules = () if needs_model or "--policy" in options else library.rules
    ran = vscan("scan", library.good, *rules, *options)
    assert (2, b"") == (ran.code, ran.out)
    assert ran.err.startswith("vscan: error: ")
    assert [] == [each for each in told if each not in ran.err]
    assert "Traceback" not in ran.err
    assert "mine\n" == Path("notes.txt").read_text("utf-8")


def test_no_inputs(vscan: Vscan) -> None:
    """A scan of nothing says how to name something."""
    ran = vscan("scan")
    assert 2 == ran.code
    assert "vscan: error: no inputs\n  name videos or folders, or give --from-file" in ran.err


def test_a_folder_without_videos(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """An empty harvest is an error that names the folder and what it holds instead."""
    (tmp_path / "a.txt").write_text("text", "utf-8")
    ran = vscan("scan", tmp_path, *library.rules)
    assert (2, b"") == (ran.code, ran.out)
    assert f"vscan: error: no videos in {tmp_path}, only 1 other files" in ran.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_that_may_not_be_written(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """A folder without permission is named, with what to do."""
    tmp_path.chmod(0o555)
    ran = vscan("scan", library.good, *library.rules, "-o", tmp_path / "v.jsonl")
    tmp_path.chmod(0o755)
    assert 2 == ran.code
    assert "cannot be opened for writing" in ran.err


def test_the_default_model_is_absent(
    vscan: Vscan, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its weights a scan says how to get them, with a network and without one."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    ran = vscan("scan", library.good)
    assert (2, b"") == (ran.code, ran.out)
    for told in ("ViT-B-32-datacomp", "vscan models pull", "without a network", "--weights"):
        assert told in ran.err


def test_an_index_of_another_model(vscan: Vscan, demo: Shown, tmp_path: Path) -> None:
    """Vectors of two models are never compared: the index names the one it was made with."""
    other = IndexModel(
        name="other", fingerprint="other#sha256:" + "a" * 64, dim=256, match_similarity=0.9
    )
    create_index(tmp_path / "index", name="known", model=other)
    ran = vscan("scan", demo.folder / "videos", *BUILTIN, "--index", tmp_path / "index")
    assert (2, b"") == (ran.code, ran.out)
    assert "was made with the model other#sha256:aaaa" in ran.err
    assert "run with --model other" in ran.err


@pytest.fixture
def own_weights(tmp_path: Path) -> Iterator[Path]:
    """A model of one's own: the built-in one's network with other numbers in it."""
    import torch
    from safetensors.torch import load_file, save_file

    from vscan.embeddings import builtin

    folder = tmp_path / "own"
    folder.mkdir()
    for name in ("open_clip_config.json", "bpe4096.txt.gz"):
        shutil.copy(builtin.folder() / name, folder / name)
    state = load_file(builtin.folder() / "open_clip_model.safetensors")
    noise = torch.Generator().manual_seed(0)
    changed = {
        key: value + 0.02 * torch.randn(value.shape, generator=noise).to(value.dtype)
        if value.is_floating_point() and value.ndim > 1
        else value
        for key, value in state.items()
    }
    save_file(changed, folder / "own.safetensors")
    yield folder / "own.safetensors"


def test_weights_of_ones_own(vscan: Vscan, demo: Shown, own_weights: Path) -> None:
    """A local .safetensors file scans, is named in the record, and is refused by an index that
    another model made."""
    model = ("--model", "own", "--weights", own_weights, "--policy", "demo")
    ran = vscan("scan", demo.folder / "videos" / "knife.mp4", *model)
    (record,) = ran.records
    assert record["provenance"]["model"].startswith("own#sha256:")
    assert "thresholds of pack demo were set on the model builtin" in ran.err
    refused = vscan("scan", demo.folder / "videos", *model, "--index", demo.folder / "index")
    assert (2, b"") == (refused.code, refused.out)
    assert "was made with the model builtin#sha256:" in refused.err
