"""Which inputs are found in files, folders, globs and lists: each once, in a fixed order."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import fsspec
import pytest

from vscan.errors import UsageError
from vscan.name_keys import key_of
from vscan.sources import Found, Source, SourceFinder, find_sources, looks_like_media, read_list

MKV = b"\x1a\x45\xdf\xa3" + bytes(400)


def make(folder: Path, *names: str, data: bytes = b"x") -> None:
    """Files of those names below a folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def found(*inputs: object, from_file: str | None = None) -> list[str]:
    """Paths of what the inputs lead to."""
    return paths(find_sources(map(str, inputs), from_file=from_file))


def paths(sources: Iterable[Found]) -> list[str]:
    """Of sources that are all local."""
    held = list(sources)
    assert all(isinstance(each, Source) for each in held)
    return [str(each.path) for each in held if isinstance(each, Source)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def test_folders(tmp_path: Path) -> None:
    """Recursive, sorted, by extension or by first bytes; the rest is counted."""
    make(tmp_path, "v/b.mp4", "v/a.MKV", "v/sub/c.webm", "v/z.mov", "v/n.txt", "v/list.m3u8")
    make(tmp_path, "v/no-extension", data=MKV)
    finder = SourceFinder()
    found = paths(finder.find(["v"]))
    expected = ["a.MKV", "b.mp4", "list.m3u8", "no-extension", "z.mov", "sub/c.webm"]
    assert [f"v/{name}" for name in expected] == found
    assert (1, []) == (finder.skipped_files, finder.empty_folders)


def test_each_file_once(tmp_path: Path) -> None:
    """A file reached by its name, through a link and in a folder is one source."""
    make(tmp_path, "v/a.mp4", "v/b.mp4")
    (tmp_path / "v" / "c.mp4").symlink_to("a.mp4")
    (tmp_path / "w").symlink_to("v")
    finder = SourceFinder()
    uris = [source.uri for source in finder.find(["v/b.mp4", "v", "w", "v/../v/a.mp4"])]
    assert ["v/b.mp4", "v/a.mp4"] == uris
    assert (6, []) == (finder.repeated, finder.empty_folders)


@pytest.fixture
def bucket() -> Iterator[str]:
    """A bucket in the memory of this process, with two objects that redaction makes one name of."""
    store = fsspec.filesystem("memory")
    for name in ("v/a.mp4", "v/b.mp4", "v/c.mp4?token=one", "v/c.mp4?token=two"):
        store.pipe_file(f"/found-test/{name}", MKV)
    yield "memory://found-test"
    store.rm("/found-test", recursive=True)


def test_one_listing_is_not_remembered(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single prefix or pattern holds no name in memory; what may come twice still comes once."""
    seen: list[bytes] = []

    def noted(name: bytes) -> int:
        seen.append(name)
        return key_of(name)

    monkeypatch.setattr("vscan.sources.finder.key_of", noted)
    (Path.cwd() / "list").write_text(f"{bucket}/v/b.mp4\n", "utf-8")
    alone = [each.uri for each in find_sources([f"{bucket}/v/"])]
    assert [f"{bucket}/v/{name}" for name in ("a.mp4", "b.mp4")] == alone[:2]
    assert (2, []) == (len(alone) - 2, seen)
    assert alone[:2] == [each.uri for each in find_sources([f"{bucket}/v/?.mp4"])]
    assert [] == seen
    assert alone == [each.uri for each in find_sources([f"{bucket}/v/", f"{bucket}/v/a.mp4"])]
    assert alone == [each.uri for each in find_sources([f"{bucket}/v/"], from_file="list")]
    assert 2 * 2 * 5 == len(seen)


def test_loops_end(tmp_path: Path) -> None:
    """Links that lead back up are walked once, in folders and under `**`."""
    make(tmp_path, "v/one/a.mp4", "v/two/b.mp4")
    for name in ("one", "two"):
        (tmp_path / "v" / name / "up").symlink_to("..")
        (tmp_path / "v" / name / "self").symlink_to("self")
    assert ["v/one/a.mp4", "v/two/b.mp4"] == found("v")
    assert ["v/one/a.mp4", "v/two/b.mp4"] == found("v/**/*.mp4")


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    """FIFOs, devices and dangling links in a folder are passed over, whatever their names."""
    make(tmp_path, "v/a.mp4")
    os.mkfifo(tmp_path / "v" / "fifo.mp4")
    (tmp_path / "v" / "device.mp4").symlink_to("/dev/zero")
    (tmp_path / "v" / "gone.mp4").symlink_to("absent")
    finder = SourceFinder()
    assert ["v/a.mp4"] == paths(finder.find(["v"]))
    assert 3 == finder.skipped_files


def test_named_outright(tmp_path: Path) -> None:
    """What is named gets its line, be it absent, no media, or a FIFO; nothing is opened."""
    make(tmp_path, "notes.txt")
    os.mkfifo(tmp_path / "fifo")
    assert ["notes.txt", "absent.mp4", "fifo"] == found("notes.txt", "absent.mp4", "fifo")


def test_empty_folders_are_noticed(tmp_path: Path) -> None:
    """A folder or pattern that holds no media can be told to the user."""
    make(tmp_path, "v/notes.txt")
    finder = SourceFinder()
    assert [] == list(finder.find(["v", "*.mp4"]))
    assert ["v", "*.mp4"] == finder.empty_folders
    assert 1 == finder.skipped_files


def test_globs(tmp_path: Path) -> None:
    """Patterns that the shell left alone; hidden files on request; a file of that name wins."""
    make(tmp_path, "v/a.mp4", "v/.b.mp4", "v/sub/c.mp4", "v/n.txt", "[x].mp4")
    assert ["v/a.mp4"] == found("v/*.mp4")
    assert ["v/a.mp4"] == found("v/*")
    assert ["v/.b.mp4"] == found("v/.*.mp4")
    assert ["v/a.mp4", "v/sub/c.mp4"] == found("v/**/*.mp4")
    assert ["[x].mp4"] == found("[x].mp4")
    assert [str(tmp_path / "v" / "a.mp4")] == found(tmp_path / "v" / "?.mp4")
    with pytest.raises(UsageError, match="pattern"):
        found("v/**a/*.mp4")


def test_lists(tmp_path: Path) -> None:
    """Lines, comments, JSON objects with metadata, and Windows line ends in one list."""
    make(tmp_path, "a.mp4", "b c.mp4", "d.mp4", "v/e.mp4")
    lines = [
        b"# the morning's uploads",
        b"a.mp4\r",
        b"",
        b"b c.mp4",
        b'{"uri": "d.mp4", "market": "DE", "views": 7}',
        b'{"uri": "v", "market": "FR"}',
    ]
    Path("list").write_bytes(b"\n".join(lines))
    sources = list(find_sources([], from_file="list"))
    assert ["a.mp4", "b c.mp4", "d.mp4", "v/e.mp4"] == [source.uri for source in sources]
    assert [{}, {}, {"market": "DE", "views": 7}, {"market": "FR"}] == [s.meta for s in sources]


def test_names_of_any_bytes(tmp_path: Path) -> None:
    """NUL-separated names may hold newlines, and no name needs to be UTF-8."""
    names = [b"new\nline.mp4", b"\x1b[31m.mp4", "\u202e.mp4".encode(), b"\xff\xfe.mp4", b"# a.mp4"]
    for name in names:
        Path(os.fsdecode(name)).write_bytes(b"x")
    Path("list").write_bytes(b"\0".join(names) + b"\0")
    assert names == [os.fsencode(name) for name in found(from_file="list")]
    Path("list").unlink()
    assert sorted(names) == sorted(os.fsencode(Path(name).name) for name in found("."))


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads names from stdin, among the inputs or as the list."""
    make(tmp_path, "a.mp4", "b.mp4")
    for inputs, from_file in ((["-"], None), ([], "-")):
        stdin = io.TextIOWrapper(io.BytesIO(b"a.mp4\nb.mp4\n"))
        monkeypatch.setattr(sys, "stdin", stdin)
        finder = SourceFinder()
        assert ["a.mp4", "b.mp4"] == [s.uri for s in finder.find(inputs, from_file=from_file)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"uri": "a.mp4"', "line 1: not a JSON object"),
        (b'a.mp4\n{"url": "a.mp4"}', 'line 2: the object has no "uri"'),
        (b'{"uri": 5}', 'no "uri"'),
    ],
)
def test_lists_that_do_not_hold(data: bytes, says: str) -> None:
    """The error names the list and the line."""
    Path("list").write_bytes(data)
    with pytest.raises(UsageError, match=says):
        found(from_file="list")


def test_a_list_that_is_absent() -> None:
    """A list that cannot be read is the caller's error, not a source's."""
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_list("absent"))


