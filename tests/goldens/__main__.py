"""Writes every golden anew, for a change that is meant: `make goldens`, then read the diff."""

from __future__ import annotations

import tempfile
from pathlib import Path

import orjson

from tests.goldens.verdict import GOLDEN, verdict_record

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="vscan-goldens-") as folder:
        record = verdict_record(Path(folder))
    GOLDEN.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
