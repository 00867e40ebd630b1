"""The flood guard: what trips it, a verdict without the exemplar, and whole runs under it."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from tests.conftest import Library, Ran, Vscan
from tests.media_factory import scene_frames, write_video
from tests.test_judge import PACK, match, scores
from tests.verdict_schema import check
from vscan import scanning
from vscan.curation import update_exemplar
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.writer import IndexWriter
from vscan.findings import KNOWN_CONTENT
from vscan.flood import Flood, FloodGuard
from vscan.intervals import Interval
from vscan.judge import judge
from vscan.matching.match import Match
from vscan.matching.prompt_scores import PolicyScores
from vscan.policies import PolicyPack, Severity, parse_pack
from vscan.quarantine import QUARANTINED, Key, set_aside
from vscan.scanning import prepare, run_scan, scan, watch_over
from vscan.settings import ScanSettings
from vscan.sources import find_sources
from vscan.verdicts import Provenance, Samples, SourceRecord, Verdict

A, B, C = ("known", "ex_a"), ("known", "ex_b"), ("other", "ex_a")


@pytest.fixture(name="pack", scope="module")
def make_pack() -> PolicyPack:
    """Weapons (review, remove; matches escalate) and alcohol (review)."""
    return parse_pack(PACK, file="test.toml")


def verdict(
    pack: PolicyPack, *found: PolicyScores | Match, sha256: str = "aa", read: int = 10
) -> Verdict:
    """The verdict of a 10 s video."""
    told = judge(
        pack,
        scores=[each for each in found if isinstance(each, PolicyScores)],
        matches=[each for each in found if isinstance(each, Match)],
        end_s=10.0,
        coverage=read / 10,
    )
    return Verdict(
        id="v_1",
        source=SourceRecord(uri="a.mp4", sha256=sha256),
        outcome=told.outcome,
        action=told.action,
        reasons=told.reasons,
        findings=told.findings,
        suppressed=told.suppressed,
        samples=Samples(plan="fps:1", planned=10, read=read, coverage=read / 10, reader="r"),
        provenance=Provenance(vscan="0", pack=pack.ref, sampling="fps:1"),
    )


def with_key(key: Key, span: tuple[float, float] = (2.0, 5.0), **changes: Any) -> Match:
    """A match of that exemplar, strongest where it begins."""
    index, exemplar = key
    fields = {"peak_s": span[0], "source_span": Interval(*span), **changes}
    return match(fields.pop("policy", "weapons"), index=index, exemplar=exemplar, **fields)


# What trips it


def run_of(pack: PolicyPack, told: str) -> list[Verdict]:
    """A verdict for each letter, with contents of their own: `a` and `b` match exemplars, `.` none,
    `e` is an error, `n` a benign match, `2` a second copy of the first content, which matches."""
    contents = (f"{number:016x}".ljust(64, "0") for number in itertools.count())
    made = []
    for letter in told:
        sha256 = "0" * 64 if letter == "2" else next(contents)
        found = {
            "a": [with_key(A)],
            "2": [with_key(A)],
            "b": [with_key(B)],
            "n": [with_key(A, opinion="benign")],
        }.get(letter, [])
        each = verdict(pack, *found, sha256=sha256)
        made.append(dataclasses.replace(each, outcome="error") if letter == "e" else each)
    return made


@pytest.mark.parametrize(
    ("told", "share", "least", "tripped"),
    [
        ("aa", 0.5, 3, []),  # too few, whatever their share
        ("aaa", 0.5, 3, [(A, 3, 3)]),
        ("......aaa", 0.5, 3, []),  # a third
        ("...aaa", 0.5, 3, []),  # exactly the share is not more than it
        ("..aaa", 0.5, 3, [(A, 3, 5)]),
        ("aaa......", 0.5, 3, [(A, 3, 9)]),  # once tripped it stays so
        ("..eeeeaaa", 0.5, 3, [(A, 3, 5)]),  # errors were not judged
        ("a2222", 0.5, 3, []),  # one content, however often
        ("a2222....", 0.1, 1, [(A, 1, 5)]),
        ("nnnnnn", 0.5, 3, []),  # benign matches are no findings
        ("ababab", 0.4, 3, [(A, 3, 6), (B, 3, 6)]),
        ("bbbaaa..", 0.4, 3, [(B, 3, 8), (A, 3, 8)]),
        ("", 0.5, 1, []),
    ],
)
def test_what_trips(
    pack: PolicyPack, told: str, share: float, least: int, tripped: list[tuple[Key, int, int]]
) -> None:
    """Enough different contents, and more than the share of what was judged so far."""
    guard = FloodGuard(share, least)
    for each in run_of(pack, told):
        guard.see(each)
    assert [
        Flood(index=key[0], exemplar=key[1], policy="weapons", sources=sources, of=of)
        for key, sources, of in tripped
    ] == guard.floods
    assert {key for key, _, _ in tripped} == set(guard.tripped)


def test_set_aside_evidence_counts_on(pack: PolicyPack) -> None:
    """What an earlier part of the run has set aside is a match still: a resumed run counts it."""
    guard = FloodGuard(0.5, 3)
    for each in run_of(pack, "aaa"):
        guard.see(set_aside(each, pack, [A]))
    assert [A] == list(guard.tripped)


@pytest.mark.parametrize(("share", "least"), [(0.0, 20), (1.0, 20), (float("nan"), 20), (0.5, 0)])
def test_a_guard_that_cannot_be(share: float, least: int) -> None:
    """A share that nothing or everything exceeds is no guard."""
    with pytest.raises(ValueError, match="share"):
        FloodGuard(share, least)


# What a verdict is without the exemplar

CASES: dict[str, tuple[list[PolicyScores | Match], list[PolicyScores | Match]]] = {
    # (what stays, what is set aside)
    "nothing else": ([], [with_key(A)]),
    "two signals": ([], [with_key(A), with_key(A, signal="embedding", score=0.9)]),
    "another exemplar, apart": ([with_key(B, (7.0, 9.0), score=0.6)], [with_key(A)]),
    "another exemplar, joined": ([with_key(B, (4.0, 9.0), score=0.6)], [with_key(A)]),
    "of an index with the same id": ([with_key(C)], [with_key(A)]),
    "in two places": (
        [with_key(B, (1.0, 2.5))],
        [with_key(A, (2.0, 3.0)), with_key(A, (6.0, 7.0))],
    ),
    "prompts, apart": ([scores("weapons", [0.95, 0.95] + [0.1] * 8)], [with_key(A, (5.0, 8.0))]),
    "prompts, milder": ([scores("weapons", [0.6, 0.6] + [0.1] * 8)], [with_key(A, (5.0, 8.0))]),
    "another policy": (
        [scores("alcohol", [0.1] * 5 + [0.7] * 5)],
        [with_key(A), with_key(A, (6.0, 8.0))],
    ),
    "known content": (
        [with_key(B, policy="elsewhere", severity="low")],
        [with_key(A, policy="elsewhere", severity="critical")],
    ),
    "a benign one besides": (
        [with_key(B, (6.0, 8.0), opinion="benign"), scores("weapons", [0.1] * 6 + [0.7, 0.7, 0.1])],
        [with_key(A)],
    ),
}
SEVERITIES: dict[Key, Severity | None] = {A: "critical", B: "low"}


@pytest.mark.parametrize("read", [10, 9])
@pytest.mark.parametrize("case", CASES)
def test_it_is_what_the_judge_says_without(pack: PolicyPack, case: str, read: int) -> None:
    """Findings, outcome, action and reasons are those of a video in which the exemplar does not
    come, read as far."""
    stays, goes = CASES[case]
    told = set_aside(verdict(pack, *stays, *goes, read=read), pack, [A], severities=SEVERITIES)
    without = verdict(pack, *stays, read=read)
    assert (without.outcome, without.action, without.reasons) == (
        told.outcome, told.action, told.reasons,
    )  # fmt: skip
    assert without.findings == told.findings
    *before, aside = told.suppressed
    assert list(without.suppressed) == before
    assert (QUARANTINED, ()) == (aside.reason, aside.by)
    assert (QUARANTINED,) == told.warnings
    assert sorted(repr(e) for f in verdict(pack, *goes).findings for e in f.evidence) == sorted(
        repr(each) for each in aside.evidence
    )
    assert [] == check(orjson.loads(told.to_line()))


def test_a_segment_with_prompts_keeps_its_bounds(pack: PolicyPack) -> None:
    """A record does not say how far the prompts reached within it: only the peak is theirs."""
    both = verdict(pack, scores("weapons", [0.1, 0.6, 0.7, 0.1]), with_key(A, (2.0, 8.0)))
    (finding,) = set_aside(both, pack, [A]).findings
    (segment,) = finding.segments
    assert (1.0, 8.0, 2.0, 0.7) == (
        segment.start_s, segment.end_s, segment.peak_s, segment.score,
    )  # fmt: skip
    assert ("review", 0.7, 0.5) == (finding.action, finding.score, finding.threshold)


def test_others_are_left_alone(pack: PolicyPack) -> None:
    """A verdict that does not name the exemplar is the same object, also where it is benign."""
    for found in ([], [with_key(B)], [with_key(A, opinion="benign"), scores("weapons", [0.7] * 9)]):
        before = verdict(pack, *found)
        assert before is set_aside(before, pack, [A])


@pytest.mark.parametrize("order", list(itertools.permutations([A, B, C])), ids=str)
def test_the_order_does_not_matter(pack: PolicyPack, order: Sequence[Key]) -> None:
    """One exemplar after another, in whatever order, is the same as all at once."""
    before = verdict(
        pack,
        scores("weapons", [0.1, 0.6, 0.7, 0.1]),
        with_key(A, (2.0, 4.0)),
        with_key(B, (3.0, 6.0)),
        with_key(B, (3.0, 6.0), signal="embedding"),
        with_key(C, (5.0, 9.0), score=0.9),
        with_key(("known", "ex_d"), (6.5, 7.5), score=0.6),
        with_key(C, policy="elsewhere"),
    )
    told = before
    for key in order:
        told = set_aside(told, pack, [key])
    assert set_aside(before, pack, [A, B, C]).to_line() == told.to_line()
    assert [KNOWN_CONTENT, "weapons"] == [each.policy for each in told.suppressed]


# Whole runs


@dataclasses.dataclass(frozen=True)
class Platform:
    """A folder of videos most of which hold the known clip, and an index of it to write to."""

    folder: Path
    pack: Path

    @property
    def index(self) -> Path:
        """The index, whose only exemplar is the known clip."""
        return self.folder / "index"

    @property
    def exemplar(self) -> str:
        """Its id."""
        return ExemplarIndex.open(self.index).exemplars[0].id

    def videos(self, *names: str) -> list[Path]:
        """Some of copy0..copy3 and plain."""
        return [self.folder / "videos" / f"{name}.mp4" for name in names]

    @property
    def rules(self) -> tuple[str, ...]:
        """Options of a scan against the index, one video after another."""
        return ("--policy", str(self.pack), "--index", str(self.index), "--workers", "1")


ALL = ("plain", "copy0", "copy1", "copy2", "copy3")


@pytest.fixture(name="footage", scope="module")
def make_footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip that the library's index knows between other scenes, four times, and none."""
    folder = tmp_path_factory.mktemp("footage")
    known = list(scene_frames(seed=9, count=30, width=160, height=120))
    for number in range(4):
        before = scene_frames(seed=20 + number, count=20, width=160, height=120)
        write_video(folder / f"copy{number}.mp4", [*before, *known], fps=10)
    write_video(folder / "plain.mp4", scene_frames(seed=5, count=20, width=160, height=120), fps=10)
    return folder


