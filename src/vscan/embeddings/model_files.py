"""What `--model` and `--weights` name: the files, the preprocessing and the fingerprint of a model.

Nothing here loads torch, so that a fingerprint can be had without it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from vscan.embeddings.architectures import (
    CONFIG_NAME,
    architecture_config,
    architecture_names,
    default_preprocessing,
    read_config,
    refuse_other_network,
)
from vscan.embeddings.preprocessing import Preprocessing
from vscan.embeddings.registry import BUILTIN, DEFAULT_MODEL, MODELS, named_model
from vscan.embeddings.weights import BUILTIN_DIR, expected_sha256, require_weights, sha256_of
from vscan.errors import ModelError

_PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".tar")


@dataclass(frozen=True)
class ModelFiles:
    """A model before it is loaded: where its parts are and how its pictures are prepared."""

    name: str
    architecture: str
    """open_clip's name, or the model's own where `config_dir` describes the network."""
    weights: Path
    preprocessing: Preprocessing
    config_dir: Path | None = None
    """Folder whose open_clip_config.json describes the network; None for one of open_clip's."""
    vocabulary: Path | None = None
    """BPE vocabulary of the tokenizer; None for the architecture's own tokenizer."""
    expected_sha256: str | None = None
    """What the weights' SHA-256 should be, where somebody has said."""

    @cached_property
    def fingerprint(self) -> str:
        """`name#sha256:…` over everything that decides a vector.

        Raises ModelError where the weights are not the ones expected.
        """
        found = sha256_of(self.weights)
        if self.expected_sha256 not in (None, found):
            raise ModelError(
                f"{self.weights}: the weights of {self.name} are damaged or were exchanged:"
                f" SHA-256 {found}, expected {self.expected_sha256}",
                remedy="install vscan again"
                if self.name == BUILTIN
                else f"delete that file and run `vscan models pull {self.name}`",
            )
        network: object = self.architecture
        if self.config_dir is not None:
            network = read_config(self.config_dir / CONFIG_NAME)[0]
        parts = {
            "network": network,
            "preprocessing": asdict(self.preprocessing),
            "vocabulary": sha256_of(self.vocabulary) if self.vocabulary else None,
            "weights": found,
        }
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return f"{self.name}#sha256:{digest}"

    def __str__(self) -> str:
        return f"{self.name} ({self.architecture}) from {self.weights}"


def same_model(one: str, other: str) -> bool:
    """Whether two fingerprints stand for the same vectors; the names before `#` may differ."""
    return one.partition("#")[2] == other.partition("#")[2]


def model_files(model: str | None = None, weights: Path | None = None) -> ModelFiles:
    """The model that `--model` and `--weights` name; the registry's default for neither.

    With `weights`, `model` is a name of the registry, an open_clip architecture, or any name
    where an open_clip_config.json beside the file describes the network; such a file also gives
    the preprocessing. Raises ModelError where anything is missing or does not agree.
    """
    if weights is not None:
        return _from_file(model, weights)
    named = named_model(model or DEFAULT_MODEL)
    path = require_weights(named)
    expected = expected_sha256(named, path)
    if named.name == BUILTIN:
        return _from_folder(BUILTIN, path, BUILTIN_DIR, expected)
    return ModelFiles(
        named.name, named.architecture, path, named.preprocessing, expected_sha256=expected
    )


def _from_folder(name: str, weights: Path, folder: Path, expected: str | None) -> ModelFiles:
    """A model whose own folder describes it, as open_clip's `local-dir:` would load it."""
    path = folder / CONFIG_NAME
    config, preprocess = read_config(path)
    try:
        size = config["vision_cfg"].get("image_size", 224)
        preprocessing = Preprocessing.from_config(preprocess, size)
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: preprocess_cfg cannot be used: {error}") from error
    vocabularies = sorted(folder.glob("bpe*.txt.gz"))
    vocabulary = vocabularies[0] if vocabularies else None
    return ModelFiles(name, name, weights, preprocessing, folder, vocabulary, expected)


def _from_file(model: str | None, weights: Path) -> ModelFiles:
    if model is None:
        raise ModelError(
            f"--weights {weights}: which architecture are they for?",
            remedy="add --model, as `--model ViT-B-32`; `vscan models list --architectures`",
        )
    if model == BUILTIN:
        raise ModelError(
            "--model builtin has weights of its own, in the package",
            remedy="leave --weights out, or name the architecture of the file with --model",
        )
    refuse_unreadable(weights)
    if model in MODELS:
        named = MODELS[model]
        return ModelFiles(
            model, named.architecture, weights, named.preprocessing, expected_sha256=named.sha256
        )
    beside = weights.parent / CONFIG_NAME
    if model not in architecture_names():
        if not beside.is_file():
            architecture_config(model)
        return _from_folder(model, weights, weights.parent, None)
    if not beside.is_file():
        return ModelFiles(model, model, weights, default_preprocessing(model))
    config, _ = read_config(beside)
    refuse_other_network(model, config, beside)
    described = _from_folder(model, weights, weights.parent, None)
    return ModelFiles(model, model, weights, described.preprocessing)


def refuse_unreadable(weights: Path) -> None:
    """Raise ModelError where the file is absent, no regular file, empty or of a refused kind."""
    if not weights.exists():
        raise ModelError(f"{weights}: no such file", remedy="check the path given to --weights")
    if not weights.is_file():
        raise ModelError(
            f"{weights}: not a regular file", remedy="give the .safetensors file itself"
        )
    if weights.suffix.lower() in _PICKLED:
        raise ModelError(
            f"{weights}: pickled weights can run any code when loaded, so vscan does not read them",
            remedy="get the same weights as .safetensors, or turn them into it on a machine that"
            " you trust with them (docs/models.md)",
        )
    if weights.suffix.lower() != ".safetensors":
        raise ModelError(
            f"{weights}: weights must be a .safetensors file",
            remedy="give --weights the .safetensors file of an open_clip model",
        )
    with weights.open("rb") as file:
        start = file.read(64)
    if not start:
        raise ModelError(f"{weights}: the file is empty", remedy="copy or download it again")
    if start.startswith(b"version https://git-lfs"):
        raise ModelError(
            f"{weights}: a Git LFS pointer, not the weights themselves",
            remedy="run `git lfs pull` where it came from, or download the file itself",
        )
