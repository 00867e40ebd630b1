"""`vscan demo`: the whole job on videos made here, with the verdicts that its story says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import orjson
from tests.conftest import Vscan

from vscan.demo.archive import MARKETS, SUBJECT, drawn_videos, write_archive
from vscan.demo.run import Shown, surprises
from vscan.demo.story import CLIPS, EXEMPLAR_POLICY
from vscan.exemplars.index import ExemplarIndex
from vscan.intervals import Interval, union
from vscan.metrics.labels import load_labels
from vscan.verdicts import ExemplarEvidence


def lines_of(file: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


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


def test_an_archive(vscan: Vscan, tmp_path: Path) -> None:
    """A list that a scan takes, and labels that are true of it; the same seed, the same videos."""
    ran = vscan("demo", tmp_path / "one", "--archive", "4", "--seed", "3")
    assert 0 == ran.code
    listed = lines_of(tmp_path / "one" / "list.jsonl")
    truth = load_labels(tmp_path / "one" / "truth.jsonl")
    assert 4 == len(listed)
    assert len(truth) == 4 * len(truth.policies)
    for each, drawn in zip(listed, drawn_videos(4, 3), strict=True):
        said = [label for label in truth.said if label.names["uri"] == each["uri"]]
        assert drawn.policies == {label.policy for label in said if label.violates}
        assert Path(each["uri"]).stat().st_size > 1000
    write_archive(tmp_path / "two", 4, seed=3)
    one, two = ((tmp_path / name / "videos" / "00003.mp4").read_bytes() for name in ("one", "two"))
    assert one == two
    assert 2 == vscan("demo", tmp_path / "one", "--archive", "4").code
    assert 2 == vscan("demo", tmp_path / "three", "--archive", "0").code


def test_a_third_of_an_archive_is_of_one_policy() -> None:
    """Enough of it for figures, with others and with nothing beside it, in every market."""
    drawn = list(drawn_videos(400, seed=0))
    assert 100 < sum(SUBJECT in each.policies for each in drawn) < 180
    assert 100 < sum(not each.policies for each in drawn)
    assert set(MARKETS) == {each.meta["market"] for each in drawn}
