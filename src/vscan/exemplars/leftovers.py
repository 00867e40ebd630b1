"""Files of an exemplar index that no manifest names: what earlier states and dead writers left."""

from __future__ import annotations

from pathlib import Path

from vscan.exemplars.manifest import MANIFEST_NAME, Manifest

PART_FOLDERS = {
    "exemplars": ".jsonl",
    "tracks": ".safetensors",
    "records": ".jsonl",
    "cells": ".safetensors",
    "background": ".safetensors",
}
"""Folders of an index, and how the files that vscan writes into them end."""


def remove_leftovers(root: Path, manifest: Manifest) -> None:
    """Deletes what the manifest of the index in `root` does not name; only a writer may.

    Files that vscan would not have written are left alone.
    """
    named = {part.path for part in manifest.parts}
    for folder, suffix in PART_FOLDERS.items():
        for file in sorted((root / folder).glob("*")):
            ours = file.suffix == suffix or file.name.startswith(".")
            if ours and f"{folder}/{file.name}" not in named:
                file.unlink(missing_ok=True)
    for file in sorted(root.glob(f".{MANIFEST_NAME}.*")):
        file.unlink(missing_ok=True)
