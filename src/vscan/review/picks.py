"""A file of picks: the cases that somebody chose to have decided next (`vscan.pick/1`)."""

from __future__ import annotations

from pathlib import Path

import orjson

from vscan.decisions.standing import Case
from vscan.errors import UsageError
from vscan.metrics.picking.record import PICK_SCHEMA
from vscan.storage import read_bytes

MOST_BYTES = 256 << 20


def load_picks(path: Path) -> list[Case]:
    """Verdict and policy (None: the whole verdict) of every line, in the file's order.

    Raises UsageError that names the line which is no pick.
    """
    picks: list[Case] = []
    for number, line in enumerate(read_bytes(path, limit=MOST_BYTES).split(b"\n"), start=1):
        if line.strip():
            picks.append(_pick(f"{path}:{number}", line))
    if not picks:
        raise UsageError(
            f"{path}: holds no picks", remedy=f"give JSON lines of schema {PICK_SCHEMA}"
        )
    return picks


def _pick(where: str, line: bytes) -> Case:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{where}: no JSON: {error}") from error
    if not isinstance(row, dict) or row.get("schema") != PICK_SCHEMA:
        raise UsageError(f"{where}: not a pick: its schema is not {PICK_SCHEMA}")
    verdict, policy = row.get("verdict"), row.get("policy", "")
    named = policy is None or (isinstance(policy, str) and policy)
    if not isinstance(verdict, str) or not named:
        raise UsageError(f"{where}: a pick names a verdict, and a policy or null for none")
    return verdict, policy
