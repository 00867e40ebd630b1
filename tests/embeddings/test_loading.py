"""An encoder that loads beside other work: known at once, waited for only where it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vscan.embeddings.encoder import Encoder
from vscan.embeddings.loading import unloaded_encoder
from vscan.embeddings.openclip import load_encoder
from vscan.embeddings.prompts import pack_prompts
from vscan.errors import ModelError, ModelLoadError
from vscan.policies import load_pack


def test_a_loading_encoder_is_the_loaded_one() -> None:
    """It says the same of itself before it is loaded, and gives the same vectors afterwards."""
    loading, loaded = (
        unloaded_encoder("builtin", device="cpu"),
        load_encoder("builtin", device="cpu"),
    )
    encoder: Encoder = loading
    assert "not loaded" in repr(loading)
    for name in ("name", "fingerprint", "dim", "image_spec", "device", "precision"):
        assert getattr(loaded, name) == getattr(encoder, name), name
    loading.start()
    loading.start()
    pictures = np.random.default_rng(7).integers(0, 256, (3, 64, 64, 3), np.uint8)
    np.testing.assert_array_equal(loaded.encode_images(pictures), encoder.encode_images(pictures))
    np.testing.assert_array_equal(loaded.encode_texts(["a cat"]), encoder.encode_texts(["a cat"]))
    assert (loaded.batch_size, loaded.logit_scale) == (encoder.batch_size, encoder.logit_scale)
    assert repr(loading).endswith(", loaded)")


def test_what_is_wrong_with_the_files_is_told_at_once(tmp_path: Path) -> None:
    """An unknown model or absent weights are refused before anything loads."""
    with pytest.raises(ModelError, match="no model is named"):
        unloaded_encoder("nothing-like-it")
    with pytest.raises(ModelError, match="no such file"):
        unloaded_encoder("ViT-B-32", weights=tmp_path / "absent.safetensors")


def test_what_is_found_while_loading_is_told_to_all_who_wait(tmp_path: Path) -> None:
    """Weights that do not fit are one error, at every use and when waited for."""
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"not weights at all")
    encoder = unloaded_encoder("ViT-B-32", weights=weights, device="cpu")
    encoder.start()
    picture = np.zeros((1, 224, 224, 3), np.uint8)
    for use in (encoder.wait, lambda: encoder.encode_images(picture), lambda: encoder.logit_scale):
        with pytest.raises(ModelLoadError, match="not a whole"):
            use()


def test_with_kept_prompts_torch_waits_for_the_first_picture() -> None:
    """Naming a model, its fingerprint and a known pack's vectors import no torch."""
    pack_prompts(load_pack("demo"), load_encoder("builtin", device="cpu"))
    program = (
        "import sys, numpy as np\n"
        "from vscan.embeddings import precision\n"
        "from vscan.embeddings.loading import unloaded_encoder\n"
        "from vscan.embeddings.prompts import pack_prompts, unknown_words\n"
        "from vscan.policies import load_pack\n"
        "precision.gpu_possible = lambda: False\n"
        "encoder, pack = unloaded_encoder('builtin'), load_pack('demo')\n"
        "prompts = pack_prompts(pack, encoder)\n"
        "unknown_words(pack, encoder)\n"
        "said = (encoder.fingerprint, encoder.dim, encoder.image_spec, encoder.device)\n"
        "before = 'torch' in sys.modules\n"
        "encoder.encode_images(np.zeros((1, 64, 64, 3), np.uint8))\n"
        "print(len(prompts.policies) > 0, before, 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "True False True" == done.stdout.strip()
