"""Measured programs, each in a process of its own: a request goes in as JSON, figures come out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from vscan.errors import UsageError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SAID = 800
"""Characters of a failed program's last words that are shown."""


def measured(module: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the program of bench.speed says to a request; that it ended is told on stderr.

    Raises UsageError with its last words where it fails.
    """
    # Threads as each program's libraries choose them by default, for all programs alike.
    environment = {key: value for key, value in os.environ.items() if key not in _THREADS}
    begun = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", f"bench.speed.{module}"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    print(f"{module}: {time.perf_counter() - begun:.1f} s in all", file=sys.stderr, flush=True)
    lines = ran.stdout.splitlines()
    if ran.returncode or not lines:
        raise UsageError(
            f"bench.speed.{module} failed: {ran.stderr.strip()[-_SAID:]}", remedy="see above"
        )
    said: dict[str, Any] = json.loads(lines[-1])
    return said


def answer(work: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """The other side: reads the request from stdin, prints what `work` makes of it as one line."""
    said = work(json.loads(sys.stdin.read()))
    print(json.dumps(said), flush=True)
    return 0
