"""Verdicts wherever they lie: folders of parts and objects as local files, in bounded memory."""

from __future__ import annotations

import tracemalloc
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from tests.store.parts_made import NOON, manifest, parts, write
from tests.store.test_records import OTHER, uris, verdict

from vscan.errors import OutputError, UsageError
from vscan.folders import write_under
from vscan.storage import read_under
from vscan.store.merging import merge
from vscan.store.verdict_copies import local_output, local_verdicts
from vscan.store.verdict_part_names import PartName, names_a_file, new_run

Root = Path | str


def test_files_folders_and_objects_together(root: Root, memory: str, tmp_path: Path) -> None:
    """Each is one file, in the order in which they were named; nothing is left of the copies."""
    write(root, "a", "b")
    write_under(memory, "old.jsonl", verdict("b", provenance=OTHER).to_line())
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(verdict("c").to_line())
    told: list[tuple[int, int]] = []
    named = [f"{root}/", f"{memory}/old.jsonl", str(plain), "-"]
    with local_verdicts(named, told=lambda *each: told.append(each)) as copies:
        first, second, *rest = copies.paths
        assert [plain, Path("-")] == rest
        assert (["a", "b"], ["b"]) == (uris(first), uris(second))
        assert named == [copies.name(each) for each in copies.paths]
        assert 1 == merge([first, second, plain], tmp_path / "out").conflicts
    assert [(1, 1)] == told
    assert not first.exists()
    assert not second.exists()


def test_errors_speak_of_what_was_named(memory: str) -> None:
    """And not of a copy in a folder that is gone."""
    write_under(memory, "bad.jsonl", b"hello\n")
    with (
        pytest.raises(OutputError, match=f"^{memory}/bad.jsonl: line 1 is not a vscan verdict"),
        local_verdicts([f"{memory}/bad.jsonl"]) as copies,
    ):
        merge(copies.paths, copies.paths[0].with_name("out"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("memory://nowhere/run/", "nowhere/run/: holds no verdicts"),
        ("memory://nowhere/run.jsonl", r"run\.jsonl: there is no object"),
        ("s3:///run.jsonl", "names no bucket"),
        ("s4://nowhere/run/", "s4:// is unknown"),
    ],
)
def test_what_is_not_there(name: str, said: str) -> None:
    """It is refused by name."""
    with pytest.raises(UsageError, match=said), local_verdicts([name]):
        pass


def test_an_output_behind_a_uri(memory: str) -> None:
    """It is stored whole when the block ends, not where that failed, and replaced only by force."""
    name = f"{memory}/out.jsonl"
    with pytest.raises(ZeroDivisionError), local_output(name, force=False, inputs=[]) as path:
        path.write_bytes(b"half")
        raise ZeroDivisionError
    for content, force in ((b"one", False), (b"two", True)):
        with local_output(name, force=force, inputs=[]) as path:
            path.write_bytes(content)
        assert content == read_under(memory, "out.jsonl", limit=None)
    for bad, inputs, said in (
        (name, [], "exists already"),
        (name, [name], "is one of the files to merge"),
        (f"{memory}/", [], "names a folder"),
        ("https://host/out.jsonl", [], "nothing can be written over http"),
    ):
        with (
            pytest.raises(UsageError, match=said),
            local_output(bad, force=bool(inputs), inputs=inputs),
        ):
            pass
    assert b"two" == read_under(memory, "out.jsonl", limit=None)


def test_names_of_files_and_folders() -> None:
    """A suffix of letters is a file's; a slash at the end, and a version, are a folder's."""
    files = ("s3://b/v.jsonl", "s3://b/run/v.json.gz", "s3://b/v.txt")
    folders = (
        "s3://b/run",
        "s3://b/run/",
        "s3://b/v.jsonl/",
        "s3://b/run-1.2",
        "s3://b/.hidden",
        "s3://my.bucket",
    )
    assert all(map(names_a_file, files))
    assert not any(map(names_a_file, folders))


@pytest.mark.parametrize(
    "name",
    [
        "20261125T120000000Z-00000000-000001-0123456789abcdef.jsonl.gz",
        "20261325T120000000Z-00000000-000001-0123456789abcdef.jsonl",
        "20261125T120000000Z-00000000-0000001-0123456789abcdef.jsonl",
        "20261125T120000000Z-00000000-000001-0123456789ABCDEF.jsonl",
    ],
)
def test_names_that_are_no_parts(name: str) -> None:
    """Another suffix, a month that is none, another spelling: not ours."""
    assert PartName.of("whole", name) is None


def test_part_names_sort_as_they_were_stored() -> None:
    """By run and number, past a million as well; a name says what made it."""
    run = new_run(NOON, after=None)
    later = new_run(NOON, after=run)
    made = [PartName(run, number, "0" * 16, "w") for number in (1, 2, 999_999, 1_000_000)]
    made.append(PartName(later, 1, "0" * 16, "a"))
    assert made == sorted(made, key=lambda each: (each.run, each.sequence))
    assert [False] * 4 == [new < old for old, new in pairwise(made)]
    assert made == [PartName.of(each.worker, each.name) for each in made]
    with pytest.raises(OutputError, match="no run can be later"):
        new_run(NOON, after="99991231T235959999Z-00000000")


def test_many_parts_hold_few_bytes(memory: str, tmp_path: Path) -> None:
    """Reading holds one part at a time, and of the rest offsets: 20 parts of 400 kB are merged
    within 3 MB of Python's memory."""
    run, note = new_run(NOON, after=None), orjson.dumps({"note": "x" * 20_000})
    for number in range(20):
        lines = (verdict(f"{number}-{line}").to_line() for line in range(20))
        data = b"".join(line.replace(b'"meta":{}', b'"meta":' + note) for line in lines)
        digest = sha256(data).hexdigest()[:16]
        write_under(memory, PartName(run, number + 1, digest, "whole").path, data)
    assert 20 == len(parts(memory))
    tracemalloc.start()
    try:
        with local_verdicts([f"{memory}/"]) as copies:
            assert 400 == merge(copies.paths, tmp_path / "out").lines
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000
    assert (tmp_path / "out").stat().st_size > 8_000_000
    write(memory)
    assert 20 == len(manifest(memory)["runs"][0]["parts"])
