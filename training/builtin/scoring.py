"""Frames and prompts through vscan's own encoder and prompt score, for any exported weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vscan.decode.picture import model_picture
from vscan.embeddings.openclip import load_encoder
from vscan.embeddings.prompts import ensemble
from vscan.matching.prompt_scores import softmax_share
from vscan.policies import Policy, PolicyPack

Pixels = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]
CANDIDATE = "builtin-candidate"  # a name of its own: the weights need not be the shipped ones


class Scorer:
    """A folder of weights with a pack: what a scan would say of a frame."""

    def __init__(self, folder: Path, pack: PolicyPack) -> None:
        weights = folder / "open_clip_model.safetensors"
        self.encoder = load_encoder(CANDIDATE, weights=weights, device="cpu", precision="fp32")
        self.pack = pack
        self._known: dict[str, Vectors] = {}

    def __repr__(self) -> str:
        return f"Scorer({self.pack.name}, {self.encoder!r})"

    def embed(self, frames: Sequence[Pixels]) -> Vectors:
        """Return unit vectors, (N, 256), of RGB frames, rounded as the frame store rounds them."""
        spec = self.encoder.image_spec
        pictures = np.empty((len(frames), spec.height, spec.width, 3), np.uint8)
        for row, frame in zip(pictures, frames, strict=True):
            row[:] = model_picture(np.ascontiguousarray(frame), spec)
        vectors = self.encoder.encode_images(pictures).astype(np.float16).astype(np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def prompts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, (N, 256): each text in the pack's templates, averaged."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            made = ensemble(self.encoder, new, self.pack.templates)
            self._known |= dict(zip(new, made, strict=True))
        return np.stack([self._known[text] for text in texts])

    def policy(self, vectors: Vectors, policy: Policy) -> Scores:
        """Return the policy's prompt scores in 0..1, (N,), of frames as vectors (N, 256)."""
        against = list(dict.fromkeys([*policy.contrast, *self.pack.neutral]))
        own = (vectors @ self.prompts(policy.prompts).T).astype(np.float64)
        other = (vectors @ self.prompts(against).T).astype(np.float64)
        return softmax_share(own, other, self.encoder.logit_scale)
