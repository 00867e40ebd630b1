"""Lists into an index and out again: what becomes of every entry, and that nothing half is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.exemplars.formats import test_ncmec_xml as ncmec
from tests.exemplars.synthetic import MODEL, exemplar, make_index, tracks
from vscan.errors import ExemplarIndexError, UsageError
from vscan.exemplars.formats.registry import FORMATS
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.manifest import MANIFEST_NAME
from vscan.exemplars.writer import create_index
from vscan.interchange import compare_lists, export_list, import_list
from vscan.matching.align import find_matches
from vscan.matching.search import SourceTracks

HASHES = [f"{number:02x}" * 32 for number in range(1, 9)]
SAMPLES = {
    "vpdq-text": "".join(f"{n},100,{h},{n / 4:.3f}\n" for n, h in enumerate(HASHES)),
    "vpdq-json": json.dumps([f"{h},100,{n / 3}" for n, h in enumerate(HASHES)]),
    "vpdq-json-legacy": json.dumps(
        {n: {"quality": 90, "hash": h, "timestamp": n / 3} for n, h in enumerate(HASHES)}
    ),
    "pdq-list": "".join(f"{h},quality=80,file={n}\n" for n, h in enumerate(HASHES)),
    "tx-csv": "signal_type,signal_str,collab,category,tags\n"
    + f"pdq,{HASHES[0]},Sample,POSITIVE_CLASS,a b\nvideo_md5,{'0' * 32},Sample,DISPUTED,\n"
    + f'vpdq,"[""{HASHES[1]},100,0.0"", ""{HASHES[2]},100,1.23e+02""]",,NEGATIVE_CLASS,\n',
    "tx-local-file": f"pdq {HASHES[0]}\nphotodna abc\n",
    "ncmec-xml": ncmec.DOCUMENT,
    "stopncii-json": json.dumps(
        {
            "hashRecords": [
                {"lastModtimestamp": 5, "signalType": kind, "hashValue": value,
                 "hashStatus": "Active", "caseNumbers": {"a": "Active"}}
                for kind, value in (("ImagePDQ", HASHES[0]), ("VideoTMK", "xyz"))
            ]
        }
    ),
    "tat-json": json.dumps(
        [
            {"hash_digest": value, "algorithm": kind, "ideology": "islamist", "file_type": "mp4",
             "deleted": False, "updated_on": 1.5, "created_on": None, "id": number}
            for number, (kind, value) in enumerate([("PDQ", HASHES[0]), ("SHA256", "0" * 64)])
        ]
    ),
}  # fmt: skip


@pytest.fixture(name="index")
def make_empty_index(tmp_path: Path) -> Path:
    """An empty index of PDQ alone."""
    create_index(tmp_path / "known", name="known", model=None)
    return tmp_path / "known"


def write(path: Path, text: str) -> Path:
    """A list on disk."""
    path.write_text(text, "utf-8")
    return path


def taken(index: Path, file: Path, form: str, **options: Any) -> list[str]:
    """What became of every entry of a list."""
    return [each.status for each in import_list(index, file, form=form, policy="a", **options)]


@pytest.mark.parametrize("form", FORMATS)
def test_a_list_goes_through_an_index_without_loss(index: Path, tmp_path: Path, form: str) -> None:
    """What was imported is exported with every field, and imported again changes nothing."""
    file = write(tmp_path / "list", SAMPLES[form])
    first = import_list(index, file, form=form, policy="hoax")
    exported = tmp_path / "again"
    export_list(index, exported, form=form)
    read = FORMATS[form].read
    expected = [
        each for each in read(file.read_bytes(), "")
        if each.value and not each.withdrawn
    ]  # fmt: skip
    assert expected == list(read(exported.read_bytes(), ""))
    manifest = (index / MANIFEST_NAME).read_bytes()
    again = import_list(index, exported, form=form, policy="hoax")
    assert {"present"} == {each.status for each in again}
    assert manifest == (index / MANIFEST_NAME).read_bytes()
    assert {"added", "carried", "absent"} >= {each.status for each in first}


def test_a_video_is_found_by_the_hashes_that_were_received(index: Path, tmp_path: Path) -> None:
    """Hashes with times are searched like those of an exemplar that vscan measured itself."""
    measured = tracks(3)["pdq"]
    lines = [
        f"{n},90,{values[:32].tobytes().hex()},{time_s:.3f}\n"
        for n, (values, time_s) in enumerate(zip(measured.values, measured.times_s, strict=True))
    ]
    file = write(tmp_path / "clip.txt", "".join(lines))
    (item,) = import_list(index, file, form="vpdq-text", policy="hoax", note="n", added_by="ann")
    opened = ExemplarIndex.open(index)
    (match,) = find_matches(opened, SourceTracks.of({"pdq": measured}, 10.0))
    assert (item.exemplar, "hoax", "violating") == (match.exemplar, match.policy, match.opinion)
    assert match.source_span.pair() == pytest.approx([0.0, 10.0], abs=0.3)
    (held,) = opened.exemplars
    assert (str(file), "n", "ann", None) == (held.source, held.note, held.added_by, held.sha256)


def test_opinions_come_from_the_list_unless_given(index: Path, tmp_path: Path) -> None:
    """What partners call their negative class is benign; a given opinion is of all."""
    file = write(tmp_path / "list", SAMPLES["tx-csv"])
    assert ["added", "carried", "added"] == taken(index, file, "tx-csv")
    assert ["violating", "benign"] == [each.opinion for each in ExemplarIndex.open(index).exemplars]
    create_index(tmp_path / "other", name="other", model=None)
    taken(tmp_path / "other", file, "tx-csv", opinion="violating")
    assert {"violating"} == {
        each.opinion for each in ExemplarIndex.open(tmp_path / "other").exemplars
    }


def test_what_is_withdrawn_is_gone(index: Path, tmp_path: Path) -> None:
    """A later list takes entries back: exemplars and carried records go, and nothing is written."""
    record = json.loads(SAMPLES["stopncii-json"])
    taken(index, write(tmp_path / "one", json.dumps(record)), "stopncii-json")
    for each in record["hashRecords"]:
        each["hashStatus"] = "Withdrawn"
    later = write(tmp_path / "two", json.dumps(record))
    assert ["removed", "removed"] == taken(index, later, "stopncii-json")
    opened = ExemplarIndex.open(index)
    assert ((), ()) == (opened.exemplars, opened.manifest.records)
    assert ["absent", "absent"] == taken(index, later, "stopncii-json")


def test_digests_of_an_entry_stand_with_its_exemplar(index: Path, tmp_path: Path) -> None:
    """The MD5 that comes beside a PDQ hash is the exemplar's."""
    import_list(index, write(tmp_path / "l", ncmec.DOCUMENT), form="ncmec-xml", policy="csam")
    (held,) = ExemplarIndex.open(index).exemplars
    assert ("a1" * 16, "csam") == (held.md5, held.policy)
    assert held.source.endswith("l#42/image1")


