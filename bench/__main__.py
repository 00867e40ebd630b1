"""Runs the measurements and prints one table: `python -m bench [NAME…]`.

Every row is a ratio or a limit measured in the same run; lines of tables in Markdown stand as they
are. `VSCAN_CORPUS` names a folder of real videos for those that want one; without it they make
clips of their own.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# numpy's products run in one thread, as in a reader process: set before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bench import (
    backtest,
    embedding,
    fast_decode,
    growth,
    hashing,
    hunting,
    index_change,
    index_search,
    index_size,
    signal_cost,
    startup,
    store_read,
)


@dataclass(frozen=True)
class Measurement:
    """One named measurement and what it compares."""

    about: str
    measure: Callable[[], Iterable[tuple[str, str] | str]]


MEASUREMENTS = {
    "startup": Measurement("`vscan --help` against Python alone and 0.3 s", startup.measure),
    "hashing": Measurement("PDQ in eight forms against decoding the same frames", hashing.measure),
    "embedding": Measurement("the built-in model against ViT-B-32", embedding.measure),
    "fast_decode": Measurement(
        "samples of `--decode fast` against exact ones", fast_decode.measure
    ),
    "index_search": Measurement("large exemplar indexes against FAISS flat", index_search.measure),
    "index_change": Measurement("adding and removing exemplars by size", index_change.measure),
    "index_size": Measurement("a second of exemplar on disk and in memory", index_size.measure),
    "signal_cost": Measurement("hashes and keypoints beside ViT-B-32", signal_cost.measure),
    "growth": Measurement("memory and time of what knows every source", growth.measure),
    "store_read": Measurement("a frame store's files against packs of them", store_read.measure),
    "hunting": Measurement("an exemplar against a million stored frames", hunting.measure),
    "backtest": Measurement("two packs over 10,000 stored videos of 20 frames", backtest.measure),
}


def main() -> int:
    """Run the named measurements, or all."""
    wanted = sys.argv[1:] or list(MEASUREMENTS)
    unknown = [name for name in wanted if name not in MEASUREMENTS]
    if unknown:
        print(f"no measurement {unknown[0]!r}; there are: {', '.join(MEASUREMENTS)}")
        return 2
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    for name in wanted:
        print(f"\n{name}: {MEASUREMENTS[name].about}")
        for row in MEASUREMENTS[name].measure():
            print(row if isinstance(row, str) else f"  {row[0]:<44} {row[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
