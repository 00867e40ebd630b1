"""`vscan doctor`: what this machine offers a scan, and what is missing."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line instead.")
    ] = False,
) -> None:
    """Check this machine: readers, their sandbox, codecs, torch, models, extras, disk.

    Every codec is tried for real, on a small clip made for it, and so is what a reader process is
    refused: the network, other files, other processes. Of extras (s3, gcs, azure, http, ray,
    review, eval) those that are absent are named with the line that installs them: that is no
    fault. Exits with 2 if a check failed.

    Example: vscan doctor --json
    """
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.diagnosis import diagnose

    checks = list(diagnose())
    if json:
        print_json_lines(checks)
    else:
        print_table(
            ("check", "status", "found", "remedy"),
            ((c.name, c.status, c.detail, c.remedy) for c in checks),
        )
    if any(check.status == "failed" for check in checks):
        raise typer.Exit(2)