def test_an_index_with_a_model_takes_hashes(tmp_path: Path) -> None:
    """Exemplars that are hashes alone stand beside those with embeddings; both are found."""
    path = tmp_path / "known"
    make_index(path, "a", model=MODEL)
    taken(path, write(tmp_path / "list", SAMPLES["vpdq-text"]), "vpdq-text")
    opened = ExemplarIndex.open(path)
    assert [{"embedding": 40, "pdq": 40}, {"embedding": 0, "pdq": 8}] == [
        {signal: track.rows for signal, track in each.tracks.items()} for each in opened.exemplars
    ]
    found = find_matches(opened, SourceTracks.of(tracks(0), 10.0))
    assert {exemplar("a").id} == {match.exemplar for match in found}
    assert {"embedding", "pdq"} == {match.signal for match in found}


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        ("pdq-list", f"{HASHES[0]}\nabc\n", ":2: "),
        ("pdq-list", "\n", "no entries"),
        ("xlsx", "", "no interchange format"),
    ],
)
def test_a_bad_list_changes_nothing(
    index: Path, tmp_path: Path, form: str, text: str, said: str
) -> None:
    """A list is taken whole, or not at all."""
    before = (index / MANIFEST_NAME).read_bytes()
    with pytest.raises(UsageError, match=said):
        taken(index, write(tmp_path / "list", text), form)
    assert before == (index / MANIFEST_NAME).read_bytes()
    assert [] == [each for each in index.rglob("*") if each.is_file() and each.suffix == ".jsonl"]


def test_a_missing_list_or_index(index: Path, tmp_path: Path) -> None:
    """Each is an error that names it."""
    with pytest.raises(UsageError, match=r"nothing\.txt: cannot be read"):
        taken(index, tmp_path / "nothing.txt", "pdq-list")
    file = write(tmp_path / "list", HASHES[0])
    with pytest.raises(ExemplarIndexError, match="no exemplar index here"):
        taken(tmp_path / "none", file, "pdq-list")


def test_two_lists_as_metas_matchers_see_them(tmp_path: Path) -> None:
    """The percentages and the yes of two files of any form."""
    whole = write(tmp_path / "whole", SAMPLES["vpdq-text"])
    half = write(tmp_path / "half", "".join(SAMPLES["vpdq-text"].splitlines(keepends=True)[:4]))
    said = compare_lists(half, whole, form="vpdq-text", rules="pytx")
    assert (True, 100.0, 4, 8) == (
        said.is_match, said.query_percent, said.query_hashes, said.compared_hashes,
    )  # fmt: skip
    assert not compare_lists(whole, half, form="vpdq-text", rules="cpp").is_match
