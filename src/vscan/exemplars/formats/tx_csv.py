"""python-threatexchange's CSV of a data set: `signal_type,signal_str,collab,category,tags`.

Source: facebook/ThreatExchange, `python-threatexchange/…/cli/dataset_cmd.py`
(`threatexchange dataset -P --csv`). Tags are joined by spaces. Columns may stand in any order, as
an older version of that program wrote them.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterable, Iterator

from vscan.exemplars.formats import vpdq_json
from vscan.exemplars.formats.guards import record, refuse, text_of
from vscan.exemplars.formats.record import MAX_VALUE_CHARS, HashRecord, kind_of

NAME = "tx-csv"
COLUMNS = ("signal_type", "signal_str", "collab", "category", "tags")
CATEGORIES = ("NEGATIVE_CLASS", "INVESTIGATION_SEED", "POSITIVE_CLASS", "DISPUTED")
"""python-threatexchange's aggregate opinions, by their numbers 0..3."""
_FIELD_LIMIT = threading.Lock()
"""csv's limit on the size of a field belongs to the process."""


def read(data: bytes, where: str) -> Iterator[HashRecord]:
    """The hashes, in the file's order. Raises ExemplarIndexError naming line and column."""
    rows = _rows(text_of(data, where), where)
    if not rows:
        return
    header = [name.strip() for name in rows[0][1]]
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in COLUMNS[:2] if name not in header]
    if unknown or missing or len(set(header)) != len(header):
        refuse(where, 1, f"a header of {','.join(header)[:200]!r} where {','.join(COLUMNS)} is due")
    for entry, (line, cells) in enumerate(rows[1:]):
        if len(cells) != len(header):
            refuse(where, line, f"{len(cells)} fields under {len(header)} columns")
        cell = dict.fromkeys(COLUMNS, "") | dict(zip(header, cells, strict=True))
        if not cell["signal_type"]:
            refuse(where, line, "signal_type: is empty")
        yield record(
            where,
            line,
            origin=NAME,
            signal_type=cell["signal_type"],
            value=_value(cell["signal_type"], cell["signal_str"], where, line),
            collab=cell["collab"],
            category=_category(cell["category"], where, line),
            tags=tuple(cell["tags"].split(" ")) if cell["tags"] else (),
            entry=entry,
        )


def write(records: Iterable[HashRecord]) -> bytes:
    """The table, its lines ended by CR LF as that program's are.

    White space within a tag of another list becomes `_`, since tags are joined by spaces.
    """
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for each in records:
        tags = each.tags if each.origin == NAME else ["_".join(tag.split()) for tag in each.tags]
        table.writerow(
            [name_of(each), each.value, each.collab, each.category, " ".join(tags)],
        )
    return out.getvalue().encode()


def name_of(record: HashRecord) -> str:
    """python-threatexchange's name for the record's type; one of another list's own stays."""
    names = {"photodna": "photodna", "tmk": "video_tmk_pdqf", "text": "raw_text"}
    if record.origin.startswith("tx-"):
        return record.signal_type
    if record.kind == "md5":
        return "video_md5" if record.media != "image" else "md5"
    return names.get(record.kind, record.kind)


def _rows(text: str, where: str) -> list[tuple[int, list[str]]]:
    rows = []
    with _FIELD_LIMIT:
        before = csv.field_size_limit(MAX_VALUE_CHARS)
        try:
            table = csv.reader(io.StringIO(text, newline=""), strict=True)
            line = 1
            for cells in table:
                if cells:
                    rows.append((line, cells))
                line = table.line_num + 1
        except csv.Error as error:
            refuse(where, line, f"not CSV: {error}")
        finally:
            csv.field_size_limit(before)
    return rows


def _value(signal_type: str, value: str, where: str, line: int) -> str:
    kind = kind_of(signal_type)
    if kind == "vpdq":
        for _ in vpdq_json.read(value.encode("utf-8", "replace"), f"{where}:{line}: signal_str"):
            pass
    return value.lower() if kind == "pdq" else value


def _category(text: str, where: str, line: int) -> str:
    if text in {str(number) for number in range(len(CATEGORIES))}:
        return CATEGORIES[int(text)]
    if text and text not in CATEGORIES:
        refuse(where, line, f"category: {text[:80]!r} is none of {', '.join(CATEGORIES)}")
    return text
