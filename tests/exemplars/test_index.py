"""The exemplar index as it is read: what went in comes out, and nothing that was changed does."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.exemplars.synthetic import MODEL, OTHER_FINGERPRINT, exemplar, make_index, tracks
from vscan.errors import ExemplarIndexError
from vscan.exemplars.carried import CarriedRecord
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.lock import LOCK_NAME
from vscan.exemplars.manifest import MANIFEST_NAME, SIGNALS
from vscan.exemplars.writer import IndexWriter, create_index


def files(path: Path) -> list[Path]:
    """Every file of an index that holds anything."""
    return sorted(file for file in path.rglob("*") if file.is_file() and file.name != LOCK_NAME)


def test_what_was_added_is_read_back(tmp_path: Path) -> None:
    """Exemplars come back in order and equal, with the values of every signal."""
    make_index(tmp_path / "known", "abc")
    index = ExemplarIndex.open(tmp_path / "known")
    assert (index.name, index.signals) == ("known", ("embedding", "pdq"))
    assert [each.source for each in index.exemplars] == ["a.mp4", "b.mp4", "c.mp4"]
    assert exemplar("b") == replace(index.exemplar(exemplar("b").id), tracks={})
    assert {signal: track.rows for signal, track in index.exemplars[0].tracks.items()} == {
        "embedding": 40,
        "pdq": 40,
    }
    rows = index.rows("pdq")
    second = rows.exemplar == 1
    assert tracks(1)["pdq"].values[:, :32].tolist() == rows.values[second].tolist()
    assert tracks(1)["pdq"].times_s.tolist() == rows.times_s[second].tolist()
    assert {90} == set(rows.quality.tolist())
    assert tracks(2)["embedding"].values.tolist() == (
        index.rows("embedding").values[index.rows("embedding").exemplar == 2].tolist()
    )


def test_an_embedding_gets_the_quality_of_its_picture(tmp_path: Path) -> None:
    """A sample's PDQ quality stands with its embedding, so that blank frames can be passed over."""
    create_index(tmp_path / "known", name="known", model=MODEL)
    blank = tracks(5)
    quality = blank["pdq"].quality
    assert quality is not None
    quality[3] = 0
    with IndexWriter(tmp_path / "known") as writer:
        writer.add(exemplar("a"), blank)
    rows = ExemplarIndex.open(tmp_path / "known").rows("embedding")
    assert rows.quality[:5].tolist() == [90, 90, 90, 0, 90]


def test_an_empty_index_opens(tmp_path: Path) -> None:
    """An index that was only created has no exemplars and no rows."""
    create_index(tmp_path / "known", name="known", model=MODEL)
    index = ExemplarIndex.open(tmp_path / "known")
    assert index.exemplars == ()
    assert (len(index.rows("pdq")), len(index.vectors("embedding"))) == (0, 0)


def test_an_index_without_a_model_holds_hashes_alone(tmp_path: Path) -> None:
    """Without a model no embeddings are held, and asking for them says why."""
    index = make_index(tmp_path / "known", "a", model=None)
    assert index.signals == ("pdq",)
    index.require_model(OTHER_FINGERPRINT)
    with pytest.raises(ExemplarIndexError, match="created without"):
        index.rows("embedding")


def test_no_index(tmp_path: Path) -> None:
    """A folder without an index is refused with the command that makes one."""
    with pytest.raises(ExemplarIndexError, match="vscan index create"):
        ExemplarIndex.open(tmp_path / "nothing")


def test_another_model_is_refused_by_name(tmp_path: Path) -> None:
    """An index of one model is refused for another; both fingerprints and the remedy are named."""
    make_index(tmp_path / "known", "a")
    with pytest.raises(ExemplarIndexError) as refused:
        ExemplarIndex.open(tmp_path / "known", model_fingerprint=OTHER_FINGERPRINT)
    assert MODEL.fingerprint[:24] in refused.value.message
    assert OTHER_FINGERPRINT[:24] in refused.value.message
    assert "--model small" in refused.value.remedy


def test_the_same_weights_under_another_name_are_accepted(tmp_path: Path) -> None:
    """What counts is the fingerprint after the name."""
    make_index(tmp_path / "known", "a")
    renamed = "mine#" + MODEL.fingerprint.partition("#")[2]
    assert ExemplarIndex.open(tmp_path / "known", model_fingerprint=renamed).name == "known"