@pytest.fixture(name="platform")
def make_platform(library: Library, footage: Path, tmp_path: Path) -> Platform:
    """The videos with an index of their own."""
    shutil.copytree(library.folder / "index", tmp_path / "index")
    (tmp_path / "videos").symlink_to(footage)
    return Platform(tmp_path, library.folder / "known.toml")


@pytest.fixture(name="three")
def least_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that looks from three sources on."""
    monkeypatch.setattr(scanning, "watch_over", functools.partial(watch_over, least=3))


def records(path: Path) -> dict[str, dict[str, Any]]:
    """The lines of a verdict file by the video's name; each is what the schema says."""
    found = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert [] == [problem for each in found for problem in check(each)]
    return {Path(each["source"]["uri"]).stem: each for each in found}


def flooded(record: dict[str, Any]) -> bool:
    """Whether the record says that its match was set aside."""
    reasons = [each.get("reason") for each in record["suppressed"]]
    assert (QUARANTINED in reasons) == (QUARANTINED in record["warnings"])
    return QUARANTINED in reasons


def test_a_flood(three: None, vscan: Vscan, platform: Platform) -> None:
    """Lines before and after the flood was seen lose the finding, the exemplar is put into
    quarantine, and it is said with what to do; the exit code is that of what remains."""
    out, exemplar = platform.folder / "v.jsonl", platform.exemplar
    command = (
        "scan", *platform.videos(*ALL), *platform.rules, "--fail-on", "review", "-o", out
    )  # fmt: skip
    ran = vscan(*command)
    assert (0, b"") == (ran.code, ran.out)
    found = records(out)
    assert dict.fromkeys(ALL, "clear") == {name: each["outcome"] for name, each in found.items()}
    assert {name: name != "plain" for name in ALL} == {
        name: flooded(each) for name, each in found.items()
    }
    for told in (
        f"flood: {exemplar} of the index known (hoax.known_clip) matched 4 of 5 videos",
        f"in quarantine now and matches nothing; look at it, then `vscan index update "
        f"{platform.index} {exemplar} --release`",
        f"2 earlier lines of {out} written anew",
        "vscan: pdq: 4 matches\n",
        "vscan: 5 videos: 5 clear; verdicts in",
    ):
        assert told in ran.err
    why = ExemplarIndex.open(platform.index).exemplars[0].quarantined
    assert why is not None
    assert why.startswith("matched 4 of 5 sources of a scan on 2")
    shown = vscan("show", out).out.decode()
    assert 4 == shown.count(f"suppressed: {exemplar} matched too many videos of its run")
    assert "because the exemplar matched too many videos" in (
        vscan("explain", out, "copy0.mp4").out.decode()
    )

    again = vscan(*command)
    assert "5 clear" in again.err
    assert "done before" not in again.err  # another state of the index, so judged anew
    assert not any(flooded(each) for each in records(out).values())
    assert "5 done before" in vscan(*command).err

    vscan("index", "update", platform.index, exemplar, "--release")
    assert "flood: " in vscan(*command).err


