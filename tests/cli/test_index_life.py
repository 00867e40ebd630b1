"""What becomes of exemplars, as a person does it: changed, removed, judged, merged, checked."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.conftest import Library, Vscan
from tests.media_factory import scene_frames, write_video

from vscan.curation import exemplar_named
from vscan.errors import ExemplarIndexError
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.writer import IndexWriter


@pytest.fixture(name="known")
def make_index(library: Library, tmp_path: Path) -> Path:
    """An index of one clip, of its own."""
    shutil.copytree(library.folder / "index", tmp_path / "known")
    return tmp_path / "known"


@pytest.fixture(name="two")
def make_two(vscan: Vscan, known: Path, library: Library) -> Path:
    """The same with a second clip in it."""
    assert 0 == vscan("index", "add", known, library.good, "--under", "hoax").code
    return known


def only(index: Path) -> Any:
    """The exemplar of an index that has one."""
    (exemplar,) = ExemplarIndex.open(index).exemplars
    return exemplar


def ids(index: Path) -> list[str]:
    """Ids of an index's exemplars."""
    return [each.id for each in ExemplarIndex.open(index).exemplars]


# Naming


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ex_" + "a" * 20, "ex_" + "a" * 20),
        ("ex_aaaaab", "ex_aaaaab" + "b" * 14),
        ("ex_aaaaaaaaaaaaaaaaaaa", "ex_" + "a" * 20),
        ("ex_aaaaa", "is not enough"),
        ("ex_", "is not enough"),
        ("", "is not enough"),
        ("aaaaaaa", "is not enough"),
        ("ex_zzzzzz", "has no exemplar"),
        ("ex_cccccc", "fits 2 exemplars"),
    ],
)
def test_names(text: str, named: str) -> None:
    """The id, or a beginning of it that is long enough and fits no other."""
    held = ["ex_" + "a" * 20, "ex_aaaaab" + "b" * 14, "ex_" + "c" * 20, "ex_" + "c" * 19 + "d"]
    if named.startswith("ex_"):
        assert named == exemplar_named(text, held, path="known")
        return
    with pytest.raises(ExemplarIndexError, match=named) as refused:
        exemplar_named(text, held, path="known")
    assert refused.value.remedy


@pytest.mark.parametrize(
    "command",
    [
        ("remove",),
        ("update", "--disable"),
        ("confirm",),
        ("deconfirm",),
        ("show",),
    ],
    ids=lambda each: each[0],
)
def test_an_exemplar_that_is_not_there(vscan: Vscan, known: Path, command: tuple[str, ...]) -> None:
    """Every command says how to find those that are, and changes nothing."""
    before = (known / "manifest.json").read_bytes()
    ran = vscan("index", command[0], known, "ex_zzzzzz", *command[1:])
    assert (2, b"") == (ran.code, ran.out)
    assert f"`vscan index list {known}` shows what it has" in ran.err
    assert before == (known / "manifest.json").read_bytes()


# Removing


def test_remove(vscan: Vscan, two: Path, library: Library) -> None:
    """What is removed is told with its source, and is found no more; --dry-run removes nothing."""
    first, second = ids(two)
    would = vscan("index", "remove", two, second[:9], "--dry-run")
    assert 0 == would.code
    assert f"would remove {second} {library.good} (under hoax)\n" == would.out.decode()
    assert [first, second] == ids(two)
    ran = vscan("index", "remove", two, second[:9])
    assert (0, f"removed {second} {library.good} (under hoax)\n") == (ran.code, ran.out.decode())
    assert [first] == ids(two)
    assert "0 matches" in vscan("index", "search", two, library.good).err
    assert 0 == vscan("index", "verify", two).code


def test_remove_several_or_none(vscan: Vscan, two: Path) -> None:
    """One that is not there keeps the others; all that are named go at once, named twice or not."""
    first, second = ids(two)
    assert 2 == vscan("index", "remove", two, first, "ex_zzzzzz").code
    assert [first, second] == ids(two)
    ran = vscan("index", "remove", two, first, second, first[:10], "--json")
    assert [first, second] == [each["id"] for each in ran.records]
    assert "removed 2 exemplars" in ran.err
    assert [] == ids(two)


