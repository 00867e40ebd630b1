"""A scan from its settings: what they may be, what is measured for them, what is told."""

from __future__ import annotations

import importlib.metadata
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.colour_encoder import ColourEncoder
from tests.conftest import Library
from tests.media_factory import solid_frames, write_video
from vscan.curation import update_exemplar
from vscan.errors import (
    ExemplarIndexError,
    ModelError,
    ModelLoadError,
    PackError,
    SamplingError,
    UsageError,
)
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.manifest import IndexModel
from vscan.exemplars.writer import create_index
from vscan.scanning import models_used, prepare, run_scan, scan
from vscan.settings import ScanSettings
from vscan.sources import find_sources
from vscan.verdicts import Verdict

COLOURS = """\
schema = "vscan.pack/1"
name = "colours"
version = "1"
model = "another"
templates = ["{}"]
neutral = ["grey"]

[[policy]]
id = "red"
title = "Red"
severity = "high"
prompts = ["red"]
contrast = ["green"]
indexes = ["known"]
[policy.thresholds]
review = 0.7
"""


@pytest.fixture
def colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A pack with prompts, and the model of colours in the place of a real one."""
    monkeypatch.setattr(models_used, "unloaded_model", lambda *_: ColourEncoder())
    (tmp_path / "colours.toml").write_text(COLOURS, "utf-8")
    return str(tmp_path / "colours.toml")


def known(library: Library, **settings: Any) -> ScanSettings:
    """A scan of the small videos against the known clip: no model."""
    return ScanSettings(
        policy=str(library.folder / "known.toml"), indexes=(str(library.folder / "index"),),
        **settings,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"signals": ("pdq", "smell")}, "'smell'"),
        ({"workers": 0}, "at least 1"),
        ({"timeout_s": 0.0}, "above 0"),
        ({"timeout_s": float("nan")}, "above 0"),
        ({"timeout_s": float("inf")}, "above 0"),
        ({"flood_share": -0.1}, "flood share"),
        ({"flood_share": float("nan")}, "flood share"),
    ],
)
def test_settings_check_themselves(settings: dict[str, Any], told: str) -> None:
    """What cannot be is refused when the settings are made."""
    with pytest.raises(UsageError, match=told):
        ScanSettings(**settings)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"sampling": "often"}, SamplingError),
        ({"policy": "nothing"}, PackError),
        ({"indexes": ("nowhere",)}, ExemplarIndexError),
        ({"model": "nothing"}, ModelError),
        ({"weights": "x.safetensors"}, UsageError),
    ],
)
def test_what_cannot_be_loaded(settings: dict[str, Any], kind: type[UsageError]) -> None:
    """Each part of the settings has its own error, before any video is touched."""
    with pytest.raises(kind):
        prepare(ScanSettings(**settings))


def test_signals_follow_from_what_is_asked(library: Library, colours: str) -> None:
    """Prompts need the embedding, an index what it holds; what is named outright wins."""
    index = str(library.folder / "index")
    by_hash = prepare(known(library))
    assert (("pdq",), None, None) == (
        by_hash.recipe.signals, by_hash.encoder, by_hash.rules.provenance.model,
    )  # fmt: skip
    assert ("embedding",) == prepare(ScanSettings(policy=colours)).recipe.signals
    both = prepare(ScanSettings(policy=colours, indexes=(index,)))
    assert ("embedding", "pdq") == both.recipe.signals
    assert "fp32 on cpu" == both.rules.provenance.precision
    told = prepare(ScanSettings(policy=colours, signals=("pdq",), indexes=(index,)))
    assert ("pdq",) == told.recipe.signals
    assert any("prompts are not scored" in note for note in told.notes)
    assert ("prompts_not_scored",) == told.rules.warnings


def test_nothing_to_look_for(library: Library) -> None:
    """A pack of exemplars alone, and no index: an error rather than a scan that finds nothing."""
    with pytest.raises(UsageError, match=r"(?s)nothing to look for.*add --index"):
        prepare(ScanSettings(policy=str(library.folder / "known.toml")))


def test_a_scan_that_would_call_everything_clear(colours: str) -> None:
    """Prompts without the embedding, and no index: an error, since nothing could be found."""
    with pytest.raises(UsageError, match=r"(?s)nothing to look for.*measure `embedding`"):
        prepare(ScanSettings(policy=colours, signals=("pdq",)))


def test_notes(colours: str) -> None:
    """The person who starts a scan is told what will not work as it looks."""
    notes = prepare(ScanSettings(policy=colours)).notes
    assert any("names the exemplar index 'known', which no --index gives" in n for n in notes)
    assert any("thresholds of pack colours were set on the model another" in n for n in notes)


def test_provenance(library: Library) -> None:
    """Everything a verdict depends on is named, by digest."""
    provenance = prepare(known(library, sampling="fps:2.0")).rules.provenance
    assert importlib.metadata.version("vscan") == provenance.vscan
    assert provenance.pack.startswith("known@1#sha256:")
    assert ("fps:2", ("pdq",)) == (provenance.sampling, provenance.signals)
    assert {"known"} == set(provenance.indexes)
    assert provenance.indexes["known"].startswith("sha256:")


def test_provenance_knows_what_has_expired(library: Library, tmp_path: Path) -> None:
    """An exemplar that has expired matches nothing, and a rerun is another configuration."""
    index = tmp_path / "index"
    shutil.copytree(library.folder / "index", index)
    (held,) = ExemplarIndex.open(index).exemplars
    told = []
    for expires in (None, "2999-01-01T00:00:00Z", "2000-01-01T00:00:00Z"):
        update_exemplar(index, held.id, {"expires_at": expires})
        settings = replace(known(library, workers=1), indexes=(str(index),))
        told.append(prepare(settings).rules.provenance.indexes["known"])
        (found,) = scan([library.clips / "deep"], settings=settings)
        assert ("clear" if expires and expires < "2001" else "violation") == found.outcome
    assert 3 == len(set(told))
    assert [False, False, True] == ["less 1 expired" in each for each in told]


def test_twins_are_refused(library: Library, tmp_path: Path) -> None:
    """Two indexes of one name could not be told apart in a record."""
    create_index(tmp_path / "other", name="known", model=None)
    settings = ScanSettings(indexes=(str(library.folder / "index"), str(tmp_path / "other")))
    with pytest.raises(UsageError, match="both named 'known'"):
        prepare(settings)


def test_an_index_of_another_model(colours: str, tmp_path: Path) -> None:
    """Its vectors are never compared with this model's."""
    model = IndexModel(name="b", fingerprint="b#sha256:" + "b" * 64, dim=3, match_similarity=0.9)
    create_index(tmp_path / "index", name="known", model=model)
    with pytest.raises(ExemplarIndexError, match="made with the model b#sha256"):
        prepare(ScanSettings(policy=colours, indexes=(str(tmp_path / "index"),)))


