"""Prints vPDQ's hashes of videos as JSON lines; run by an interpreter that has `vpdq`.

Paths come on stdin, one a line. A line of output: {"path", "hashes": [[hex, quality], …]}, or
{"path", "error"}. Only vpdq and the standard library are imported.
"""

from __future__ import annotations

import importlib
import json
import sys

SECONDS_PER_HASH = 1.0


def main() -> int:
    """Hash every video named on stdin."""
    vpdq = importlib.import_module("vpdq")
    for line in sys.stdin:
        path = line.rstrip("\n")
        try:
            features = vpdq.computeHash(path, seconds_per_hash=SECONDS_PER_HASH)
            said: dict[str, object] = {"hashes": [[each.hex, each.quality] for each in features]}
        except Exception as error:  # noqa: BLE001 -- vpdq raises bare exceptions
            said = {"error": str(error)}
        print(json.dumps({"path": path, **said}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
