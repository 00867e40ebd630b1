"""docs/scale.md says what was measured and computed; what grows is measured for real."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bench.index_size import rows

from bench import growth, scale

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_has_what_is_computed() -> None:
    """The table of docs/scale.md is what `python -m bench.scale` prints, line by line."""
    page = (DOCS / "scale.md").read_text("utf-8")
    assert "\n".join(scale.lines([scale.MILLION, scale.BILLION])) in page
    halved = replace(scale.MILLION, videos=500_000)
    assert "\n".join(scale.lines([halved, scale.BILLION])) not in page


@pytest.mark.parametrize("figure", scale.FIGURES, ids=lambda each: f"{each.page} {each.value}")
def test_figures_are_quoted(figure: scale.Figure) -> None:
    """Every rate stands in the page that it is taken from, in the line that is quoted."""
    assert figure.quote in (DOCS / figure.page).read_text("utf-8")
    assert any(f"{figure.value:{form}}" in figure.quote for form in ("g", ".1f", ",.0f"))


def test_inputs_change_what_comes_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An hour of video is an hour, and its cost is that of the quoted clips."""
    asked = ["bench", "--videos", "60", "--long-share", "0", "--shards", "2", "--mbit-s", "8"]
    monkeypatch.setattr(sys, "argv", asked)
    assert scale.main() == 0
    printed = capsys.readouterr().out
    told = {cells[1].strip(): cells[2].strip() for cells in
            (line.split("|") for line in printed.splitlines()) if len(cells) == 4}  # fmt: skip
    assert (told["hours of video"], told["samples at fps:1"]) == ("1", "3,600")
    assert told["bytes fetched, if each is fetched once"] == "3.6 GB"
    assert told["frame store, `pdq` at fps:1"] == "1.0 MB"
    assert told["LIST requests, where every shard lists"] == "2"


def test_growth_is_measured(tmp_path: Path) -> None:
    """Each part that knows every source is measured, on lines that it does take in."""
    told = dict(growth.rows(tmp_path, 3000))
    assert len(told) == 6
    for what, figures in told.items():
        size = float(figures.split()[0])
        assert size > (700 if what.endswith("bytes") else 20), what


def test_a_process_tells_how_it_grows() -> None:
    """What is held counts, and what this process holds does not."""
    held = bytearray(64 << 20)
    # Beyond what a heap may have free: malloc maps blocks of more than 32 MiB on their own.
    grown, took_s = growth.alone(lambda: bytearray(b"x") * (64 << 20))
    assert 60 << 20 < grown < 100 << 20
    assert took_s >= 0 and held[-1] == 0


def test_index_sizes_are_measured(tmp_path: Path) -> None:
    """PDQ takes at least its hashes on disk, and more in memory."""
    ((what, told),) = rows(tmp_path / "known", "pdq", 50)
    assert what.startswith("pdq, 50 seconds, IndexBinaryFlat")
    assert float(told.split()[0].replace(",", "")) > 4 * 11 * 32
