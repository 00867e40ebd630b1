"""Makes a set: reads the folder, encodes what is not there yet, writes the CSV files."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.copies.encoding import CRF, write_shown
from bench.copies.hard_edits import EDITS
from bench.copies.kinship import Kinship, Roles, assign_roles
from bench.copies.originals import Original, Skipped, find_originals, frames_of
from bench.copies.planning import Job, plan_jobs, slug
from bench.copies.set_files import (
    CopySet,
    Query,
    Reference,
    Segment,
    canonical,
    write_set,
)
from bench.copies.splices import spliced
from bench.copies.timeline import Box, Shown, painted, retimed
from bench.copies.traps import made_frames
from vscan.errors import UsageError

VERSION = 2
"""Raised when the same job would make another video: what was made before is made anew."""


@dataclass(frozen=True)
class Made:
    """A video that was made: a line of made.jsonl."""

    name: str
    spec: str
    """SHA-256 of all that it follows from."""
    boxes: tuple[Box, ...]
    end_s: float


@dataclass(frozen=True)
class Wanted:
    """What a set is to be made of."""

    videos: Path
    seed: int
    kinship: Kinship
    limit: int | None = None
    combinations: int = 0
    all_references: bool = False
    processes: int = 2


@dataclass(frozen=True)
class Plan:
    """What a set will hold, all of it known before anything is encoded."""

    jobs: tuple[Job, ...]
    originals: tuple[Original, ...]
    """What becomes a reference."""
    distractors: tuple[Original, ...]
    """What becomes a query that matches nothing."""
    roles: Roles
    drawn_from: dict[str, Any]
    """Seed and other settings, for manifest.json."""


def make_set(wanted: Wanted, out: Path, say: Callable[[str], None]) -> CopySet:
    """Make the set in the folder `out`, or what of it is missing.

    Raises UsageError where the folder of videos holds none that can be used.
    """
    say(f"reading the videos of {wanted.videos}")
    usable: dict[str, Original] = {}
    for found in find_originals(wanted.videos):
        if isinstance(found, Skipped):
            say(f"left out {found.name}: {found.reason}")
        else:
            usable[found.name] = found
    roles = assign_roles(list(usable), wanted.kinship, all_references=wanted.all_references)
    for name, reason in roles.unused.items():
        say(f"left out {name}: {reason}")
    originals = [usable[name] for name in roles.references][: wanted.limit]
    if not originals:
        raise UsageError(
            f"{wanted.videos}: no video that edits can be made of",
            remedy="give a folder with readable videos of 1.5 s or more",
        )
    distractors = tuple(usable[name] for name in roles.distractors)
    jobs = plan_jobs(
        originals, roles.distractors, seed=wanted.seed, combinations=wanted.combinations
    )
    drawn_from = {"seed": wanted.seed, "combinations": wanted.combinations}
    plan = Plan(tuple(jobs), tuple(originals), distractors, roles, drawn_from)
    return make_planned(plan, out, say, processes=wanted.processes)


def make_planned(plan: Plan, out: Path, say: Callable[[str], None], *, processes: int) -> CopySet:
    """Encode what a plan names and the folder lacks, and write the set's files."""
    for folder in ("queries", "references"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    made = _make_all(plan, out, say, processes)
    copies = _described(plan, made, out)
    write_set(copies)
    text = canonical({"version": VERSION, **plan.drawn_from})
    (out / "manifest.json").write_text(text + "\n", "utf-8")
    return copies


def make_video(job: Job, distractors: Mapping[str, Path], out: Path) -> Made:
    """Encode one job's video."""
    import cv2

    cv2.setNumThreads(1)
    frames, crf = job_frames(job, distractors)
    end = job.original.end_s if job.original else 0.0
    ledger = write_shown(out / _file(job), frames, original_end_s=end, crf=crf)
    return Made(job.name, _spec(job, distractors), ledger.boxes, round(ledger.end_s, 6))


def job_frames(job: Job, distractors: Mapping[str, Path]) -> tuple[Iterator[Shown], int]:
    """The frames of a job's video and the crf to encode them with."""
    if job.original is None:
        return made_frames(job.parameters), CRF
    if "steps" not in job.parameters:
        return spliced(job.original, job.parameters, distractors), CRF
    frames, crf = frames_of(job.original.path), CRF
    for name, strengths in job.parameters["steps"]:
        frames = painted(frames, EDITS[name].make(strengths))
        if "rate" in strengths or "speed" in strengths:
            rate, speed = strengths.get("rate"), strengths.get("speed", 1.0)
            frames = retimed(frames, rate=rate, speed=speed)
        crf = strengths.get("crf", crf)
    return frames, crf


def _make_all(plan: Plan, out: Path, say: Callable[[str], None], processes: int) -> dict[str, Made]:
    """What was made, by name: kept from earlier runs where nothing changed."""
    distractors = {each.name: each.path for each in plan.distractors}
    log = out / "made.jsonl"
    made = {
        each.name: each
        for each in _read_log(log)
        if (out / "queries" / f"{each.name}.mp4").exists()
        or (out / "references" / f"{each.name}.mp4").exists()
    }
    missing = [
        job
        for job in plan.jobs
        if job.name not in made or made[job.name].spec != _spec(job, distractors)
    ]
    say(f"{len(plan.jobs)} videos, {len(missing)} of them to make")
    # Long ones first, so that no process is left with one at the end.
    missing.sort(key=lambda job: job.original.end_s if job.original else 0.0, reverse=True)
    context = multiprocessing.get_context("spawn")
    begun, every = time.perf_counter(), max(1, min(25, len(missing) // 10))
    with (
        log.open("a", encoding="utf-8") as file,
        ProcessPoolExecutor(processes, mp_context=context) as pool,
    ):
        futures = [pool.submit(make_video, job, distractors, out) for job in missing]
        for k, future in enumerate(as_completed(futures), start=1):
            done = future.result()
            made[done.name] = done
            file.write(canonical(asdict(done)) + "\n")
            file.flush()
            if k % every == 0 or k == len(futures):
                say(f"  {k} of {len(futures)} made, {time.perf_counter() - begun:.0f} s")
    return made


def _described(plan: Plan, made: Mapping[str, Made], out: Path) -> CopySet:
    """The rows of the set; the originals and distractor videos come to lie in it."""
    references = [
        Reference(f"R{k:06d}", f"references/R{k:06d}{original.path.suffix}", original.name)
        for k, original in enumerate(plan.originals, start=1)
    ]
    for reference, original in zip(references, plan.originals, strict=True):
        _place(original.path, out / reference.file)
    by_name = {reference.original: reference.ref_id for reference in references}
    queries: list[Query] = []
    truth: list[Segment] = []
    ignored: set[tuple[str, str]] = set()
    for job in plan.jobs:
        if job.kind == "reference":
            ref_id = f"R{len(references) + 1:06d}"
            parameters = canonical(job.parameters)
            references.append(Reference(ref_id, _file(job), f"trap:{job.edit}", parameters))
            continue
        query_id = f"Q{len(queries) + 1:06d}"
        source = job.original.name if job.original else ""
        parameters, end_s = canonical(job.parameters), made[job.name].end_s
        queries.append(Query(query_id, _file(job), source, job.edit, job.kind, parameters, end_s))
        for box in made[job.name].boxes:
            times = (box.query_start, box.query_end, box.ref_start, box.ref_end)
            truth.append(Segment(query_id, by_name[source], *times, 1.0))
        ignored.update((query_id, by_name[kin]) for kin in _kin(source, plan.roles) & set(by_name))
    for video in plan.distractors:
        query_id = f"Q{len(queries) + 1:06d}"
        file = f"queries/video-{slug(video.name)}{video.path.suffix}"
        _place(video.path, out / file)
        queries.append(
            Query(query_id, file, video.name, "video", "distractor", "{}", round(video.end_s, 6))
        )
        ignored.update(
            (query_id, by_name[kin]) for kin in _kin(video.name, plan.roles) & set(by_name)
        )
    return CopySet(out, tuple(queries), tuple(references), tuple(truth), frozenset(ignored))


def _kin(name: str, roles: Roles) -> set[str]:
    return {other for pair in roles.kin if name in pair for other in pair if other != name}


def _place(video: Path, at: Path) -> None:
    """A copy of the video; a hard link where the file system has one."""
    at.unlink(missing_ok=True)
    try:
        os.link(video.resolve(), at)
    except OSError:
        shutil.copyfile(video, at)


def _file(job: Job) -> str:
    return f"{'references' if job.kind == 'reference' else 'queries'}/{job.name}.mp4"


def _spec(job: Job, distractors: Mapping[str, Path]) -> str:
    source = (job.original.name, job.original.digest, job.original.end_s) if job.original else None
    pieces = [*job.parameters.get("before", []), *job.parameters.get("after", [])]
    hosts = sorted({piece["video"] for piece in pieces if "video" in piece})
    sizes = {name: distractors[name].stat().st_size for name in hosts}
    said: list[Any] = [VERSION, job.name, job.parameters, source, sizes]
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def _read_log(log: Path) -> Iterable[Made]:
    if not log.exists():
        return
    for line in log.read_text("utf-8").splitlines():
        try:
            row = json.loads(line)
            boxes = tuple(Box(**box) for box in row["boxes"])
            yield Made(row["name"], row["spec"], boxes, row["end_s"])
        except (ValueError, KeyError, TypeError):
            continue  # a line torn by an interruption: its video is made again