def test_the_digest_follows_content_alone(tmp_path: Path) -> None:
    """Order, time and note do not change the digest; policy, opinion and tracks do."""
    first = make_index(tmp_path / "first", "ab")

    def digest_with(name: str, *added: tuple[str, int, str]) -> str:
        create_index(tmp_path / name, name="known", model=MODEL)
        with IndexWriter(tmp_path / name) as writer:
            for letter, seed, policy in added:
                writer.add(exemplar(letter, policy=policy), tracks(seed))
        return ExemplarIndex.open(tmp_path / name).digest

    usual = "weapons.firearms"
    assert first.digest == digest_with("turned", ("b", 1, usual), ("a", 0, usual))
    assert first.digest != digest_with("policy", ("a", 0, usual), ("b", 1, "drugs"))
    assert first.digest != digest_with("tracks", ("a", 0, usual), ("b", 2, usual))
    assert first.digest != digest_with("fewer", ("a", 0, usual))


@pytest.mark.parametrize(
    "count", [200, pytest.param(2000, marks=pytest.mark.soak)], ids=["some", "many"]
)
@pytest.mark.usefixtures("large")
def test_one_byte_changed_anywhere_is_refused(tmp_path: Path, count: int) -> None:
    """A changed byte in any file, the manifest too, is an error before anything is parsed."""
    make_index(tmp_path / "known", "abc", signals=SIGNALS)
    with IndexWriter(tmp_path / "known") as writer:
        writer.change(carry=[CarriedRecord(HashRecord(signal_type="md5", value="0" * 32))])
    held = files(tmp_path / "known")
    prefixes = {file.name.split("-")[0] for file in held if file.parent.name == "cells"}
    assert {"embedding", "keypoints"} == prefixes
    folders = {file.relative_to(tmp_path / "known").parts[0] for file in held}
    assert {MANIFEST_NAME, "exemplars", "tracks", "records", "cells"} == folders
    chance = random.Random(7)
    for _ in range(count):
        file = chance.choice(held)
        intact = file.read_bytes()
        changed = bytearray(intact)
        changed[chance.randrange(len(intact))] ^= chance.randrange(1, 256)
        file.write_bytes(changed)
        with pytest.raises(ExemplarIndexError, match=file.name):
            ExemplarIndex.open(tmp_path / "known")
        file.write_bytes(intact)
    assert len(ExemplarIndex.open(tmp_path / "known").exemplars) == 3


@pytest.mark.parametrize("cut", [0, 1, 100])
@pytest.mark.usefixtures("large")
def test_a_truncated_or_longer_file_is_refused(tmp_path: Path, cut: int) -> None:
    """Files of another length than the manifest's are refused, and the file is named."""
    make_index(tmp_path / "known", "ab", signals=SIGNALS)
    for file in files(tmp_path / "known"):
        intact = file.read_bytes()
        file.write_bytes(intact[:-cut] if cut else intact + b"\n")
        with pytest.raises(ExemplarIndexError) as refused:
            ExemplarIndex.open(tmp_path / "known")
        assert str(file) in refused.value.message
        file.write_bytes(intact)


@pytest.mark.usefixtures("large")
def test_a_missing_part_is_named(tmp_path: Path) -> None:
    """A missing file of the truth is an error that names it; missing cells are none."""
    make_index(tmp_path / "known", "ab", signals=SIGNALS)
    for cells in (tmp_path / "known" / "cells").iterdir():
        cells.unlink()
    assert len(ExemplarIndex.open(tmp_path / "known").exemplars) == 2
    gone = next((tmp_path / "known" / "tracks").iterdir())
    gone.unlink()
    with pytest.raises(ExemplarIndexError, match=gone.name):
        ExemplarIndex.open(tmp_path / "known")


def test_a_manifest_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    """A part's path with the right checksum around it still may not leave the folder."""
    make_index(tmp_path / "known", "a")
    file = tmp_path / "known" / MANIFEST_NAME
    text = file.read_bytes()
    index = ExemplarIndex.open(tmp_path / "known")
    forged = text.replace(index.manifest.batches[0].tracks.path.encode(), b"tracks/../../secret")
    body = forged[: forged.rindex(b',\n  "checksum"')] + b"\n}\n"
    check = hashlib.sha256(body).hexdigest().encode()
    file.write_bytes(body[:-3] + b',\n  "checksum": "' + check + b'"\n}\n')
    with pytest.raises(ExemplarIndexError, match="not a part of an index"):
        ExemplarIndex.open(tmp_path / "known")
