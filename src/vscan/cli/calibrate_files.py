"""The files of `vscan calibrate`: proven writable before the work, written when it is done."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vscan.cli.index_output import say
from vscan.errors import OutputError, UsageError
from vscan.policies.pack import parse_pack, read_pack
from vscan.reports.report_file import ReportFile

if TYPE_CHECKING:
    from vscan.metrics.thresholds.calibrate import CalibrateSettings
    from vscan.metrics.thresholds.report import CalibrationReport


def report_files(
    stack: ExitStack,
    output: Path | None,
    html: Path | None,
    *,
    force: bool,
    inputs: list[Path],
) -> tuple[ReportFile | None, ReportFile | None]:
    """The files of -o and --html. Raises as `ReportFile`."""
    if None not in (output, html) and os.path.realpath(str(output)) == os.path.realpath(str(html)):
        raise UsageError(f"{html}: is named by -o and by --html", remedy="name two files")
    made = [
        None
        if path is None
        else stack.enter_context(
            closing(ReportFile(path, option=option, force=force, inputs=inputs))
        )
        for path, option in ((output, "-o"), (html, "--html"))
    ]
    return made[0], made[1]


@dataclass
class PackFile:
    """The pack that is to get a new threshold, and the file that it goes to."""

    source: str
    content: bytes
    """As it was read before the work."""
    file: ReportFile
    name: str
    version: str | None

    def write(self, report: CalibrationReport) -> None:
        """Puts threshold and certificate into the pack's text, and the file in its place."""
        from vscan.metrics.thresholds.certificate_of import certified_pack

        path, now = read_pack(self.source)
        if now != self.content:
            raise OutputError(f"{path}: was changed meanwhile", remedy="run the same command again")
        pack = parse_pack(now, file=str(path))
        text = certified_pack(now, report, file=str(path), pack=pack, version=self.version)
        self.file.write(text)
        self.file.finish()
        after = parse_pack(text, file=self.name)
        say(f"wrote {self.name}: {report.policy} {report.action} {report.certified.threshold:g}")
        if after.version == pack.version and after.digest != pack.digest:
            say(
                f"note: the version is still {after.version}, though the pack says something else;"
                " --version gives it another"
            )


def pack_file(
    stack: ExitStack,
    pack: str,
    settings: CalibrateSettings,
    output: ReportFile | None,
    *,
    write: bool,
    force: bool,
    version: str | None,
) -> PackFile | None:
    """Where the new pack goes; None where nothing is to be written.

    Raises UsageError where the pack itself cannot be written to, or has a certificate already.
    """
    if not write and output is None:
        if version is not None:
            raise UsageError(
                "--version is of a pack that is written, and none is",
                remedy="add --write, or -o NEW.toml",
            )
        return None
    path, content = read_pack(pack)
    if output is not None:
        if write:
            raise UsageError("--write and -o exclude each other", remedy="give one of them")
        return PackFile(pack, content, output, str(output.path), version)
    if not pack.endswith(".toml"):
        raise UsageError(
            f"{pack}: a pack that ships with vscan is not written to", remedy="give -o NEW.toml"
        )
    held = parse_pack(content, file=str(path)).policy(settings.policy).calibration
    if held is not None and getattr(held, settings.action) is not None and not force:
        raise UsageError(
            f"{path}: {settings.policy} has a certificate for {settings.action} already",
            remedy="add --force to replace it, or give -o NEW.toml",
        )
    file = stack.enter_context(closing(ReportFile(path, option="--write", force=True)))
    return PackFile(pack, content, file, str(path), version)