def test_scan_yields_verdicts(library: Library) -> None:
    """Each input's verdict as it ends, errors among them, none raised."""
    found = {Path(v.source.uri).name: v for v in scan([library.clips], settings=known(library))}
    assert {"plain.mp4": "clear", "copy.mp4": "violation", "broken.mp4": "error"} == {
        name: verdict.outcome for name, verdict in found.items()
    }


def test_scan_with_prompts(colours: str, tmp_path: Path) -> None:
    """The same door with a model: what is red is found, videos share the model."""
    (tmp_path / "clips").mkdir()
    for name, colour in (("red", (220, 20, 20)), ("grey", (120, 120, 120))):
        frames = solid_frames([colour], each=20, size=160)
        write_video(tmp_path / "clips" / f"{name}.mp4", frames, fps=10)
    found = scan([str(tmp_path / "clips")], settings=ScanSettings(policy=colours, workers=2))
    assert {"red.mp4": "review", "grey.mp4": "clear"} == {
        Path(verdict.source.uri).name: verdict.outcome for verdict in found
    }


def test_scan_can_be_left_early(library: Library) -> None:
    """A caller who has seen enough leaves; what was not scanned stays so."""
    verdicts = scan([library.clips], settings=known(library, workers=1))
    assert isinstance(next(iter(verdicts)), Verdict)
    del verdicts


def test_done_ones_are_passed_over(library: Library) -> None:
    """`is_done` ends a source's journey before it is decoded; None stands in its place."""
    prepared = prepare(known(library, workers=2))
    ids = {v.id for v in run_scan(prepared, find_sources([str(library.clips)])) if v is not None}
    again = run_scan(prepared, find_sources([str(library.clips)]), is_done=ids.__contains__)
    assert [None] * 3 == list(again)


class Unloadable(ColourEncoder):
    """Its texts' vectors are kept, and its weights turn out to be damaged."""

    @property
    def batch_size(self) -> int:  # type: ignore[override]
        raise ModelLoadError("the weights are damaged")


def test_a_model_that_does_not_load_ends_the_run(
    library: Library, colours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damaged weights are no video's fault: the run ends with their error and without a verdict."""
    monkeypatch.setattr(models_used, "unloaded_model", lambda *_: Unloadable())
    with pytest.raises(ModelLoadError, match="damaged"):
        list(scan([library.clips], settings=ScanSettings(policy=colours)))
