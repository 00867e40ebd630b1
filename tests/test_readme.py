"""The README is true: its commands run as they stand, its folders and links are there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Ran

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
READS_THE_BROKEN_VIDEO = ("vscan scan", "vscan rescan", "vscan index search")
"""These end with 3, as the README says: one of the demonstration's videos is broken on purpose."""


def blocks(language: str) -> list[str]:
    """The code blocks of exactly that language."""
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def lines(language: str) -> list[str]:
    """Every line of those blocks."""
    return [line for block in blocks(language) for line in block.splitlines() if line.strip()]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in `folder`, with `vscan` on the path as in an activated environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )


@pytest.mark.timeout(1200)
def test_its_commands_run(terminal: Callable[[str], Ran], tmp_path: Path) -> None:
    """Each line of its examples, one after the other in a new folder, ends as it says."""
    told = lines("sh")
    assert len(told) > 15
    for line in told:
        ran = terminal(line)
        code = 3 if any(each in line for each in READS_THE_BROKEN_VIDEO) else 0
        assert (code, line) == (ran.code, line), ran.err
        assert "Traceback" not in ran.err
    for name in ("verdicts.jsonl", "all.jsonl"):
        assert 9 == len((tmp_path / name).read_bytes().splitlines()), name
    (program,) = blocks("python")
    done = run(tmp_path, sys.executable, "-c", program)
    assert (0, 9) == (done.returncode, len(done.stdout.splitlines())), done.stderr
    assert "knife.mp4 violation ['weapons']" in done.stdout


def test_it_can_be_cut_into_blocks() -> None:
    """Every block is of a kind that a test knows, so that none goes untested by its spelling."""
    kinds = re.findall(r"^```(.+)$", README, re.MULTILINE)
    assert {"sh", "sh make", "sh download", "python"} == set(kinds)
    assert 2 * len(kinds) == len(re.findall(r"^```", README, re.MULTILINE))


def test_make_targets_exist() -> None:
    """What the README asks make for is a target; what the Makefile calls phony is one too."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    asked = [line.split()[1] for line in lines("sh make")]
    assert ["demo", "test"] == asked
    assert set(asked) <= targets
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(phony.split()) == targets


def test_download_lines_are_right() -> None:
    """What needs a network is not run, but its commands and names are real."""
    from vscan.embeddings.registry import DEFAULT_MODEL

    told = lines("sh download")
    assert f"vscan models pull {DEFAULT_MODEL}" in told
    for line in told:
        words = [word for word in line.split()[1:] if re.fullmatch("[a-z-]+", word)]
        done = run(ROOT, "vscan", *words[: 2 if words[0] == "models" else 1], "--help")
        assert (0, line) == (done.returncode, line)


def tour() -> list[str]:
    """The paths of the table of folders."""
    _, _, table = README.partition("## Where things are")
    rows = [row for row in table.split("##")[0].splitlines() if row.startswith("| `")]
    return [path for row in rows for path in re.findall(r"`([^`]+)`", row.split("|")[1])]


def places(named: str) -> Iterator[Path]:
    """Where a path of the tour is: below the repository, or below the package."""
    for base in (ROOT, ROOT / "src" / "vscan"):
        yield from base.glob(named.rstrip("/"))


def test_the_tour_of_the_folders() -> None:
    """Each path of the tour exists, and every room of the package and folder of code is in it."""
    assert [] == [named for named in tour() if not list(places(named))]
    found = {place for named in tour() for place in places(named)}
    package = ROOT / "src" / "vscan"
    rooms = [entry for entry in package.iterdir() if (entry / "__init__.py").is_file()]
    rooms += package.glob("*.py")
    rooms += [ROOT / name for name in ("configs", "docs", "tests", "bench", "training")]
    shown = found | {place.parent for place in found}
    assert [] == sorted(room.name for room in rooms if room not in shown)


@pytest.mark.parametrize(
    "page",
    sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]),
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page is a file."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [] == [target for target in local if not (page.parent / target).exists()]