def test_remove_takes_the_lists_records_along(vscan: Vscan, known: Path, tmp_path: Path) -> None:
    """An exemplar of a partner's list goes with what the list said: an export has neither."""
    text = "signal_type,signal_str,collab,category,tags\n" + f"pdq,{'0a' * 32},c,,\n"
    (tmp_path / "list.csv").write_text(text, "utf-8")
    tx = ("--format", "tx-csv")
    assert 0 == vscan("index", "import", known, tmp_path / "list.csv", *tx, "--under", "ncii").code
    _, imported = ids(known)
    assert 0 == vscan("index", "remove", known, imported).code
    assert 0 == vscan("index", "export", known, tmp_path / "out.csv", *tx).code
    assert "0a" * 32 not in (tmp_path / "out.csv").read_text("utf-8")


# Changing


@pytest.mark.parametrize(
    ("options", "field", "value", "told"),
    [
        (("--disable",), "enabled", False, "enabled: yes -> no"),
        (("--expires", "2999-12-31"), "expires_at", "2999-12-31T00:00:00Z", "expires_at: - -> 2"),
        (("--expires", "2001-01-01"), "expires_at", "2001-01-01T00:00:00Z", "expires_at: - -> 2"),
        (("--note", "case 18"), "note", "case 18", "note: - -> case 18"),
        (("--severity", "critical"), "severity", "critical", "severity: - -> critical"),
        (("--under", "hoax.old"), "policy", "hoax.old", "policy: hoax.known_clip -> hoax.old"),
        (("--opinion", "benign"), "opinion", "benign", "opinion: violating -> benign"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_update(
    vscan: Vscan, known: Path, options: tuple[str, ...], field: str, value: Any, told: str
) -> None:
    """Each option changes its field and nothing else, and says from what to what."""
    before = only(known)
    ran = vscan("index", "update", known, before.id[:9], *options)
    assert (0, True) == (ran.code, f"{before.id} {told}" in ran.out.decode())
    after = only(known)
    assert value == getattr(after, field)
    changed = {key for key in vars(before) if getattr(before, key) != getattr(after, key)}
    assert {field} == changed
    again = vscan("index", "update", known, before.id, *options)
    assert (b"", True) == (again.out, "was so already" in again.err)


@pytest.mark.parametrize(
    ("off", "on", "state"),
    [
        (("--disable",), ("--enable",), "disabled"),
        (("--expires", "2001-01-01"), ("--expires", "never"), "expired"),
        (None, ("--release",), "quarantined"),
    ],
)
def test_what_matches_nothing_for_a_while(
    vscan: Vscan,
    known: Path,
    library: Library,
    off: tuple[str, ...] | None,
    on: tuple[str, ...],
    state: str,
) -> None:
    """Disabled, expired, in quarantine: kept, listed as such, matched no more, until it is undone.

    A scan with -o judges anew each time, since the configuration is another.
    """
    exemplar, out = only(known).id, known.parent / "v.jsonl"
    copy = library.clips / "deep" / "copy.mp4"
    rules = ("--policy", library.folder / "known.toml", "--index", known, "-o", out)
    assert "1 violation" in vscan("scan", copy, *rules).err
    if off is None:
        with IndexWriter(known) as writer:
            writer.update(exemplar, quarantined="matched everything")
    else:
        vscan("index", "update", known, exemplar, *off)
    assert state in vscan("index", "list", known).out.decode().splitlines()[1].split()
    assert b"" == vscan("index", "search", known, copy, "--json").out
    ran = vscan("scan", copy, *rules)
    assert "1 clear" in ran.err
    assert "done before" not in ran.err
    vscan("index", "update", known, exemplar, *on)
    assert "active" in vscan("index", "list", known).out.decode().splitlines()[1].split()
    assert b"" != vscan("index", "search", known, copy, "--json").out
    assert "1 violation" in vscan("scan", copy, *rules).err
    assert 1 == len(out.read_bytes().splitlines())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "nothing to change"),
        (("--expires", "soon"), "2026-12-31"),
        (("--under", "Weapons"), "not the id of a policy"),
        (("--severity", "huge"), "severity"),
        (("--opinion", "unsure"), "opinion"),
    ],
)
def test_update_refuses(vscan: Vscan, known: Path, options: tuple[str, ...], told: str) -> None:
    """What cannot be is refused with 2, and the index stays as it is."""
    before = (known / "manifest.json").read_bytes()
    ran = vscan("index", "update", known, only(known).id, *options)
    assert 2 == ran.code
    assert told in ran.err
    assert before == (known / "manifest.json").read_bytes()