def lines_of(path: Path) -> list[bytes]:
    """The lines of a verdict file, sorted."""
    return sorted(path.read_bytes().splitlines())


def test_the_file_does_not_depend_on_the_order(
    three: None, vscan: Vscan, platform: Platform
) -> None:
    """Whichever videos come first, in one run or in two, the lines are the same in the end; so
    are those of a folder of parts, where a later part mends what stood in an earlier one."""
    made = []
    orders: list[list[Iterable[str]]] = [
        [ALL],
        [reversed(ALL)],
        [ALL[:3], ALL],
        [ALL[2:4], (*ALL[:2], ALL[4])],
    ]
    for number, runs in enumerate(orders):
        out = platform.folder / f"{number}.jsonl"
        for names in runs:
            last = vscan("scan", *platform.videos(*names), *platform.rules, "-o", out)
        assert "flood: " in last.err
        made.append(lines_of(out))
        update_exemplar(platform.index, platform.exemplar, {"quarantined": None})
    assert [made[0]] * len(orders) == made
    run = f"{platform.folder}/run/"
    for names in (ALL[:3], ALL):
        last = vscan("scan", *platform.videos(*names), *platform.rules, "-o", run)
    assert f"earlier lines of {run} written anew" in last.err
    assert 0 == vscan("verdicts", "merge", run, "-o", platform.folder / "merged.jsonl").code
    assert made[0] == lines_of(platform.folder / "merged.jsonl")


