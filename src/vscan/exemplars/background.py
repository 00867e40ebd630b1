"""The background of an exemplar index: embeddings of frames of videos that match nothing.

It decides what matches, as the tracks do, so it is a part of the index with its SHA-256.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError
from vscan.exemplars.manifest import Manifest
from vscan.exemplars.parts import DAMAGED, read_part, write_part

MOST_VECTORS = 4096
"""That a background may hold: each sample is compared with every one."""
LEAST_VECTORS = 16
"""Fewer say nothing of how frames look."""


def calibrated(
    root: Path, manifest: Manifest, vectors: NDArray[Any], match_similarity: float
) -> Manifest:
    """The manifest with another background and operating point; writes the background's file.

    vectors: (B, D) unit vectors, LEAST_VECTORS to MOST_VECTORS. Raises ExemplarIndexError where
    the index holds no embeddings, ValueError for other vectors or an operating point outside 0..1,
    OutputError where the file cannot be written.
    """
    from safetensors.numpy import save

    if manifest.model is None:
        raise ExemplarIndexError(
            f"{root}: the index {manifest.name!r} holds no embeddings, which alone are calibrated",
            remedy="nothing needs to be done: other signals have a fixed operating point",
        )
    model = replace(manifest.model, match_similarity=match_similarity)
    stored = np.ascontiguousarray(vectors, np.float16)
    if (problem := _problem(stored, model.dim)) is not None:
        raise ValueError(problem)
    part = write_part(root, "background", "background", "safetensors", save({"vectors": stored}))
    return replace(manifest, model=model, background=part)


def read_background(root: Path | str, manifest: Manifest) -> NDArray[np.float16] | None:
    """(B, D) unit vectors, or None where the index has no background.

    Raises PartGoneError, or ExemplarIndexError where the file is not the manifest's.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if manifest.background is None or manifest.model is None:
        return None
    where = f"{root}/{manifest.background.path}"
    try:
        held = load(read_part(root, manifest.background))
    except SafetensorError as error:
        raise ExemplarIndexError(f"{where}: not a background: {error}", remedy=DAMAGED) from error
    vectors = held.get("vectors", np.empty((0, 0), np.float16))
    if (problem := _problem(vectors, manifest.model.dim)) is not None:
        raise ExemplarIndexError(f"{where}: not a background: {problem}", remedy=DAMAGED)
    return vectors


def _problem(vectors: NDArray[Any], dim: int) -> str | None:
    if vectors.ndim != 2 or vectors.dtype != np.float16 or vectors.shape[1] != dim:
        return f"vectors of {dim} float16 are wanted, not {vectors.shape} {vectors.dtype}"
    if not LEAST_VECTORS <= len(vectors) <= MOST_VECTORS:
        return f"{LEAST_VECTORS} to {MOST_VECTORS} vectors are wanted, not {len(vectors)}"
    return None if bool(np.isfinite(vectors).all()) else "not all numbers are finite"
