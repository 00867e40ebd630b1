"""What --model and --weights name, what is refused, and what a fingerprint stands for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embeddings.tiny_model import CONFIG
from vscan.embeddings.model_files import ModelFiles, model_files, same_model
from vscan.embeddings.preprocessing import Preprocessing
from vscan.errors import ModelError

WEIGHTS = b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A file that looks like weights."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(WEIGHTS)
    return path


def _beside(weights: Path, **changes: object) -> None:
    config = json.loads(json.dumps(CONFIG))
    config["model_cfg"].update(changes)
    (weights.parent / "open_clip_config.json").write_text(json.dumps(config), "utf-8")


def test_an_architecture_gets_what_open_clip_says_of_it(weights: Path) -> None:
    """Preprocessing follows the architecture: CLIP's own, SigLIP's squash with mean 0.5."""
    assert Preprocessing(224, 224) == model_files("ViT-B-32", weights).preprocessing
    half = (0.5, 0.5, 0.5)
    siglip = Preprocessing(256, 256, half, half, resize_mode="squash")
    assert siglip == model_files("ViT-B-16-SigLIP2-256", weights).preprocessing


def test_a_registry_name_takes_a_local_file(weights: Path) -> None:
    """A named model's weights can be copied here by hand: architecture and name are its own."""
    files = model_files("ViT-B-32-datacomp", weights)
    found = (files.name, files.architecture, files.weights)
    assert ("ViT-B-32-datacomp", "ViT-B-32", weights) == found


def test_a_configuration_beside_the_file_is_read(weights: Path) -> None:
    """open_clip_config.json beside the file gives network and preprocessing under any name."""
    _beside(weights)
    files = model_files("mine", weights)
    assert weights.parent == files.config_dir
    assert Preprocessing(32, 32, (0.5, 0.5, 0.5), resize_mode="squash") == files.preprocessing


def test_a_configuration_of_another_network_is_refused(weights: Path) -> None:
    """--model and a configuration beside the file that contradict each other are an error."""
    _beside(weights)
    with pytest.raises(ModelError, match="embed_dim is 24 there, 512"):
        model_files("ViT-B-32", weights)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{", "not an open_clip configuration"),
        ("{}", "model_cfg"),
        ('{"model_cfg": {"embed_dim": 3}}', "vision_cfg"),
    ],
)
def test_a_broken_configuration_names_its_file(weights: Path, text: str, cause: str) -> None:
    """A configuration that cannot be read is an error that names it."""
    beside = weights.parent / "open_clip_config.json"
    beside.write_text(text, "utf-8")
    with pytest.raises(ModelError, match=cause) as caught:
        model_files("mine", weights)
    assert str(beside) in caught.value.message


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("w.pt", WEIGHTS, "pickled"),
        ("w.bin", WEIGHTS, "pickled"),
        ("w.ckpt", WEIGHTS, "pickled"),
        ("w.npz", WEIGHTS, "must be a .safetensors file"),
        ("w.safetensors", b"", "empty"),
        ("w.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    ],
)
def test_files_that_are_no_weights_are_refused(
    tmp_path: Path, name: str, content: bytes, cause: str
) -> None:
    """Pickles, other formats, empty files and pointers are refused with what to do."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelError, match=cause) as caught:
        model_files("ViT-B-32", path)
    assert str(path) in caught.value.message
    assert caught.value.remedy != ""


def test_absent_files_and_folders_are_refused(tmp_path: Path) -> None:
    """A path without a file, and a folder, are clear errors."""
    with pytest.raises(ModelError, match="no such file"):
        model_files("ViT-B-32", tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match="not a regular file"):
        model_files("ViT-B-32", tmp_path)


def test_a_file_needs_to_be_told_what_it_is(weights: Path) -> None:
    """--weights alone, for builtin, or with a misspelt architecture is an error."""
    with pytest.raises(ModelError, match="which architecture"):
        model_files(None, weights)
    with pytest.raises(ModelError, match="weights of its own"):
        model_files("builtin", weights)
    with pytest.raises(ModelError, match="no architecture 'ViT-B32'") as caught:
        model_files("ViT-B32", weights)
    assert "ViT-B-32" in caught.value.remedy


def test_the_fingerprint_covers_weights_network_and_preprocessing(weights: Path) -> None:
    """Other bytes, another architecture or another picture give another fingerprint."""
    whole = model_files("ViT-B-32", weights)
    others = [
        ModelFiles("ViT-B-32", "ViT-B-16", weights, whole.preprocessing),
        ModelFiles("ViT-B-32", "ViT-B-32", weights, Preprocessing(256, 256)),
    ]
    digests = {files.fingerprint for files in (whole, *others)}
    weights.write_bytes(WEIGHTS + b" ")
    digests.add(ModelFiles("ViT-B-32", "ViT-B-32", weights, whole.preprocessing).fingerprint)
    assert 4 == len(digests)


def test_the_same_files_are_the_same_model_under_any_name(weights: Path) -> None:
    """Named from the registry or as an architecture, the same files make comparable vectors."""
    named = model_files("ViT-B-32-datacomp", weights).fingerprint
    plain = model_files("ViT-B-32", weights).fingerprint
    assert named != plain
    assert same_model(named, plain)


def test_weights_other_than_expected_are_refused(weights: Path) -> None:
    """A file whose SHA-256 is not the expected one is never loaded."""
    files = ModelFiles("m", "ViT-B-32", weights, Preprocessing(8, 8), expected_sha256="0" * 64)
    with pytest.raises(ModelError, match="damaged or were exchanged"):
        _ = files.fingerprint


def test_the_builtin_fingerprint_needs_no_torch() -> None:
    """A named model is resolved and fingerprinted without loading torch or open_clip."""
    program = (
        "import sys\n"
        "from vscan.embeddings.model_files import model_files\n"
        "print(model_files('builtin').fingerprint)\n"
        "print([name for name in ('torch', 'open_clip') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    fingerprint, loaded = done.stdout.splitlines()
    assert model_files("builtin").fingerprint == fingerprint
    assert "[]" == loaded
