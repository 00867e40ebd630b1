"""What lies on disk between runs, damaged or forged: made again, or refused, and never believed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.conftest import Library, Vscan
from tests.exemplars.formats import test_ncmec_xml as ncmec
from vscan.demo.run import Shown
from vscan.embeddings import builtin, weights
from vscan.exemplars.manifest import MANIFEST_NAME

BUILTIN = ("--model", "builtin", "--policy", "demo")


def flip(path: Path, at: int) -> None:
    """Changes one bit of the byte at that place."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, with what it holds."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def test_a_damaged_prompt_cache(
    vscan: Vscan, demo: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """A bit flipped in every vector that was kept, and a file cut short, change no verdict: they
    are encoded again, and kept whole."""
    monkeypatch.setenv("VSCAN_CACHE", str(tmp_path))
    command = ("scan", demo.folder / "videos" / "knife.mp4", *BUILTIN)
    expected = vscan(*command).out
    kept = [name for name, _ in below(tmp_path)]
    assert len(kept) > 5
    for name in kept:
        flip(tmp_path / name, -3)
    os.truncate(tmp_path / kept[0], 40)
    caplog.clear()
    assert expected == vscan(*command).out
    assert len(kept) == caplog.text.count("damaged, made again")
    caplog.clear()
    assert expected == vscan(*command).out
    assert "" == caplog.text


def test_tampered_weights(
    vscan: Vscan, demo: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights of which one bit was changed are never loaded: the run ends before any video, and
    says which file it is."""
    own = tmp_path / "builtin"
    shutil.copytree(builtin.folder(), own)
    flip(own / "open_clip_model.safetensors", -1000)
    monkeypatch.setattr(weights, "BUILTIN_DIR", own)
    monkeypatch.setattr("vscan.embeddings.model_files.BUILTIN_DIR", own)
    ran = vscan("scan", demo.folder / "videos", *BUILTIN)
    assert (2, b"") == (ran.code, ran.out)
    assert str(own / "open_clip_model.safetensors") in ran.err
    assert "SHA-256" in ran.err


# An index from somebody else


def forge(index: Path, name: str) -> None:
    """Has the manifest name another file, with every checksum right."""
    record = orjson.loads((index / MANIFEST_NAME).read_bytes())
    record["batches"][0]["tracks"]["path"] = name
    del record["checksum"]
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    check = hashlib.sha256(orjson.dumps(record, option=option)).hexdigest()
    (index / MANIFEST_NAME).write_bytes(orjson.dumps(record | {"checksum": check}, option=option))


@pytest.mark.parametrize(
    "name", ["tracks/../../outside", "../outside", "{absolute}", "tracks/./../../outside"]
)
def test_an_index_that_points_out_of_its_folder(
    vscan: Vscan, library: Library, tmp_path: Path, name: str
) -> None:
    """A folder that was handed over can name no file outside, not even one with the right SHA-256:
    scanning with it, merging it and checking it are refused, and nothing is written anywhere."""
    hostile, ours, outside = (tmp_path / each for each in ("hostile", "ours", "outside"))
    for folder in (hostile, ours):
        shutil.copytree(library.folder / "index", folder)
    (tracks,) = (hostile / "tracks").iterdir()
    tracks.rename(outside)
    forge(hostile, name.format(absolute=outside))
    before = dict(below(tmp_path))
    rules = ("--policy", library.folder / "known.toml", "--index", hostile)
    for command in (
        ("scan", library.good, *rules),
        ("index", "merge", ours, hostile),
        ("index", "list", hostile),
        ("index", "verify", hostile),
    ):
        ran = vscan(*command)
        assert (2, False) == (ran.code, b"clear" in ran.out), command
        assert "Traceback" not in ran.err
    assert before == dict(below(tmp_path))


def test_an_index_of_links(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """A part that is a link to a file outside is held against its SHA-256 like any other."""
    hostile, outside = tmp_path / "hostile", tmp_path / "outside"
    shutil.copytree(library.folder / "index", hostile)
    (tracks,) = (hostile / "tracks").iterdir()
    tracks.rename(outside)
    tracks.symlink_to(outside)
    rules = ("--policy", library.folder / "known.toml", "--index", hostile)
    assert 0 == vscan("scan", library.good, *rules).code
    flip(outside, -1)
    ran = vscan("scan", library.good, *rules)
    assert (2, b"") == (ran.code, ran.out)
    assert "SHA-256" in ran.err


def test_a_list_of_names_that_lead_out(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """Ids in a partner's list are words and no paths: all that an import writes lies in its
    index."""
    index, lists = tmp_path / "deep" / "index", tmp_path / "list.xml"
    shutil.copytree(library.folder / "index", index)
    text = ncmec.DOCUMENT.replace("<id>", "<id>../../../")
    assert text.count("../../../") > 1
    lists.write_text(text, "utf-8")
    before = {name for name, _ in below(tmp_path) if not name.startswith("deep/index/")}
    ran = vscan("index", "import", index, lists, "--format", "ncmec-xml", "--under", "a")
    assert 0 == ran.code, ran.err
    assert b"../../../" in ran.out
    after = {name for name, _ in below(tmp_path) if not name.startswith("deep/index/")}
    assert before == after
    assert 0 == vscan("index", "verify", index).code
