"""The models that have a name here, with what each one is, needs and may be used for.

Architectures, tags, repositories and preprocessing are open_clip's own (a test compares them).
Sizes are counted from the architectures: fp32 parameters and buffers, without the file's header.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from vscan.embeddings.preprocessing import Preprocessing
from vscan.errors import ModelError

BUILTIN = "builtin"
DEFAULT_MODEL = "ViT-B-32-datacomp"
SAFETENSORS_NAME = "open_clip_model.safetensors"
"""The file that open_clip itself looks for first in a repository of the hub."""
_HF_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


@dataclass(frozen=True)
class NamedModel:
    """One model of the registry."""

    name: str
    architecture: str
    """Name of the architecture in open_clip; for `builtin` its config lies beside its weights."""
    tag: str
    """open_clip's name of these weights; empty for `builtin`."""
    repo: str
    """Repository on the Hugging Face hub; empty for `builtin`."""
    licence: str
    """SPDX identifier of the weights' licence, or its own name where it has none."""
    permissive: bool
    """Whether that licence allows commercial use and changes without further conditions."""
    bytes: int
    """Size of the weights, about: what the architecture's fp32 tensors take."""
    dim: int
    preprocessing: Preprocessing
    purpose: str
    """One line for a person who has to choose."""
    file: str = SAFETENSORS_NAME
    extra_files: tuple[str, ...] = field(default=())
    """Further files of the repository that the model needs (its tokenizer)."""
    needs: str = ""
    """A package beyond vscan's own that the model needs for prompts."""
    sha256: str | None = None
    """Of the weights, where it is known; None: what the hub names at the first pull is held to."""

    def __str__(self) -> str:
        return f"{self.name} ({self.architecture}, {self.dim} dimensions, {self.licence})"


def _clip(side: int) -> Preprocessing:
    return Preprocessing(side, side)


def _siglip(side: int) -> Preprocessing:
    return Preprocessing(side, side, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), resize_mode="squash")


def _mobileclip(side: int) -> Preprocessing:
    return Preprocessing(side, side, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), interpolation="bilinear")


def _siglip2(name: str, side: int, size: int, dim: int, purpose: str) -> NamedModel:
    return NamedModel(
        name=name,
        architecture=name,
        tag="webli",
        repo=f"timm/{name}",
        licence="Apache-2.0",
        permissive=True,
        bytes=size,
        dim=dim,
        preprocessing=_siglip(side),
        purpose=purpose,
        extra_files=_HF_TOKENIZER,
        needs="transformers",
    )


_MODELS = (
    NamedModel(
        name=BUILTIN,
        architecture=BUILTIN,
        tag="",
        repo="",
        licence="Apache-2.0",
        permissive=True,
        bytes=12_042_482,
        dim=256,
        preprocessing=Preprocessing(64, 64, resize_mode="squash"),
        purpose="demo and test model: knows drawn pictograms, not photographs; only when asked for",
    ),
    NamedModel(
        name=DEFAULT_MODEL,
        architecture="ViT-B-32",
        tag="datacomp_xl_s13b_b90k",
        repo="laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
        licence="MIT",
        permissive=True,
        bytes=605_109_252,
        dim=512,
        preprocessing=_clip(224),
        purpose="the default: fast on a CPU, permissive, strong for its size",
    ),
    NamedModel(
        name="ViT-B-32-256-datacomp",
        architecture="ViT-B-32-256",
        tag="datacomp_s34b_b86k",
        repo="laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K",
        licence="MIT",
        permissive=True,
        bytes=605_155_332,
        dim=512,
        preprocessing=_clip(256),
        purpose="as the default, at 256 pixels and trained longer: a little slower and better",
    ),
    NamedModel(
        name="ViT-B-16-datacomp",
        architecture="ViT-B-16",
        tag="datacomp_xl_s13b_b90k",
        repo="laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
        licence="MIT",
        permissive=True,
        bytes=598_482_948,
        dim=512,
        preprocessing=_clip(224),
        purpose="smaller patches: sees smaller objects, about four times the work of the default",
    ),
    NamedModel(
        name="ViT-L-14-datacomp",
        architecture="ViT-L-14",
        tag="datacomp_xl_s13b_b90k",
        repo="laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
        licence="MIT",
        permissive=True,
        bytes=1_710_466_052,
        dim=768,
        preprocessing=_clip(224),
        purpose="for a GPU: the most exact of the permissive CLIPs here",
    ),
    NamedModel(
        name="ViT-B-32-openai",
        architecture="ViT-B-32-quickgelu",
        tag="openai",
        repo="timm/vit_base_patch32_clip_224.openai",
        licence="Apache-2.0",
        permissive=True,
        bytes=605_109_252,
        dim=512,
        preprocessing=_clip(224),
        purpose="the original CLIP: to compare with published figures and older exemplar sets",
    ),
    NamedModel(
        name="ViT-L-14-openai",
        architecture="ViT-L-14-quickgelu",
        tag="openai",
        repo="timm/vit_large_patch14_clip_224.openai",
        licence="Apache-2.0",
        permissive=True,
        bytes=1_710_466_052,
        dim=768,
        preprocessing=_clip(224),
        purpose="the original large CLIP: many published safety classifiers start from its vectors",
    ),
    _siglip2(
        "ViT-B-32-SigLIP2-256",
        256,
        1_507_424_264,
        768,
        "many languages: prompts need not be English; about the default's speed on pictures",
    ),
    _siglip2(
        "ViT-B-16-SigLIP2-256",
        256,
        1_500_936_200,
        768,
        "many languages, smaller patches: sees smaller objects and text on screen",
    ),
    _siglip2(
        "ViT-SO400M-14-SigLIP2",
        224,
        4_541_854_408,
        1152,
        "many languages, for a GPU: the largest here",
    ),
    NamedModel(
        name="MobileCLIP2-S0",
        architecture="MobileCLIP2-S0",
        tag="dfndr2b",
        repo="timm/MobileCLIP2-S0-OpenCLIP",
        licence="apple-amlr",
        permissive=False,
        bytes=299_543_956,
        dim=512,
        preprocessing=_mobileclip(256),
        purpose="small and fast; its licence allows research only",
    ),
    NamedModel(
        name="MobileCLIP2-S2",
        architecture="MobileCLIP2-S2",
        tag="dfndr2b",
        repo="timm/MobileCLIP2-S2-OpenCLIP",
        licence="apple-amlr",
        permissive=False,
        bytes=397_473_060,
        dim=512,
        preprocessing=_mobileclip(256),
        purpose="between S0 and the default in size; its licence allows research only",
    ),
)

MODELS: dict[str, NamedModel] = {model.name: model for model in _MODELS}
"""Every named model by its name, in the order in which `vscan models list` shows them."""


def named_model(name: str) -> NamedModel:
    """The model of that name. Raises ModelError with the nearest known names."""
    if name in MODELS:
        return MODELS[name]
    lower = {known.lower(): known for known in MODELS}
    near = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(lower[match] for match in near)}? " if near else ""
    raise ModelError(
        f"no model is named {name!r}",
        remedy=f"{meant}`vscan models list` shows the names; weights of your own load with"
        " --model ARCHITECTURE --weights FILE.safetensors",
    )
