"""Vectors of prompts on disk, so that a known pack is scored without encoding any text.

One small .safetensors file per prompt, under the model's digest. A file holds the vector and says
which model, templates and prompt it is of, with a SHA-256 over all of it; one that is damaged or
not what its name says counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_log = logging.getLogger(__name__)
Vector = NDArray[np.float32]


def cache_folder() -> Path:
    """vscan's own cache: VSCAN_CACHE, else `vscan` in XDG_CACHE_HOME, else in ~/.cache."""
    own = os.environ.get("VSCAN_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "vscan"


class PromptCache:
    """The kept vectors of one model; `fingerprint` is its own, `name#sha256:…`."""

    def __init__(self, fingerprint: str, folder: Path | None = None) -> None:
        self.model = fingerprint.rpartition(":")[2]
        self.folder = (folder or cache_folder()) / "prompts" / self.model

    def path(self, templates: Sequence[str], prompt: str) -> Path:
        """Where the vector of that prompt under those templates is kept."""
        key = json.dumps([list(templates), prompt])
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.safetensors"

    def get(self, templates: Sequence[str], prompt: str) -> tuple[Vector, float] | None:
        """((D,) unit vector, the model's logit scale), or None where none whole is kept."""
        from safetensors import SafetensorError, safe_open

        path = self.path(templates, prompt)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="np") as file:
                said = file.metadata() or {}
                vector = np.asarray(file.get_tensor("vector"), np.float32)
        except (SafetensorError, OSError, ValueError) as error:
            _log.warning("%s: damaged, made again: %s", path, error)
            return None
        wanted = _description(self.model, templates, prompt, vector, said.get("logit_scale", ""))
        if said != wanted or vector.ndim != 1 or not np.isfinite(vector).all():
            _log.warning("%s: damaged, made again", path)
            return None
        return vector, float(said["logit_scale"])

    def put(
        self, templates: Sequence[str], prompt: str, vector: Vector, logit_scale: float
    ) -> None:
        """Keep a vector. A cache that cannot be written costs time, not correctness."""
        from safetensors.numpy import save

        path = self.path(templates, prompt)
        said = _description(self.model, templates, prompt, vector, repr(logit_scale))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(save({"vector": vector}, metadata=said))
            Path(file.name).replace(path)
        except OSError as error:
            _log.warning("%s: prompt vectors are not kept: %s", path.parent, error)


def _description(
    model: str, templates: Sequence[str], prompt: str, vector: Vector, logit_scale: str
) -> dict[str, str]:
    said = {
        "model": model,
        "templates": json.dumps(list(templates)),
        "prompt": prompt,
        "logit_scale": logit_scale,
    }
    digest = hashlib.sha256(json.dumps(said).encode() + vector.tobytes()).hexdigest()
    return said | {"sha256": digest}
