"""Encoders on open_clip: unit vectors that depend on the picture alone, from checked files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.embeddings.tiny_model import CONFIG, write_tiny_model
from vscan.embeddings.encoder import Encoder
from vscan.embeddings.openclip import OpenClipEncoder, load_encoder
from vscan.errors import ModelError
from vscan.media import ImageSpec


@pytest.fixture(scope="module")
def builtin() -> OpenClipEncoder:
    """The built-in model on the CPU in fp32."""
    return load_encoder("builtin", device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of a tiny network, its configuration beside them."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    """150 random pictures of 64 x 64: more than two batches."""
    return np.random.default_rng(7).integers(0, 256, (150, 64, 64, 3), dtype=np.uint8)


def test_an_open_clip_encoder_is_an_encoder(builtin: OpenClipEncoder) -> None:
    """It has everything that the rest of vscan asks of a model, and says what it is."""
    encoder: Encoder = builtin
    assert ("builtin", "cpu", "fp32") == (encoder.name, encoder.device, encoder.precision)
    assert encoder.fingerprint.startswith("builtin#sha256:")
    assert len("builtin#sha256:") + 64 == len(encoder.fingerprint)
    assert ImageSpec(64, 64, "squash") == encoder.image_spec
    assert encoder.logit_scale > 1
    assert "256 dimensions" in repr(encoder)


def test_vectors_are_unit_vectors(builtin: OpenClipEncoder, pictures: NDArray[np.uint8]) -> None:
    """Pictures and texts become float32 vectors of length 1 and the same dimension."""
    images, texts = builtin.encode_images(pictures[:3]), builtin.encode_texts(["a gun", "a cat"])
    assert ((3, builtin.dim), (2, builtin.dim)) == (images.shape, texts.shape)
    assert np.float32 == images.dtype == texts.dtype
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-6)


def test_a_picture_has_one_vector_whatever_its_company(
    builtin: OpenClipEncoder, pictures: NDArray[np.uint8]
) -> None:
    """Alone, in full batches, and at every other place: the same bits."""
    together = builtin.encode_images(pictures)
    np.testing.assert_array_equal(together[::-1], builtin.encode_images(pictures[::-1]))
    for at in (0, 1, 63, 64, 149):
        np.testing.assert_array_equal(together[at], builtin.encode_images(pictures[at : at + 1])[0])


def test_a_text_has_one_vector_whatever_its_company(builtin: OpenClipEncoder) -> None:
    """Alone, in a full batch and at another place: the same bits."""
    texts = [
        f"a picture of {word}"
        for word in ("gun", "cat", "dog", "sun", "tree", "car", "cup", "fire")
    ] * 3
    together = builtin.encode_texts(texts)
    np.testing.assert_array_equal(together[:8], together[16:])
    for at in (0, 5, 23):
        np.testing.assert_array_equal(together[at], builtin.encode_texts([texts[at]])[0])


def test_threads_get_their_own_vectors(
    builtin: OpenClipEncoder, pictures: NDArray[np.uint8]
) -> None:
    """Calls from several threads at once give what calls one after another give."""
    parts = [pictures[at : at + 10] for at in range(0, 60, 10)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(builtin.encode_images, parts))
    np.testing.assert_array_equal(builtin.encode_images(pictures[:60]), np.concatenate(found))


def test_nothing_gives_nothing(builtin: OpenClipEncoder) -> None:
    """No picture and no text give (0, D)."""
    assert (0, builtin.dim) == builtin.encode_images(np.empty((0, 64, 64, 3), np.uint8)).shape
    assert (0, builtin.dim) == builtin.encode_texts([]).shape


@pytest.mark.parametrize(
    "images",
    [np.zeros((1, 32, 64, 3), np.uint8), np.zeros((1, 64, 64, 3), np.float32)],
    ids=["another size", "another type"],
)
def test_other_pictures_are_refused(builtin: OpenClipEncoder, images: NDArray[np.uint8]) -> None:
    """A picture of another size or type is a mistake of the caller, not resized in silence."""
    with pytest.raises(ValueError, match="takes uint8"):
        builtin.encode_images(images)


def test_vectors_are_those_of_open_clips_own_preprocessing(
    builtin: OpenClipEncoder, pictures: NDArray[np.uint8]
) -> None:
    """Resized pictures give what open_clip's own transform and model give for them."""
    import open_clip
    import torch
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from PIL import Image

    from vscan.embeddings.weights import BUILTIN_DIR

    model = open_clip.create_model(f"local-dir:{BUILTIN_DIR}").eval()
    transform = image_transform_v2(PreprocessCfg(**model.visual.preprocess_cfg), is_train=False)
    with torch.inference_mode():
        inputs = torch.stack([transform(Image.fromarray(image)) for image in pictures[:4]])
        expected = model.encode_image(inputs, normalize=True).numpy()
    np.testing.assert_allclose(builtin.encode_images(pictures[:4]), expected, atol=1e-5)