def test_an_index_in_use(vscan: Vscan, known: Path) -> None:
    """While another process writes, a change is refused with what to do."""
    exemplar = only(known).id
    with IndexWriter(known):
        for command in (("remove",), ("update", "--disable"), ("confirm",)):
            ran = vscan("index", command[0], known, exemplar, *command[1:])
            assert 2 == ran.code
            assert "another vscan is writing to this index\n  wait for it" in ran.err


# Judging


def test_confirm_and_deconfirm(vscan: Vscan, known: Path) -> None:
    """What people said adds up, and stands in the list, in one exemplar's page and in JSON."""
    exemplar = only(known).id
    assert "-" in vscan("index", "list", known).out.decode().splitlines()[1].split()
    vscan("index", "confirm", known, exemplar[:10])
    vscan("index", "confirm", known, exemplar, "--count", "2")
    ran = vscan("index", "deconfirm", known, exemplar)
    assert (0, f"{exemplar} 3 right, 1 wrong (75%)\n") == (ran.code, ran.out.decode())
    for command in ("list", "show"):
        told = vscan("index", command, known, *([exemplar] if command == "show" else []))
        assert "3 right, 1 wrong (75%)" in told.out.decode()
        assert "note:" not in told.err
    (listed,) = vscan("index", "list", known, "--json").records
    assert (3, 1, 0.75) == (listed["confirmed"], listed["deconfirmed"], listed["precision"])
    assert 2 == vscan("index", "confirm", known, exemplar, "--count", "0").code


@pytest.mark.parametrize(
    ("right", "wrong", "noted"),
    [(0, 2, False), (0, 3, True), (2, 3, True), (3, 3, False), (4, 3, False), (9, 10, True)],
)
def test_a_doubtful_exemplar_has_a_note(
    vscan: Vscan, known: Path, right: int, wrong: int, noted: bool
) -> None:
    """Three times wrong and more often than right: the list says how to switch it off."""
    exemplar = only(known).id
    with IndexWriter(known) as writer:
        writer.update(exemplar, confirmed=right, deconfirmed=wrong)
    told = vscan("index", "list", known).err
    assert noted == (f"vscan index update {known} {exemplar} --disable" in told)


def test_opinions_change_no_verdict(vscan: Vscan, known: Path, library: Library) -> None:
    """What people say of an exemplar is not what decides matching: nothing is judged anew."""
    out = known.parent / "v.jsonl"
    command = ("scan", library.clips / "deep", "--policy", library.folder / "known.toml",
               "--index", known, "-o", out)  # fmt: skip
    vscan(*command)
    vscan("index", "confirm", known, only(known).id)
    assert "1 done before" in vscan(*command).err


# Merging


def test_merge(vscan: Vscan, two: Path, library: Library, tmp_path: Path) -> None:
    """What the others have is taken over; what is here stays, and a dispute is told."""
    ours = tmp_path / "ours"
    vscan("index", "create", ours, "--signals", "pdq")
    vscan("index", "add", ours, library.good, "--under", "mine", "--opinion", "benign")
    ran = vscan("index", "merge", ours, two, library.folder / "index")
    assert 0 == ran.code
    first, second = ids(two)
    assert f"added {first} " in ran.out.decode()
    assert 1 == len(ran.out.splitlines())
    assert f"{two}: 1 added, 1 there already" in ran.err
    assert f"{library.folder / 'index'}: 0 added, 1 there already" in ran.err
    assert f"note: {second} stays benign under mine; in {two} it is violating under hoax" in ran.err
    assert {first, second} == set(ids(ours))
    found = vscan("index", "search", ours, library.clips / "deep" / "copy.mp4", "--json")
    assert {first} == {match["exemplar"] for match in found.records}


def test_merge_of_other_signals(vscan: Vscan, known: Path, tmp_path: Path) -> None:
    """Exemplars without what an index holds cannot stand in it: both are named."""
    vscan("index", "create", tmp_path / "ours", "--no-embedding")
    ran = vscan("index", "merge", tmp_path / "ours", known)
    assert (2, b"") == (ran.code, ran.out)
    assert f"{known}: holds pdq, and {tmp_path / 'ours'} pdq, keypoints" in ran.err


