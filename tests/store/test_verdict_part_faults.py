"""Verdict parts that met a fault: what is lost is told, what is damaged is named, nothing lies."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.store.parts_made import NOON, manifest, merged, parts, stored, write
from tests.store.test_records import OTHER, verdict
from tests.verdict_schema import check_parts

from vscan.errors import OutputError, UsageError
from vscan.folders import remove_under, write_under
from vscan.storage import location, read_under
from vscan.store import verdict_parts
from vscan.store.verdict_parts import RecordParts

Root = Path | str


class Killed(BaseException):
    """The process is gone at that moment."""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A file for what is merged."""
    return tmp_path / "out.jsonl"


def fail_at(monkeypatch: pytest.MonkeyPatch, wanted: str, error: BaseException) -> None:
    """Storing a file whose name begins so fails."""

    def failing(root: Root, name: str, data: bytes, **options: Any) -> None:
        if name.startswith(wanted):
            raise error
        write_under(root, name, data, **options)

    monkeypatch.setattr(verdict_parts, "write_under", failing)


@pytest.mark.parametrize(("step", "kept"), [("parts/", 0), ("manifests/", 2)])
def test_a_place_that_takes_nothing_more(
    root: Root, monkeypatch: pytest.MonkeyPatch, step: str, kept: int
) -> None:
    """The error says what is lost and how to go on; what was stored before counts, a part whose
    manifest did not come included; the next run goes on and heals the manifest."""
    with monkeypatch.context() as patch:
        patch.setattr(verdict_parts, "MOST_LINES", 2)
        fail_at(patch, step, OutputError("s3: no room", remedy="get some"))
        sink = RecordParts(root)
        sink.write(verdict("a"))
        with pytest.raises(OutputError, match="no room") as told:
            sink.write(verdict("b"))
        assert ("2 verdicts are not stored" in told.value.message) == (kept == 0)
        assert "it resumes" in told.value.remedy
        sink.close()
    again = RecordParts(root)
    assert kept == sum(again.is_done(verdict(uri).id) for uri in "ab") == len(stored(root))
    again.write(verdict("c"))
    again.finish()
    entries = [each["name"] for run in manifest(root)["runs"] for each in run["parts"]]
    assert [name.rpartition("/")[2] for name in parts(root)] == entries
    assert [] == check_parts(manifest(root))


@pytest.mark.parametrize("step", ["parts/", "manifests/"])
def test_interrupted_while_it_stores(
    memory: str, monkeypatch: pytest.MonkeyPatch, step: str, tmp_path: Path
) -> None:
    """Ctrl-C in the midst of `finish` costs nothing: closing stores the same under its name."""
    sink = RecordParts(memory)
    sink.write(verdict("a"))
    with monkeypatch.context() as patch:
        fail_at(patch, step, Killed())
        with pytest.raises(Killed):
            sink.finish()
    sink.close()
    assert (1, False) == (len(parts(memory)), manifest(memory)["finished"])
    assert [verdict("a").to_line()] == merged(memory, tmp_path / "v")[1]