def test_on_stdout(three: None, vscan: Vscan, platform: Platform) -> None:
    """What was printed cannot be taken back: only later lines change, and stderr says so."""
    ran = vscan("scan", *platform.videos(*ALL), *platform.rules)
    assert [False, False, False, True, True] == [flooded(each) for each in ran.records]
    assert ["clear", "violation", "violation", "clear", "clear"] == [
        each["outcome"] for each in ran.records
    ]
    assert "lines that went to stdout before are as they were" in ran.err


def test_an_index_that_is_busy(three: None, vscan: Vscan, platform: Platform) -> None:
    """Where the mark cannot be made it is said why; the file is right all the same, and a rerun,
    which is the same configuration, finds everything done and says it again."""
    out = platform.folder / "v.jsonl"
    command = ("scan", *platform.videos(*ALL), *platform.rules, "-o", out)

    def meanwhile() -> Ran:
        with IndexWriter(platform.index):
            return vscan(*command)

    ran = meanwhile()
    assert 0 == ran.code
    assert "could not be put into quarantine" in ran.err
    assert "another vscan is writing to this index" in ran.err
    before = out.read_bytes()
    assert 4 == sum(flooded(each) for each in records(out).values())
    again = meanwhile()
    assert "5 done before" in again.err
    assert "flood: " in again.err
    assert before == out.read_bytes()


