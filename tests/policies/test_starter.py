"""A new pack passes lint as it is, keeps its comments, and never replaces a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from vscan.errors import OutputError, PackError, UsageError
from vscan.policies import lint_pack, load_pack
from vscan.policies.starter import write_pack


def test_passes_lint(tmp_path: Path) -> None:
    """What is written holds, without a warning, and is named after its file."""
    file = tmp_path / "My Rules.toml"
    assert "my-rules" == write_pack(file).name
    report = lint_pack(str(file))
    assert ((), ()) == (report.errors, report.warnings)
    assert "# low, medium, high or critical\n" in file.read_text("utf-8")


def test_copies_a_pack_with_its_comments(tmp_path: Path) -> None:
    """A copy differs from its source in its name alone."""
    file = tmp_path / "own.toml"
    write_pack(file, name="own", source="baseline")
    copy, source = load_pack(str(file)), load_pack("baseline")
    assert source.policies == copy.policies
    assert "own" == copy.name
    assert "# --- weapons ---" in file.read_text("utf-8")


def test_never_overwrites(tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    file = tmp_path / "p.toml"
    file.write_text("precious", "utf-8")
    with pytest.raises(OutputError, match="is there already"):
        write_pack(file)
    assert "precious" == file.read_text("utf-8")


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """The cause and the remedy are named."""
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        write_pack(tmp_path / "no" / "p.toml")


def test_names(tmp_path: Path) -> None:
    """A file that no command would take for a pack is refused, and so is a bad name."""
    with pytest.raises(UsageError, match=r"ends in \.toml"):
        write_pack(tmp_path / "pack.yaml")
    with pytest.raises(PackError, match="name: must be lower-case"):
        write_pack(tmp_path / "p.toml", name="Not A Name")
    assert [] == list(tmp_path.iterdir())


def test_broken_source(tmp_path: Path) -> None:
    """A pack that does not hold is not copied."""
    source = tmp_path / "broken.toml"
    source.write_text("name = 1", "utf-8")
    with pytest.raises(PackError, match=r"broken\.toml:1"):
        write_pack(tmp_path / "p.toml", source=str(source))
