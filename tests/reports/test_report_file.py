"""A report's file: refused before the work where it cannot be, else there whole or not at all."""

from __future__ import annotations

import resource
from contextlib import closing
from pathlib import Path

import pytest

from vscan.errors import OutputError, UsageError
from vscan.reports.report_file import ReportFile
from vscan.store.locked import open_locked


def report_file(path: Path, *, force: bool = False, inputs: tuple[Path, ...] = ()) -> ReportFile:
    """As `-o PATH`."""
    return ReportFile(path, option="-o", force=force, inputs=inputs)


def names(folder: Path) -> list[str]:
    """Everything in a folder."""
    return sorted(each.name for each in folder.iterdir())


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    """The file is there when it is finished; what is not finished leaves nothing behind."""
    path = tmp_path / "a.jsonl"
    with closing(report_file(path)) as made:
        made.write(b"one\n")
        assert not path.exists()
        made.write(b"two\n")
        made.finish()
    assert b"one\ntwo\n" == path.read_bytes()
    with closing(report_file(tmp_path / "b.jsonl")) as made:
        made.write(b"one\n")
    assert ["a.jsonl"] == names(tmp_path)


def test_an_existing_file(tmp_path: Path) -> None:
    """It is replaced only with force, and as it was until then; one that is read never is."""
    path, link = tmp_path / "a.jsonl", tmp_path / "link"
    path.write_text("mine", "utf-8")
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(UsageError, match=r"exists already\n.*--force"):
            report_file(name)
    for name in (path, link):
        with pytest.raises(UsageError, match="one of the files to read"):
            report_file(name, force=True, inputs=(tmp_path / "absent", path))
    with closing(report_file(link, force=True)) as made:
        made.write(b"new")
        assert "mine" == path.read_text("utf-8")
        made.finish()
    assert "new" == path.read_text("utf-8") and link.is_symlink()
    assert ["a.jsonl", "link"] == names(tmp_path)


def test_what_is_no_place_for_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, even without a name of its own; a link in a circle; no folder to be in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").touch()
    for name in (".", "..", "/", "file/a"):
        with pytest.raises(OutputError):
            report_file(Path(name), force=True)
    for name, force in (
        ("absent/a", False),
        ("absent/a", True),
        ("circle", True),
        ("circle", False),
    ):
        with pytest.raises(OutputError, match="cannot be written"):
            report_file(Path(name), force=force)
    assert ["circle", "file"] == names(tmp_path)


def test_a_link_that_lies_in_wait_is_not_followed(tmp_path: Path) -> None:
    """A link under the new file's name, which can be guessed, does not lead to another file."""
    (tmp_path / "precious").write_text("precious", "utf-8")
    (tmp_path / ".a.jsonl.rewrite").symlink_to(tmp_path / "precious")
    with pytest.raises(OutputError, match="symbolic links"):
        report_file(tmp_path / "a.jsonl")
    assert "precious" == (tmp_path / "precious").read_text("utf-8")


def test_one_at_a_time(tmp_path: Path) -> None:
    """A second run that is to write the same file is refused, and so is one beside a scan."""
    path = tmp_path / "a.jsonl"
    with closing(report_file(path)) as made:
        with pytest.raises(OutputError, match="another run"):
            report_file(path)
        made.write(b"first")
        made.finish()
    assert b"first" == path.read_bytes()
    with closing(open_locked(path)), pytest.raises(OutputError, match="another run"):
        report_file(path, force=True)


def test_what_fails_later_is_told_at_the_end(tmp_path: Path) -> None:
    """No room: writing goes on without a word, and the end says it and leaves nothing."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(report_file(tmp_path / "a.jsonl")) as made:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
        try:
            for _ in range(3):
                made.write(b"x" * 100_000)
            with pytest.raises(OutputError, match="cannot be written: File too large"):
                made.finish()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert [] == names(tmp_path)


def test_what_another_program_made_meanwhile_stays(tmp_path: Path) -> None:
    """A file that came under the name during the work is replaced only with force."""
    path = tmp_path / "a.jsonl"
    with closing(report_file(path)) as made:
        path.write_text("other", "utf-8")
        with pytest.raises(OutputError, match="another program"):
            made.finish()
    assert "other" == path.read_text("utf-8")
    assert ["a.jsonl"] == names(tmp_path)
