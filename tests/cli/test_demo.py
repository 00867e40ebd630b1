"""`vscan demo`: the whole job on videos made here, with the verdicts that its story says."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import Vscan

from vscan.demo.run import Shown, surprises
from vscan.demo.story import CLIPS, EXEMPLAR_POLICY
from vscan.exemplars.index import ExemplarIndex
from vscan.intervals import Interval, union
from vscan.verdicts import ExemplarEvidence


def test_the_story_comes_true(demo: Shown) -> None:
    """Every clip gets the outcome, the policy and the place that the story says."""
    assert () == demo.surprises
    assert {clip.name: clip.outcome for clip in CLIPS} == {
        str(Path(verdict.source.uri).relative_to(demo.folder / "videos")): verdict.outcome
        for verdict in demo.verdicts
    }


def test_copies_say_where_they_are_from(demo: Shown) -> None:
    """The re-encoded and the mirrored copy name the known clip, with intervals on both sides."""
    index = ExemplarIndex.open(demo.folder / "index")
    (exemplar,) = index.exemplars
    assert EXEMPLAR_POLICY == exemplar.policy
    for name, start_s in (("reupload.mp4", 4.0), ("mirrored.mp4", 3.0)):
        (verdict,) = [v for v in demo.verdicts if v.source.uri.endswith(f"/{name}")]
        evidence = [each for finding in verdict.findings for each in finding.evidence]
        matches = [each for each in evidence if isinstance(each, ExemplarEvidence)]
        assert {exemplar.id} == {match.exemplar for match in matches}
        for match in matches:
            (a, b), (c, d) = match.source_span_s, match.exemplar_span_s
            assert abs((a - start_s) - c) <= 1.01
            assert abs((b - start_s) - d) <= 1.01
        spans = union([Interval(*match.source_span_s) for match in matches], join_s=1.01)
        assert 6 <= sum(span.length_s for span in spans) <= 10


def test_surprises_are_told(demo: Shown) -> None:
    """A story that does not come true is noticed: no verdict, another one, another place."""
    assert len(CLIPS) == len(list(surprises([], demo.folder)))
    told = list(surprises(demo.verdicts, demo.folder / "elsewhere"))
    assert all("no verdict" in line for line in told)


def test_the_program(vscan: Vscan, demo: Shown, tmp_path: Path) -> None:
    """A second run in the same folder goes the same way and ends in a table and next steps."""
    shutil.copytree(demo.folder, tmp_path / "again")
    ran = vscan("demo", tmp_path / "again")
    assert 0 == ran.code
    page = ran.out.decode()
    assert "source" in page.splitlines()[0]
    assert all(clip.name in page for clip in CLIPS)
    assert f"All {len(CLIPS)} verdicts are what the story says." in page
    assert f"vscan explain {tmp_path / 'again' / 'verdicts.jsonl'} mirrored.mp4" in page
    assert ["vscan demo: making", "vscan demo: scanning"] == [
        " ".join(line.split()[:3]) for line in ran.err.splitlines()
    ]
    assert len(CLIPS) == len((tmp_path / "again" / "verdicts.jsonl").read_bytes().splitlines())


def test_a_folder_with_other_things(vscan: Vscan, tmp_path: Path) -> None:
    """Nothing of a person's own is overwritten."""
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    ran = vscan("demo", tmp_path)
    assert 2 == ran.code
    assert "holds other files (thesis.txt)\n  name an empty or new folder" in ran.err
    assert ["thesis.txt"] == [entry.name for entry in tmp_path.iterdir()]