def test_switched_off(three: None, vscan: Vscan, platform: Platform) -> None:
    """--flood-share 0, or one that nothing exceeds: every match stands."""
    for share in ("0", "1"):
        out = platform.folder / f"{share}.jsonl"
        ran = vscan(
            "scan", *platform.videos(*ALL), *platform.rules, "-o", out, "--flood-share", share
        )
        assert "flood" not in ran.err
        assert 4 == sum(each["outcome"] == "violation" for each in records(out).values())
    refused = vscan("scan", *platform.videos(*ALL), *platform.rules, "--flood-share", "-1")
    assert (2, True) == (refused.code, "flood share" in refused.err)


def test_twenty_at_least(vscan: Vscan, platform: Platform) -> None:
    """Four videos are no flood, whatever their share."""
    ran = vscan("scan", *platform.videos(*ALL), *platform.rules)
    assert "flood" not in ran.err
    assert 4 == sum(each["outcome"] == "violation" for each in ran.records)


def test_from_python(platform: Platform) -> None:
    """The library's run takes a watch with a minimum of one's own; `scan` has the fixed one."""
    settings = ScanSettings(policy=str(platform.pack), indexes=(str(platform.index),), workers=1)
    prepared = prepare(settings)
    watch = watch_over(prepared, least=2)
    assert watch is not None
    names = [str(path) for path in platform.videos(*ALL)]
    told = [each for each in run_scan(prepared, find_sources(names), watch=watch) if each]
    assert ["clear", "violation", "clear", "clear", "clear"] == [each.outcome for each in told]
    (flood,) = watch.floods
    assert (4, 5, "hoax.known_clip") == (flood.sources, flood.of, flood.policy)
    assert None is ExemplarIndex.open(platform.index).exemplars[0].quarantined
    assert 4 == sum(each.outcome == "violation" for each in scan(names, settings=settings))
    off = prepare(dataclasses.replace(settings, flood_share=0.0))
    assert None is watch_over(off)


def test_random_runs_settle_alike(pack: PolicyPack) -> None:
    """Any order of any verdicts: once all is known, amending each line gives the same lines."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        told = run_of(pack, "".join(rng.choice(list("ab.n"), 12)))
        keys = {A, B} if rng.random() < 0.5 else {A}
        part = [set_aside(each, pack, [A]) if rng.random() < 0.5 else each for each in told]
        whole = [set_aside(each, pack, keys).to_line() for each in told]
        assert whole == [set_aside(each, pack, keys).to_line() for each in part]
