"""docs/verdict-parts.md is true: its commands run as they stand, its layout is what is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import Library, Vscan
from tests.store.parts_made import names
from vscan.store.verdict_part_names import PartName

PAGE = (Path(__file__).parents[1] / "docs" / "verdict-parts.md").read_text("utf-8")


def test_the_example(
    vscan: Vscan, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command ends well (3 where it met the broken video), the third scan finds all done, and
    the merged file is what the folder is read as."""
    monkeypatch.chdir(tmp_path)
    for name, target in (("clips", "clips"), ("known.toml", "known.toml"), ("known", "index")):
        (tmp_path / name).symlink_to(library.folder / target)
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    said = {line: vscan(*shlex.split(line)[1:]) for line in block.splitlines()}
    scans = [ran for line, ran in said.items() if line.startswith("vscan scan")]
    assert {0, 3} == {ran.code for ran in scans} | {0}
    assert {0} == {ran.code for line, ran in said.items() if not line.startswith("vscan scan")}
    assert "3 done before" in scans[2].err
    *_, diff = said.values()
    assert "0 of 3 videos changed" in diff.err
    assert 3 == len((tmp_path / "verdicts.jsonl").read_bytes().splitlines())
    found = {tuple(name.split("/")[:-1]): name for name in names(tmp_path / "run")}
    assert {"parts", "manifests", "runs"} == {folder[0] for folder in found}
    assert all(f"run/{folder}/" in PAGE for folder in ("parts", "manifests", "runs"))


def test_names_on_the_page() -> None:
    """The worker and the run that it shows are spelled as vscan spells them."""
    (run,) = set(re.findall(r"`([0-9]{8}T[0-9]+Z-[0-9a-f]+)`", PAGE))
    (worker,) = set(re.findall(r"`(shard-[0-9]+-of-[0-9]+)`", PAGE))
    made = PartName(run, 1, "0" * 16, worker)
    assert made == PartName.of(worker, made.name)