def test_bf16_is_near_fp32(builtin: OpenClipEncoder, pictures: NDArray[np.uint8]) -> None:
    """bf16 runs on any CPU when asked for, and turns a vector by little; texts stay the same."""
    half = load_encoder("builtin", device="cpu", precision="bf16")
    assert "bf16" == half.precision
    assert builtin.fingerprint == half.fingerprint
    cosines = (builtin.encode_images(pictures[:8]) * half.encode_images(pictures[:8])).sum(axis=1)
    assert cosines.min() > 0.995
    np.testing.assert_array_equal(builtin.encode_texts(["a gun"]), half.encode_texts(["a gun"]))


def test_a_folder_that_describes_itself_loads_by_path(tiny_weights: Path) -> None:
    """Weights with open_clip_config.json beside them load under any name."""
    encoder = load_encoder("mine", weights=tiny_weights, device="cpu")
    assert ("mine", 24) == (encoder.name, encoder.dim)
    assert ImageSpec(32, 32, "squash") == encoder.image_spec
    vectors = encoder.encode_images(np.zeros((2, 32, 32, 3), np.uint8))
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_an_architecture_loads_from_a_file(tmp_path: Path) -> None:
    """Random weights of one of open_clip's architectures load by path, and give its vectors."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(1)
    module = open_clip.create_model("ViT-S-16-alt", load_weights=False).eval()
    path = tmp_path / "random.safetensors"
    save_file({name: value.contiguous() for name, value in module.state_dict().items()}, path)
    encoder = load_encoder("ViT-S-16-alt", weights=path, device="cpu", precision="fp32")
    assert ("ViT-S-16-alt", ImageSpec(224, 224)) == (encoder.name, encoder.image_spec)
    with torch.inference_mode():
        tokens = open_clip.get_tokenizer("ViT-S-16-alt")(["a cat"])
        expected = module.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(encoder.encode_texts(["a cat"]), expected, atol=1e-5)


def test_a_prompt_longer_than_the_context_is_cut(tiny_weights: Path) -> None:
    """A text past the model's context gives a vector all the same."""
    encoder = load_encoder("mine", weights=tiny_weights, device="cpu")
    assert (1, 24) == encoder.encode_texts(["word " * 500]).shape


def test_a_network_that_cannot_be_built_says_so(tmp_path: Path) -> None:
    """A configuration that open_clip cannot build is one clear error."""
    import json

    path = write_tiny_model(tmp_path)
    broken = json.loads(json.dumps(CONFIG))
    broken["model_cfg"]["vision_cfg"]["patch_size"] = "many"
    (tmp_path / "open_clip_config.json").write_text(json.dumps(broken), "utf-8")
    with pytest.raises(ModelError, match="cannot be built"):
        load_encoder("mine", weights=path, device="cpu")


def test_a_tokenizer_that_is_not_there_is_asked_for_only_by_prompts(tmp_path: Path) -> None:
    """A model with a tokenizer of its own encodes pictures without it; prompts need it."""
    import json

    path = write_tiny_model(tmp_path)
    config = json.loads(json.dumps(CONFIG))
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "someone/tokenizer"
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    encoder = load_encoder("mine", weights=path, device="cpu")
    assert (1, 24) == encoder.encode_images(np.zeros((1, 32, 32, 3), np.uint8)).shape
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        encoder.encode_texts(["a cat"])