# Looking


def test_stats(vscan: Vscan, two: Path) -> None:
    """Exemplars by policy, opinion and state, samples and vectors by signal, the generation."""
    vscan("index", "update", two, ids(two)[1], "--disable")
    (found,) = vscan("index", "stats", two, "--json").records
    assert (2, 1, 0, 0, "known") == tuple(
        found[key] for key in ("exemplars", "disabled", "quarantined", "expired", "name")
    )
    assert [
        {"policy": "hoax", "opinion": "violating", "exemplars": 1},
        {"policy": "hoax.known_clip", "opinion": "violating", "exemplars": 1},
    ] == found["by_policy"]
    (signal,) = found["signals"].values()
    index = ExemplarIndex.open(two)
    assert (len(index.rows("pdq")), index.manifest.generation, index.digest) == (
        signal["rows"], found["generation"], found["digest"],
    )  # fmt: skip
    ran = vscan("index", "stats", two)
    page = ran.out.decode()
    assert ["policy", "opinion", "exemplars"] == page.splitlines()[0].split()
    assert ["hoax", "violating", "1"] in [line.split() for line in page.splitlines()]
    assert signal["type"] in page
    assert "2 exemplars in 'known' (1 disabled, 0 in quarantine, 0 expired)" in ran.err


def test_stats_of_an_empty_index(vscan: Vscan, tmp_path: Path) -> None:
    """An index of nothing has figures too."""
    vscan("index", "create", tmp_path / "empty", "--no-embedding")
    (found,) = vscan("index", "stats", tmp_path / "empty", "--json").records
    assert (0, []) == (found["exemplars"], found["by_policy"])
    assert {"pdq": 0, "keypoints": 0} == {k: v["vectors"] for k, v in found["signals"].items()}
    assert 0 == vscan("index", "stats", tmp_path / "empty").code


def test_verify(vscan: Vscan, two: Path) -> None:
    """A whole index is said to be so; of a damaged one every finding is listed, with 2."""
    whole = vscan("index", "verify", two)
    assert (0, b"") == (whole.code, whole.out)
    assert "every part is as it was written" in whole.err
    damaged = sorted(two.glob("tracks/*"))[:1] + sorted(two.glob("exemplars/*"))[:1]
    for part in damaged:
        data = bytearray(part.read_bytes())
        data[len(data) // 2] ^= 1
        part.write_bytes(data)
    ran = vscan("index", "verify", two)
    assert 2 == ran.code
    rows = ran.out.decode().splitlines()[1:]
    assert {f"{part.parent.name}/{part.name}" for part in damaged} == {
        row.split()[0] for row in rows
    }
    assert f"{len(rows)} problems; restore it" in ran.err
    told = vscan("index", "verify", two, "--json")
    assert 2 == told.code
    assert all({"part", "problem"} == set(each) for each in told.records)


def test_verify_where_there_is_no_index(vscan: Vscan, tmp_path: Path) -> None:
    """A folder that is no index is not whole."""
    assert 2 == vscan("index", "verify", tmp_path).code


def test_keypoints_in_a_scan(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """A scan against an index of keypoints says so in the record, on stderr, and in words."""
    index, out = tmp_path / "known", tmp_path / "v.jsonl"
    vscan("index", "create", index, "--signals", "keypoints")
    clip = tmp_path / "clip.mp4"
    write_video(clip, scene_frames(seed=1, count=36, motion=6), fps=12)
    vscan("index", "add", index, clip, "--under", "hoax.known_clip")
    again = tmp_path / "again.mp4"
    write_video(again, scene_frames(seed=1, count=36, motion=6), fps=12, options={"crf": "33"})
    policy = ("--policy", library.folder / "known.toml")
    ran = vscan("scan", again, *policy, "--index", index, "-o", out)
    (record,) = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    (finding,) = record["findings"]
    assert {"keypoints"} == {each["signal"] for each in finding["evidence"]}
    assert all(each["inliers"] > 0 for each in finding["evidence"])
    count = len(finding["evidence"])
    assert f"vscan: keypoints: {count} match{'' if count == 1 else 'es'}\n" in ran.err
    assert " inliers, score " in vscan("explain", out, "again.mp4").out.decode()
