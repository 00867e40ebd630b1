"""A model's network and tokenizer, built from its description; nothing is fetched."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vscan.embeddings.architectures import CONFIG_NAME, architecture_config, read_config
from vscan.embeddings.model_files import ModelFiles
from vscan.embeddings.open_clip_parts import open_clip_part
from vscan.errors import ModelError

if TYPE_CHECKING:
    import torch


def network_config(files: ModelFiles) -> dict[str, Any]:
    """open_clip's `model_cfg` of the model. Needs no torch."""
    if files.config_dir is None:
        return architecture_config(files.architecture)
    return read_config(files.config_dir / CONFIG_NAME)[0]


def embed_dim(files: ModelFiles) -> int:
    """D, numbers in a vector. Needs no torch."""
    return int(network_config(files)["embed_dim"])


def build_network(files: ModelFiles) -> torch.nn.Module:
    """The network, its weights still to be filled in by `load_state`.

    Raises ModelError where open_clip cannot build it.
    """
    config = network_config(files)
    try:
        return _plain(config) if _is_plain(config) else _of_other_packages(files)
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        source = files.config_dir / CONFIG_NAME if files.config_dir else "open_clip"
        raise ModelError(
            f"{files.architecture} cannot be built from {source}: {error}",
            remedy="choose another architecture (`vscan models list --architectures`); those with"
            " a Hugging Face text tower need the `transformers` package and the hub",
        ) from error


def _is_plain(config: dict[str, Any]) -> bool:
    """Whether both towers are open_clip's own code."""
    return (
        not config["vision_cfg"].get("timm_model_name")
        and not config["text_cfg"].get("hf_model_name")
        and "multimodal_cfg" not in config
    )


def _plain(config: dict[str, Any]) -> torch.nn.Module:
    """As open_clip.create_model builds it, without the packages that it has no use for."""
    part, parameters = open_clip_part("model"), copy.deepcopy(config)
    kind = part.CustomTextCLIP if parameters.pop("custom_text", False) else part.CLIP
    with _no_random_weights():
        network: torch.nn.Module = kind(**parameters)
    return network


def _of_other_packages(files: ModelFiles) -> torch.nn.Module:
    """A network with a tower of timm or transformers: open_clip whole."""
    import open_clip

    where = files.architecture if files.config_dir is None else f"local-dir:{files.config_dir}"
    with _without_random_weights_warning():
        network: torch.nn.Module = open_clip.create_model(
            where, load_weights=False, pretrained_text=False, device="cpu", precision="fp32"
        )
    return network


@contextmanager
def _no_random_weights() -> Iterator[None]:
    """Leaves memory as it is where random numbers would be drawn: `load_state` fills all of it.

    Drawing them takes longer than everything else that building a network does.
    """
    from torch.overrides import TorchFunctionMode

    class Undrawn(TorchFunctionMode):
        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            named = kwargs or {}
            if getattr(function, "__module__", "") == "torch.nn.init":
                return named["tensor"] if "tensor" in named else args[0]
            if getattr(function, "__name__", "") in ("normal_", "uniform_"):
                return args[0]
            return function(*args, **named)

    with Undrawn():
        yield


@contextmanager
def _without_random_weights_warning() -> Iterator[None]:
    """open_clip warns that the weights are random; ours are filled in by the next step."""

    def keep(record: logging.LogRecord) -> bool:
        return "No pretrained weights loaded" not in record.getMessage()

    root = logging.getLogger()
    root.addFilter(keep)
    try:
        yield
    finally:
        root.removeFilter(keep)


def build_tokenizer(files: ModelFiles) -> Any:
    """The model's tokenizer, from files only; raises ModelError where its parts are not there."""
    tokenizer = open_clip_part("tokenizer")
    text = network_config(files)["text_cfg"]
    context = int(text.get("context_length", tokenizer.DEFAULT_CONTEXT_LENGTH))
    options = dict(text.get("tokenizer_kwargs", {}))
    if not text.get("hf_tokenizer_name"):
        if files.vocabulary is not None:
            options["bpe_path"] = str(files.vocabulary)
        return tokenizer.SimpleTokenizer(context_length=context, **options)
    folder = files.weights.parent
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(
            f"{files.name}: its tokenizer (tokenizer.json) is not beside {files.weights}",
            remedy=f"run `vscan models pull {files.name}`, or copy tokenizer.json,"
            " tokenizer_config.json and special_tokens_map.json of the model there",
        )
    try:
        mode = text.get("tokenizer_mode")
        return tokenizer.HFTokenizer(
            str(folder), context_length=context, tokenizer_mode=mode, **options
        )
    except ImportError as error:
        raise ModelError(
            f"{files.name} needs the transformers package to read prompts",
            remedy="pip install transformers",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder}: the tokenizer cannot be read: {error}",
            remedy=f"run `vscan models pull {files.name}` again",
        ) from error
