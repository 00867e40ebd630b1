"""CSV: one row for each segment, for spreadsheets; one for each video without any.

The form is RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180): a header, commas, quotes doubled,
line ends of CR LF; in UTF-8. Cells that a spreadsheet would take for a formula get an apostrophe
before them, as OWASP advises (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from vscan.reports.exports.exporting import Exported, Exporting, Shape
from vscan.reports.ruled import STATE_WORDS
from vscan.reports.words import why
from vscan.store.browse import Record

NAME = "csv"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell begins with that a spreadsheet computes: OWASP's list, with the full-width forms."""
COLUMNS = (
    "source", "sha256", "verdict", "outcome", "recommended", "policy", "severity", "action",
    "score", "threshold", "start_s", "end_s", "peak_s", "segment_score", "why", "coverage",
    "error", "decision", "pack",
)  # fmt: skip
Cell = str | int | float | None


class CsvMap(Shape):
    """Nothing: the rows are vscan's own."""


def write(given: Exporting, _mapped: CsvMap) -> Exported:
    """All verdicts as rows, by URI."""
    out, left_out = io.StringIO(newline=""), Counter[str]()
    rows = guarded = 0
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for record in given.records:
        for row in _rows(given, record):
            cells = [_guarded(cell) for cell in row]
            guarded += sum(new != old for new, old in zip(cells, row, strict=True))
            table.writerow(cells)
            rows += 1
        for finding in record["findings"]:
            left_out["pieces of evidence beside the strongest"] += len(finding["evidence"]) - 1
        left_out["findings that were set aside"] += len(record["suppressed"])
    data = out.getvalue().encode("utf-8")
    notes = +Counter({"cells would be formulas: an apostrophe stands before them": guarded})
    return Exported(data=data, written=rows, left_out=+left_out, notes=notes)


def _rows(given: Exporting, record: Record) -> Iterator[tuple[Cell, ...]]:
    source, samples = record["source"], record["samples"]
    head = (source["uri"], source["sha256"], record["id"], record["outcome"], record["action"])
    error = record.get("error", {}).get("code")
    coverage = None if samples is None else samples["coverage"]
    pack = record["provenance"]["pack"]
    if not record["findings"]:
        nothing = (None,) * 10
        yield (*head, *nothing, coverage, error, _state(given, record, None), pack)
    for finding in record["findings"]:
        state = _state(given, record, finding["policy"])
        for segment in finding["segments"] or [{}]:
            yield (
                *head, *_told(finding, segment), why(finding["evidence"][0]), coverage, error,
                state, pack,
            )  # fmt: skip


def _told(finding: dict[str, Any], segment: dict[str, Any]) -> tuple[Cell, ...]:
    named = tuple(finding[key] for key in ("policy", "severity", "action", "score", "threshold"))
    return named + tuple(segment.get(key) for key in ("start_s", "end_s", "peak_s", "score"))


def _state(given: Exporting, record: Record, policy: str | None) -> str | None:
    if given.rulings is None:
        return None
    return STATE_WORDS[given.rulings.state(record["id"], policy)]


def _guarded(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