def test_a_put_that_is_repeated(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service stores twice, as a retry does, is one file of one content."""
    seen: dict[str, set[bytes]] = {}

    def twice(root: Root, name: str, data: bytes, **options: Any) -> None:
        seen.setdefault(name, set()).add(data)
        write_under(root, name, data, **options)
        write_under(root, name, data, **options)

    monkeypatch.setattr(verdict_parts, "write_under", twice)
    monkeypatch.setattr(verdict_parts, "MOST_LINES", 1)
    write(memory, *"abc")
    assert list("abc") == stored(memory)
    assert {1} == {len(each) for name, each in seen.items() if name.startswith("parts/")}


def test_two_runs_of_one_worker(memory: str, monkeypatch: pytest.MonkeyPatch, out: Path) -> None:
    """Both at once, by the same clock: no part collides, the manifest that lost is healed, and a
    merge has one line of each source."""
    monkeypatch.setattr(verdict_parts, "MOST_LINES", 2)
    one, two = (RecordParts(memory, now=lambda: NOON) for _ in range(2))
    for uri in "abcde":
        one.write(verdict(uri))
        two.write(verdict(uri, provenance=OTHER if uri == "b" else verdict("a").provenance))
    one.finish()
    two.finish()
    assert 6 == len(parts(memory))
    assert 1 == len(manifest(memory)["runs"])
    assert (5, 5) == (merged(memory, out)[0].lines, len(merged(memory, out)[1]))
    write(memory)
    assert 2 == len(manifest(memory)["runs"])
    assert 6 == sum(len(run["parts"]) for run in manifest(memory)["runs"])


@pytest.mark.parametrize("named", [True, False], ids=["in the manifest", "in none"])
@pytest.mark.parametrize("damage", ["torn", "changed", "missing"])
def test_damage_is_named(root: Root, out: Path, damage: str, named: bool) -> None:
    """A part that is missing, or has other bytes, is refused by name when merging and before a
    scan; --fresh needs none of it. Only what no manifest names can be gone unnoticed."""
    write(root, "a", "b")
    (part,) = parts(root)
    if not named:
        remove_under(root, "manifests/whole.json")
    data = read_under(root, part, limit=None)
    if damage == "missing":
        remove_under(root, part)
    else:
        write_under(root, part, data[:-9] if damage == "torn" else data.replace(b"a", b"b", 1))
    if damage == "missing" and not named:
        with pytest.raises(OutputError, match="holds no verdicts"):
            merged(root, out)
        return
    for look in (lambda: merged(root, out), lambda: RecordParts(root)):
        with pytest.raises(OutputError) as told:
            look()
        assert told.value.message.startswith(f"{root}/{part}: ")
        assert "manifests/whole.json" in told.value.remedy
    assert not out.exists()
    write(root, "c", fresh=True)
    assert ["c"] == stored(root)


def test_foreign_files(root: Root, out: Path) -> None:
    """What is no part is passed over, unless it ends as parts do: others would read it."""
    write(root, "a")
    for name in ("notes.txt", "parts/x", "parts/whole/_SUCCESS", "manifests/x.txt", "old/a.jsonl"):
        write_under(root, name, b"hello\n")
    assert 1 == merged(root, out)[0].lines
    assert RecordParts(root).is_done(verdict("a").id)
    write_under(root, "parts/whole/copy of a.jsonl", verdict("b").to_line())
    for look in (lambda: merged(root, out), lambda: RecordParts(root)):
        with pytest.raises(OutputError, match=r"copy of a\.jsonl: is no part that vscan wrote"):
            look()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "no manifest of verdict parts"),
        (b'{"schema":"vscan.parts/2"}', "no manifest of verdict parts"),
        (None, "is the manifest of whole, under another name"),
    ],
)
def test_manifests_that_are_none(memory: str, content: bytes | None, said: str) -> None:
    """One that does not hold, or is another worker's, is refused by name."""
    write(memory, "a")
    whole = read_under(memory, "manifests/whole.json", limit=None)
    write_under(
        memory, "manifests/shard-00001-of-00002.json", whole if content is None else content
    )
    with pytest.raises(OutputError, match=said) as told:
        RecordParts(memory)
    assert "manifests/shard-00001-of-00002.json" in told.value.message


def test_a_part_of_something_else(memory: str, out: Path) -> None:
    """Lines that are no verdicts are told with the part and the line."""
    write(memory, "a")
    data = verdict("b").to_line() + b'{"schema":"other"}\n'
    name = f"20261125T120000000Z-00000000-000001-{sha256(data).hexdigest()[:16]}.jsonl"
    write_under(memory, f"parts/whole/{name}", data)
    with pytest.raises(OutputError, match=f"{name}: line 2 is not a vscan verdict"):
        merged(memory, out)


def test_places_that_cannot_be_read(tmp_path: Path) -> None:
    """A file in the place of the folder is refused before anything is scanned."""
    (tmp_path / "file").touch()
    for options in ({}, {"fresh": True}):
        with pytest.raises(OutputError, match="file: cannot be"):
            RecordParts(tmp_path / "file", **options)  # type: ignore[arg-type]  # both are bool
    with pytest.raises(UsageError, match="is unknown"):
        location("nowhere://bucket/run/")


def test_fresh_that_cannot_remove(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where old parts may not be removed it is told; what is new is there, and counts."""
    write(memory, "a")

    def refused(root: Root, name: str) -> None:
        raise OutputError(f"{root}/{name}: access is denied")

    monkeypatch.setattr(verdict_parts, "remove_under", refused)
    sink = RecordParts(memory, fresh=True)
    sink.write(verdict("b"))
    with pytest.raises(OutputError, match="access is denied"):
        sink.finish()
    assert ["a", "b"] == stored(memory)
    again = RecordParts(memory)
    assert [True, True] == [again.is_done(verdict(uri).id) for uri in "ab"]


def test_fresh_that_cannot_store_keeps_the_old(
    memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the first part is refused, nothing was removed."""
    write(memory, "a")
    fail_at(monkeypatch, "parts/", OutputError("no room"))
    sink = RecordParts(memory, fresh=True)
    sink.write(verdict("b"))
    with pytest.raises(OutputError):
        sink.finish()
    assert ["a"] == stored(memory)
