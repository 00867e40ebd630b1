"""Exemplars from videos: measured, added once, found again with both intervals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.colour_encoder import ColourEncoder, tinted
from tests.conftest import Library
from tests.media_factory import scene_frames, write_video
from vscan import indexing
from vscan.errors import ExemplarIndexError
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.manifest import IndexModel
from vscan.exemplars.writer import EXEMPLAR_SAMPLING, create_index
from vscan.indexing import (
    DEFAULT_MATCH_SIMILARITY,
    Label,
    add_exemplars,
    index_encoder,
    new_index,
    search_index,
)
from vscan.settings import ScanSettings
from vscan.sources import find_sources

BY_HASH = ScanSettings(signals=("pdq",), workers=1)
LABEL = Label(policy="weapons.firearms", opinion="benign", note="a toy", added_by="me")


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model of colours in the place of a real one."""
    monkeypatch.setattr(indexing, "load_model", lambda settings: ColourEncoder())


def test_add_once(library: Library, tmp_path: Path) -> None:
    """A folder is added video by video; a broken one costs the others nothing; twice is once."""
    new_index(tmp_path / "index", settings=BY_HASH)
    inputs = [str(library.clips)]
    first = list(add_exemplars(tmp_path / "index", find_sources(inputs), LABEL, settings=BY_HASH))
    second = list(add_exemplars(tmp_path / "index", find_sources(inputs), LABEL, settings=BY_HASH))
    assert {"plain": "added", "copy": "added", "broken": "error"} == {
        Path(each.uri).stem: each.status for each in first
    }
    assert {"plain": "present", "copy": "present", "broken": "error"} == {
        Path(each.uri).stem: each.status for each in second
    }
    (failed,) = [each for each in first if each.status == "error"]
    assert failed.error is not None
    assert failed.exemplar is None
    index = ExemplarIndex.open(tmp_path / "index")
    assert ("index", 2) == (index.name, len(index.exemplars))
    assert index.exemplars == tuple(
        index.exemplar(each.exemplar.id) for each in first if each.exemplar is not None
    )


def test_what_is_kept_of_an_exemplar(library: Library, tmp_path: Path) -> None:
    """Provenance, label, size and length; four samples a second, whatever a scan takes."""
    new_index(tmp_path / "index", name="toys", settings=BY_HASH)
    sources = find_sources([str(library.folder / "known.mp4")])
    settings = ScanSettings(signals=("pdq",), sampling="fps:1")
    (added,) = add_exemplars(tmp_path / "index", sources, LABEL, settings=settings)
    exemplar = added.exemplar
    assert exemplar is not None
    assert ("weapons.firearms", "benign", "a toy", "me") == (
        exemplar.policy, exemplar.opinion, exemplar.note, exemplar.added_by,
    )  # fmt: skip
    assert (3.0, 160, 120) == (exemplar.duration_s, exemplar.width, exemplar.height)
    assert str(library.folder / "known.mp4") == exemplar.source
    assert EXEMPLAR_SAMPLING == exemplar.tracks["pdq"].spec["sampling"]
    rows = ExemplarIndex.open(tmp_path / "index").rows("pdq")
    assert 12 == len(set(rows.times_s.tolist()))


def test_search(library: Library) -> None:
    """Where a known clip comes back, and which part; no match and no video are answers too."""
    found = {
        Path(each.uri).stem: each
        for each in search_index(
            library.folder / "index", find_sources([str(library.clips)]), settings=BY_HASH
        )
    }
    assert {"copy", "plain", "broken"} == set(found)
    (match,) = found["copy"].matches
    assert (2.0, 5.0) == pytest.approx(match.source_span.pair(), abs=0.3)
    assert (0.0, 3.0) == pytest.approx(match.exemplar_span.pair(), abs=0.3)
    assert () == found["plain"].matches
    assert found["broken"].error is not None