def test_found_lazily(tmp_path: Path) -> None:
    """The first source comes before the rest is looked for."""
    make(tmp_path, "a.mp4")
    sources = find_sources(iter(["a.mp4", "s3://bucket/never"]))
    assert "a.mp4" == next(sources).uri


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\0\x18ftypmp42", True),
        (MKV, True),
        (b"RIFF\0\0\0\0AVI LIST", True),
        (b"RIFF\0\0\0\0CDDA", False),
        ((b"\x47" + bytes(187)) * 3, True),
        (b"plain text", False),
        (b"", False),
    ],
)
def test_sniffing(head: bytes, expected: bool) -> None:
    """Containers are known by their first bytes."""
    assert expected == looks_like_media(head)


def test_a_uri_that_lost_a_slash(tmp_path: Path) -> None:
    """`s3:/b/k`, as paths in scripts make it, is refused on the command line; in a list, where one
    bad line ends no run, and where such a file is there, it stays a name."""
    with pytest.raises(UsageError, match=r"s3:/bucket/a\.mp4: .* two slashes") as refused:
        found("s3:/bucket/a.mp4")
    assert "write s3://bucket/a.mp4" == refused.value.remedy
    (tmp_path / "list.txt").write_text("s3:/bucket/a.mp4\n")
    assert ["s3:/bucket/a.mp4"] == found(from_file="list.txt")
    make(tmp_path, "s3:/bucket/a.mp4")
    assert ["s3:/bucket/a.mp4"] == found("s3:/bucket/a.mp4")
