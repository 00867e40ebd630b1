"""What an index gives to a list: as it came, in other terms, and what it keeps to itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.exemplars.synthetic import exemplar, tracks
from vscan.errors import ExemplarIndexError
from vscan.exemplars.carried import CarriedRecord
from vscan.exemplars.exemplar import Exemplar, hashes_id
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.formats.registry import FORMATS
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.offered import Offer, offer
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.tracks import Track

PICTURE = Track("pdq", np.zeros(1), np.full((1, 32), 7, np.uint8), np.full(1, 90, np.uint8))
PDQ = HashRecord(origin="tat-json", signal_type="PDQ", value="07" * 32, source_id="5")
MD5 = HashRecord(origin="tat-json", signal_type="MD5", value="0" * 32, source_id="6")


def index_of(
    path: Path, *exemplars: tuple[Exemplar, Track], carry: list[CarriedRecord] | None = None
) -> tuple[ExemplarIndex, list[CarriedRecord]]:
    """An index of hashes alone, and what it carries."""
    create_index(path, name="known", model=None)
    with IndexWriter(path) as writing:
        writing.change(add=[(each, {"pdq": track}) for each, track in exemplars], carry=carry or [])
    return ExemplarIndex.open(path), carry or []


def picture(**fields: object) -> Exemplar:
    """The exemplar that a list's single PDQ hash makes."""
    made = exemplar("p")
    return replace(made, id=hashes_id(PICTURE.times_s, PICTURE.values), sha256=None, md5=None,
                   **fields)  # type: ignore[arg-type]  # fmt: skip  # any field, for tests


def told(made: Offer) -> list[tuple[str, str]]:
    """Type and beginning of the hash."""
    return [(each.signal_type, each.value[:6]) for each in made.records]


@pytest.mark.parametrize("name", FORMATS)
def test_records_go_back_as_they_came(tmp_path: Path, name: str) -> None:
    """Into their own format without any change, others in its terms or not at all."""
    exemplar_id = picture().id
    index, carried = index_of(
        tmp_path / "known",
        (picture(), PICTURE),
        carry=[CarriedRecord(PDQ, exemplar_id), CarriedRecord(MD5)],
    )
    made = offer(index, carried, FORMATS[name])
    if name == "tat-json":
        assert [PDQ, MD5] == made.records
    elif FORMATS[name].kinds == frozenset({"pdq"}):
        assert [("PDQ", "070707")] == told(made)
        assert {f"of hashes that {name} does not hold": 1} == made.left_out
    else:
        assert {("PDQ", "070707"), ("MD5", "000000")} == set(told(made))
    assert FORMATS[name].write(made.records)


def test_an_exemplar_of_videos(tmp_path: Path) -> None:
    """What vscan measured goes out as frames, as one signal, or by its file's digests."""
    index, carried = index_of(tmp_path / "known", (exemplar("a"), tracks(0)["pdq"]))
    shapes = {name: told(offer(index, carried, form)) for name, form in FORMATS.items()}
    assert {40} == {len(shapes[name]) for name in ("vpdq-text", "vpdq-json", "pdq-list")}
    assert ["vpdq", "md5", "sha256"] == [each for each, _ in shapes["tx-csv"]]
    assert ["md5", "sha256"] == [each for each, _ in shapes["ncmec-xml"]]
    assert ["md5"] == [each for each, _ in shapes["stopncii-json"]]
    frames = offer(index, carried, FORMATS["vpdq-json"]).records
    assert tracks(0)["pdq"].times_s.tolist() == [each.time_s for each in frames]
    (video, *_) = offer(index, carried, FORMATS["tx-csv"]).records
    assert ("POSITIVE_CLASS", "known", exemplar("a").id) == (
        video.category, video.collab, video.source_id,
    )  # fmt: skip


def test_a_hash_that_two_lists_name_goes_out_once(tmp_path: Path) -> None:
    """In the words of the list that is written, where it is one of them."""
    other = HashRecord(origin="stopncii-json", signal_type="ImagePDQ", value=PDQ.value)
    carry = [CarriedRecord(other, picture().id), CarriedRecord(PDQ, picture().id)]
    index, carried = index_of(tmp_path / "known", (picture(), PICTURE), carry=carry)
    assert [PDQ] == offer(index, carried, FORMATS["tat-json"]).records
    assert [other] == offer(index, carried, FORMATS["stopncii-json"]).records


def test_benign_and_disabled_exemplars_stay(tmp_path: Path) -> None:
    """No list that cannot say `benign` gets a benign hash, and none a disabled one."""
    index, carried = index_of(tmp_path / "known", (picture(opinion="benign"), PICTURE))
    for name in ("pdq-list", "ncmec-xml", "stopncii-json", "tat-json", "tx-local-file"):
        made = offer(index, carried, FORMATS[name])
        assert ([], 1) == (made.records, made.left_out[f"benign, which {name} cannot say"])
    (record,) = offer(index, carried, FORMATS["tx-csv"]).records
    assert "NEGATIVE_CLASS" == record.category
    index, carried = index_of(tmp_path / "off", (picture(enabled=False), PICTURE))
    assert {"disabled": 1} == offer(index, carried, FORMATS["tx-csv"]).left_out


def test_one_video_a_file(tmp_path: Path) -> None:
    """A format for one video asks which, and takes the one that is named."""
    both = [(exemplar(name), tracks(seed)["pdq"]) for seed, name in enumerate("ab")]
    index, carried = index_of(tmp_path / "known", *both)
    with pytest.raises(ExemplarIndexError) as refused:
        offer(index, carried, FORMATS["vpdq-text"])
    assert "--exemplar" in refused.value.remedy
    made = offer(index, carried, FORMATS["vpdq-text"], exemplars=[exemplar("b").id])
    assert (1, 40) == (made.items, len(made.records))
    with pytest.raises(ExemplarIndexError, match="has no exemplar"):
        offer(index, carried, FORMATS["tx-csv"], exemplars=["ex_nothing"])
