"""Makes a hostile corpus: clean clips, mutants of them, special files; the same for a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np

from bench.hostile.bases import BASES, make_base
from bench.hostile.specials import SPECIALS
from bench.hostile.structures import mutators_for, remuxed

REMUXED = "remuxed"
"""Name of the mutants whose packets were written anew."""
REMUXABLE = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".flv", ".nut")


def make_corpus(
    folder: Path, *, seed: int, mutants: int, say: Callable[[str], None] = print
) -> list[Path]:
    """Writes the files into `folder`: every base, every special, and so many mutants.

    A file's name says how it was made: `mkv-ffv1.cut-tail.3.mkv`. Mutants go round the bases, and
    on each base round its mutators.
    """
    folder.mkdir(parents=True, exist_ok=True)
    av.logging.set_level(None)
    made = [_clean(folder, name, seed) for name in BASES]
    say(f"{len(made)} clean clips")
    for name, (suffix, make) in SPECIALS.items():
        path = folder / f"special.{name}{suffix}"
        make(path)
        made.append(path)
    say(f"{len(SPECIALS)} special files")
    made += list(_mutants(folder, seed, mutants))
    say(f"{mutants} mutants")
    return made


def _clean(folder: Path, name: str, seed: int) -> Path:
    path = folder / f"{name}.clean{BASES[name].suffix}"
    return make_base(path, BASES[name], seed=seed + list(BASES).index(name))


def _mutants(folder: Path, seed: int, count: int) -> Iterator[Path]:
    names = list(BASES)
    for k in range(count):
        number, name = k // len(names), names[k % len(names)]
        suffix = BASES[name].suffix
        clean = folder / f"{name}.clean{suffix}"
        # PyAV takes a template's encoder by its decoder's name, and AV1's have different ones.
        may_remux = suffix in REMUXABLE and "av1" not in name
        ways = [*mutators_for(suffix), *([REMUXED] if may_remux else [])]
        way = ways[(number + names.index(name)) % len(ways)]
        path = folder / f"{name}.{way}.{number}{suffix}"
        rng = np.random.default_rng([seed, k])
        if way == REMUXED:
            remuxed(rng, clean, path, BASES[name].container)
        else:
            path.write_bytes(mutators_for(suffix)[way](rng, clean.read_bytes()))
        yield path
