"""A pack for reviewer training as a folder: files of the trainee, of the trainer, and a guide."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from vscan.metrics.training.pack import TrainingPack
from vscan.metrics.training.records import (
    ANSWERS,
    CASES,
    MANIFEST,
    PICKS,
    PRIVATE,
    README,
    TrainingManifest,
)
from vscan.reports.report_file import ReportFile
from vscan.storage import output_error

FILES = (CASES, PICKS, ANSWERS, README, MANIFEST)
"""In the order in which they take their places: the manifest last, so that a pack which was not
finished has none or does not fit the one that it has."""


@contextmanager
def pack_folder(
    path: Path, *, force: bool = False, inputs: Sequence[Path] = ()
) -> Iterator[Mapping[str, ReportFile]]:
    """The files of a pack, proven writable; the folder is made where it is not there.

    Where nothing was finished, a folder that was made goes again. Raises as `ReportFile` does.
    """
    made = not path.exists()
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error
    try:
        with ExitStack() as stack:
            yield {
                name: stack.enter_context(
                    closing(
                        ReportFile(
                            path / name,
                            option="-o",
                            force=force,
                            inputs=inputs,
                            private=name in PRIVATE,
                        )
                    )
                )
                for name in FILES
            }
    finally:
        if made:
            with suppress(OSError):  # Not empty: the pack is in it.
                path.rmdir()


def write_pack(files: Mapping[str, ReportFile], pack: TrainingPack) -> str:
    """Writes every file and puts it in its place; the manifest's SHA-256.

    Raises OutputError where one cannot be written.
    """
    manifest = pack.manifest.to_bytes()
    contents = {**pack.files, README: _readme(pack.manifest).encode(), MANIFEST: manifest}
    for name, file in files.items():
        file.write(contents[name])
    for file in files.values():
        file.finish()
    return hashlib.sha256(manifest).hexdigest()


def _readme(manifest: TrainingManifest) -> str:
    whole, *parts = manifest.exposure
    by_severity = "\n".join(
        f"  {each.severity}: {each.footage_s:g} seconds, cases: {each.cases}" for each in parts
    )
    return f"""\
A pack for reviewer training: cases that people have settled. Cases: {manifest.cases}

CONTENT WARNING. Working through it means looking at {whole.footage_s:g} seconds of flagged footage:
{by_severity}
The longest case has {whole.longest_s:g} seconds. Cases of severity high or critical that follow
each other, at most: {manifest.most_graver_in_a_row}. Each line of {CASES} says how grave a case
may get and how long it is. What a player shows before and after a segment comes on top. Plan
breaks, and let everybody stop at any time.

For trainees
  {CASES:14} the cases, in the order in which they are shown
  {PICKS:14} the same cases, as the review page takes them
For the trainer alone
  {ANSWERS:14} the answers, and why
  {MANIFEST:14} what the pack was made of, and how many cases are which

How to use it

1. Give a trainee {PICKS}, the verdict files that the pack was made from, and access to the
   videos. Keep {ANSWERS}, {MANIFEST} and the log that the pack was made from.
2. The trainee decides on every case, blind, into a log of their own:
     vscan review serve tess.db verdicts.jsonl --reviewer tess --picks {PICKS}
   or one by one, with verdict and policy from {CASES}:
     vscan review decide tess.db verdicts.jsonl --verdict ID --policy POLICY --ruling uphold \\
       --reviewer tess --seconds-viewed 6
3. Score it:
     vscan train score THIS_FOLDER tess.db
4. Talk about what was answered otherwise: {ANSWERS} says why the answer is what it is. Where
   most trainees differ from it, look at the policy's text and the answer first.

Somebody who has seen the answers, or has worked through the pack, cannot be tested with it again:
build another one with another --seed.
"""
