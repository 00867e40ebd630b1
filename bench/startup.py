"""How long `vscan --help` takes, beside an interpreter that does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

RUNS = 9
LIMIT_S = 0.3


def median_s(command: list[str]) -> float:
    """Median wall seconds of RUNS runs, after one that warms the caches."""
    taken = []
    for _ in range(RUNS + 1):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def measure() -> Iterator[tuple[str, str]]:
    """Rows: the two medians and the verdict on the limit."""
    program = "import sys; sys.argv=['vscan','--help']; from vscan.cli.app import main; main()"
    help_s = median_s([sys.executable, "-c", program])
    nothing_s = median_s([sys.executable, "-c", "pass"])
    yield "vscan --help, median of 9", f"{help_s:.3f} s"
    yield "python -c pass, median of 9", f"{nothing_s:.3f} s"
    yield f"within {LIMIT_S} s", "yes" if help_s <= LIMIT_S else "NO"
