"""The listings of a simulated collection: files of names, which grow and repeat themselves."""

from __future__ import annotations

from pathlib import Path

from bench.scheduler.truth import LISTINGS, World


def write_listings(world: World, folder: Path) -> tuple[list[Path], int]:
    """A list for each time that the collection is looked at, and how many names the last one has
    twice."""
    paths = [folder / f"listing-{number}.txt" for number in range(LISTINGS)]
    repeated = 0
    files = [path.open("w", encoding="utf-8") for path in paths]
    try:
        held: list[str] = []
        for truth in world.all():
            for file in files[truth.listed_from :]:
                file.write(f"{truth.uri}\n")
            if truth.named_twice:
                repeated += 1
                # A name comes again later on, and spelled otherwise.
                held.append(f"./{truth.uri}\n" if truth.number % 2 else f"{truth.uri}\n")
            if len(held) >= 50:
                files[-1].writelines(held)
                held.clear()
        files[-1].writelines(held)
    finally:
        for file in files:
            file.close()
    return paths, repeated
