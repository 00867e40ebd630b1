"""docs/metrics.md is true: its commands run as they stand, and print what it shows."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Vscan
from tests.metrics.enforced import broken, verdict, write
from vscan.verdicts import Finding, Segment, Verdict

PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FOUND = {
    "knife": ("weapons", 0.95, 3.0, 7.0),
    "party": ("alcohol", 0.7, 4.0, 8.0),
    "bets": ("gambling", 0.7, 2.0, 7.0),
    "reupload": ("known-content", 0.7, 4.0, 13.0),
    "mirrored": ("known-content", 0.7, 3.0, 12.0),
    "clean/pets": None,
    "clean/lunch": None,
    "clean/nothing": None,
}
"""What the demonstration finds, by tests of its own: so that it need not run once more here."""


def as_demonstrated(folder: Path) -> None:
    """The verdict file of `vscan demo`, as far as figures go."""
    (folder / "vscan-demo").mkdir()
    told = [broken("vscan-demo/videos/broken"), *map(_verdict, FOUND)]
    write(folder / "vscan-demo" / "verdicts.jsonl", told)


def _verdict(name: str) -> Verdict:
    found = FOUND[name]
    full = f"vscan-demo/videos/{name}"
    if found is None:
        return verdict(full)
    policy, score, start_s, end_s = found
    made = verdict(full, {policy: score})

    def placed(finding: Finding) -> Finding:
        segment = Segment(start_s=start_s, end_s=end_s, peak_s=start_s, score=score)
        return replace(finding, segments=(segment,))

    return replace(made, findings=tuple(map(placed, made.findings)))


def test_the_example(vscan: Vscan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command ends with 0, and every line that the page shows is one that was printed."""
    assert {"sh", "text"} == {kind for kind, _ in BLOCKS}
    assert 2 * len(BLOCKS) == len(re.findall(r"^```", PAGE, re.MULTILINE))
    monkeypatch.chdir(tmp_path)
    as_demonstrated(tmp_path)
    printed: list[str] = []
    for kind, block in BLOCKS:
        if kind == "text":
            assert [] == [line for line in block.splitlines() if line not in printed]
        elif block.startswith("vscan "):
            for line in block.splitlines():
                if line != "vscan demo":
                    ran = vscan(*shlex.split(line)[1:])
                    assert (0, line) == (ran.code, line), ran.err
                    printed = ran.out.decode().splitlines()
        else:
            subprocess.run(["sh", "-ec", block], cwd=tmp_path, check=True)
    assert (tmp_path / "metrics.html").read_text("utf-8").startswith("<!DOCTYPE html>")