def test_an_index_with_a_model(colours: None, tmp_path: Path) -> None:
    """All signals are measured and find the clip: they agree on where."""
    frames = [
        tinted(frame, colour)
        for seed, colour in enumerate(("red", "green", "blue"))
        for frame in scene_frames(seed=seed, count=20, width=160, height=120, motion=4)
    ]
    clip = write_video(tmp_path / "clip.mp4", frames, fps=10)
    longer = write_video(tmp_path / "longer.mp4", [*frames[20:], *frames[:20]], fps=10)
    manifest = new_index(tmp_path / "index", settings=ScanSettings())
    assert manifest.model is not None
    assert ("colours", DEFAULT_MATCH_SIMILARITY) == (
        manifest.model.name, manifest.model.match_similarity,
    )  # fmt: skip
    settings = ScanSettings(workers=1, sampling="fps:2")
    list(add_exemplars(tmp_path / "index", find_sources([str(clip)]), LABEL, settings=settings))
    (found,) = search_index(tmp_path / "index", find_sources([str(longer)]), settings=settings)
    assert ("embedding", "pdq", "keypoints") == manifest.signals
    assert {"pdq", "embedding", "keypoints"} == {match.signal for match in found.matches}
    first = [m for m in found.matches if m.source_span.start_s < 0.6]
    assert first
    for match in first:
        # Of a scene in one colour the embedding cannot tell which moment it is.
        within_s = 0.6 if match.signal == "embedding" else 0.3
        offset_s = match.exemplar_span.start_s - match.source_span.start_s
        assert 2.0 == pytest.approx(offset_s, abs=within_s)


def test_match_similarity_can_be_set(colours: None, tmp_path: Path) -> None:
    """The operating point is kept in the index."""
    manifest = new_index(tmp_path / "index", match_similarity=0.77, settings=ScanSettings())
    assert manifest.model is not None
    assert 0.77 == manifest.model.match_similarity


def test_another_model_is_refused(colours: None, tmp_path: Path) -> None:
    """Neither added to nor searched with another model than the one that made it."""
    model = IndexModel(name="b", fingerprint="b#sha256:" + "b" * 64, dim=3, match_similarity=0.9)
    create_index(tmp_path / "index", name="known", model=model)
    for use in (
        lambda: list(add_exemplars(tmp_path / "index", [], LABEL, settings=BY_HASH)),
        lambda: list(search_index(tmp_path / "index", [], settings=ScanSettings())),
    ):
        with pytest.raises(ExemplarIndexError, match="made with the model b#sha256"):
            use()
    assert [] == list(search_index(tmp_path / "index", [], settings=BY_HASH))


def test_search_by_some_signals(colours: None, library: Library, tmp_path: Path) -> None:
    """Only what is named is looked at; a signal that the index does not hold is an error."""
    new_index(tmp_path / "index", settings=ScanSettings(signals=("pdq", "keypoints")))
    sources = [str(library.folder / "known.mp4")]
    list(add_exemplars(tmp_path / "index", find_sources(sources), LABEL, settings=BY_HASH))
    copy = [str(library.clips / "deep" / "copy.mp4")]
    found = {}
    for signals in (None, ("pdq",), ("keypoints",)):
        settings = ScanSettings(signals=signals, workers=1)
        (one,) = search_index(tmp_path / "index", find_sources(copy), settings=settings)
        found[signals] = {match.signal for match in one.matches}
    assert {None: {"pdq", "keypoints"}, ("pdq",): {"pdq"}, ("keypoints",): {"keypoints"}} == found
    with pytest.raises(ExemplarIndexError, match="created without embedding"):
        list(search_index(tmp_path / "index", [], settings=ScanSettings(signals=("embedding",))))


def test_expired_exemplars_match_nothing(library: Library, tmp_path: Path) -> None:
    """What is said when they are added is kept, and decides."""
    new_index(tmp_path / "index", settings=BY_HASH)
    label = Label(policy="hoax", severity="critical", expires_at="2000-01-01T00:00:00Z")
    sources = [str(library.folder / "known.mp4")]
    (added,) = add_exemplars(tmp_path / "index", find_sources(sources), label, settings=BY_HASH)
    assert added.exemplar is not None
    assert ("critical", "2000-01-01T00:00:00Z") == (
        added.exemplar.severity, added.exemplar.expires_at,
    )  # fmt: skip
    copy = find_sources([str(library.clips / "deep" / "copy.mp4")])
    (found,) = search_index(tmp_path / "index", copy, settings=BY_HASH)
    assert () == found.matches


def test_no_model_where_none_is_needed(library: Library) -> None:
    """An index of hashes alone loads nothing."""
    assert None is index_encoder(ExemplarIndex.open(library.folder / "index"), ScanSettings())


def test_no_index(tmp_path: Path) -> None:
    """A folder that is no index is named, and nothing is left in it."""
    with pytest.raises(ExemplarIndexError, match=str(tmp_path)):
        list(add_exemplars(tmp_path, [], LABEL, settings=BY_HASH))
    assert [] == list(tmp_path.iterdir())
