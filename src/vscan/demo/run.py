"""Runs the demonstration: makes the clips, indexes the known one, scans, holds it to the story."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vscan.demo.story import CLIPS, EXEMPLAR, EXEMPLAR_POLICY, Clip, write_clips
from vscan.errors import UsageError
from vscan.indexing import Label, add_exemplars, new_index
from vscan.scanning import prepare, run_scan
from vscan.settings import ScanSettings
from vscan.sources import find_sources
from vscan.store.records import RecordFile
from vscan.verdicts import Verdict

MODEL, PACK = "builtin", "demo"
PLACE_TOLERANCE_S = 1.01
"""At one frame a second a boundary is known to the second."""


@dataclass(frozen=True)
class Shown:
    """What the demonstration made and found."""

    folder: Path
    verdict_file: Path
    verdicts: tuple[Verdict, ...]
    surprises: tuple[str, ...]
    """Where a verdict is not what the story says; empty when all is well."""


def run_demo(folder: Path) -> Iterator[str | Shown]:
    """Do the whole job in `folder`: yields what it is about to do, and at last what came of it.

    Raises UsageError where the folder holds anything but an earlier demonstration.
    """
    _claim(folder)
    yield f"making {len(CLIPS) + 1} short videos of drawn pictograms in {folder}"
    write_clips(folder)
    index, verdict_file = folder / "index", folder / "verdicts.jsonl"
    settings = ScanSettings(model=MODEL, policy=PACK, indexes=(str(index),))
    if not (index / "manifest.json").is_file():
        yield f"building an exemplar index of the known clip {EXEMPLAR} in {index}"
        new_index(index, name="known", settings=settings)
        exemplars = find_sources([str(folder / "exemplars")])
        label = Label(policy=EXEMPLAR_POLICY, note="the demonstration's known clip")
        for added in add_exemplars(index, exemplars, label, settings=settings):
            if added.error is not None:
                raise added.error
    yield f"scanning {folder / 'videos'} with the built-in model and the demo pack"
    prepared = prepare(settings)
    sources = find_sources([str(folder / "videos")])
    with RecordFile(verdict_file, fresh=True) as records:
        verdicts = []
        for verdict in run_scan(prepared, sources):
            if verdict is not None:
                records.write(verdict)
                verdicts.append(verdict)
    verdicts.sort(key=lambda verdict: verdict.source.uri)
    yield Shown(folder, verdict_file, tuple(verdicts), tuple(surprises(verdicts, folder)))


def surprises(verdicts: Sequence[Verdict], folder: Path) -> Iterator[str]:
    """Every way in which the verdicts differ from what the story says of its clips."""
    by_uri = {verdict.source.uri: verdict for verdict in verdicts}
    for clip in CLIPS:
        verdict = by_uri.get(str(folder / "videos" / clip.name))
        if verdict is None:
            yield f"{clip.name}: no verdict"
        else:
            yield from _differences(clip, verdict)


def _differences(clip: Clip, verdict: Verdict) -> Iterator[str]:
    if verdict.outcome != clip.outcome:
        yield f"{clip.name}: expected {clip.outcome}, found {verdict.outcome}"
    fired = [finding.policy for finding in verdict.findings]
    if fired != ([clip.policy] if clip.policy else []):
        yield f"{clip.name}: expected {clip.policy or 'no policy'} to fire, found {fired or 'none'}"
        return
    for finding in verdict.findings:
        start_s, end_s = finding.segments[0].start_s, finding.segments[-1].end_s
        if max(abs(start_s - clip.from_s), abs(end_s - clip.to_s)) > PLACE_TOLERANCE_S:
            yield (
                f"{clip.name}: expected {clip.from_s:g}–{clip.to_s:g} s, "
                f"found {start_s:g}–{end_s:g} s"
            )


def _claim(folder: Path) -> None:
    known = {"videos", "exemplars", "index", "verdicts.jsonl"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strangers = sorted(entry.name for entry in folder.iterdir() if entry.name not in known)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot be used for the demonstration ({error.strerror})",
            remedy="name a folder that can be written: vscan demo FOLDER",
        ) from error
    if strangers:
        raise UsageError(
            f"{folder}: holds other files ({strangers[0]})",
            remedy="name an empty or new folder: vscan demo FOLDER",
        )
