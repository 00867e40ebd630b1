"""The registry of named models says of each what open_clip itself says."""

from __future__ import annotations

import pytest

from vscan.embeddings.architectures import architecture_config, read_config
from vscan.embeddings.preprocessing import Preprocessing
from vscan.embeddings.registry import BUILTIN, DEFAULT_MODEL, MODELS, NamedModel, named_model
from vscan.embeddings.weights import BUILTIN_DIR
from vscan.errors import ModelError

FROM_HUB = [model for model in MODELS.values() if model.repo]


@pytest.mark.parametrize("model", FROM_HUB, ids=lambda m: m.name)
def test_entries_agree_with_open_clip(model: NamedModel) -> None:
    """Tag, repository, dimensions, size and preprocessing are those of open_clip's own list."""
    from open_clip.pretrained import get_pretrained_cfg

    listed = get_pretrained_cfg(model.architecture, model.tag)
    config = architecture_config(model.architecture)
    assert f"{model.repo}/" == listed["hf_hub"]
    assert config["embed_dim"] == model.dim
    assert (
        Preprocessing.from_config(listed, config["vision_cfg"]["image_size"]) == model.preprocessing
    )
    has_own_tokenizer = "hf_tokenizer_name" in config["text_cfg"]
    assert has_own_tokenizer == bool(model.extra_files) == (model.needs == "transformers")
    assert bool(config.get("quick_gelu")) == bool(listed.get("quick_gelu"))


@pytest.mark.parametrize("model", FROM_HUB, ids=lambda m: m.name)
def test_sizes_are_counted_from_the_architecture(model: NamedModel) -> None:
    """The size is what the architecture's fp32 tensors take, without a byte of memory used."""
    import open_clip
    import torch

    with torch.device("meta"):
        network = open_clip.create_model(
            model.architecture, load_weights=False, pretrained_text=False, device="meta"
        )
    tensors = network.state_dict().values()
    assert sum(t.numel() * t.element_size() for t in tensors) == model.bytes


def test_the_builtin_entry_agrees_with_its_folder() -> None:
    """The built-in model's entry says what the configuration beside its weights says."""
    config, preprocess = read_config(BUILTIN_DIR / "open_clip_config.json")
    entry = MODELS[BUILTIN]
    assert config["embed_dim"] == entry.dim
    size = config["vision_cfg"]["image_size"]
    assert Preprocessing.from_config(preprocess, size) == entry.preprocessing
    assert "not photographs" in entry.purpose


def test_the_default_is_permissive_and_never_builtin() -> None:
    """Real work gets a permissively licensed model; the demo model must be asked for by name."""
    assert DEFAULT_MODEL != BUILTIN
    assert MODELS[DEFAULT_MODEL].permissive


def test_research_licences_are_marked() -> None:
    """No weights under a research licence are called permissive."""
    for model in MODELS.values():
        assert model.permissive == (model.licence in {"MIT", "Apache-2.0"})


def test_an_unknown_name_gets_the_nearest() -> None:
    """A misspelt name is an error that names the right one and where the list is."""
    with pytest.raises(ModelError, match="vit-b32-datacomp") as caught:
        named_model("vit-b32-datacomp")
    assert "ViT-B-32-datacomp" in caught.value.remedy
    assert "vscan models list" in caught.value.remedy
