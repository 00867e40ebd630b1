"""The model that settings and a pack ask for, and what scores the pack's prompts with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vscan.embeddings.registry import DEFAULT_MODEL
from vscan.errors import ModelError, UsageError

if TYPE_CHECKING:
    from vscan.embeddings.encoder import Encoder
    from vscan.embeddings.loading import LoadingEncoder
    from vscan.embeddings.precision import Compute
    from vscan.matching.prompt_scores import PromptScorer
    from vscan.policies import PolicyPack
    from vscan.settings import ScanSettings


def load_model(settings: ScanSettings) -> Encoder:
    """The encoder that the settings name, loaded. Raises ModelError where it cannot be had."""
    return unloaded_model(settings).wait()


def unloaded_model(settings: ScanSettings, compute: Compute | None = None) -> LoadingEncoder:
    """The encoder that the settings name, to be loaded when it is needed or told to.

    compute: what the machine that will run it chose, where that is another one. Raises ModelError
    where its files are not those expected, or its device is not there.
    """
    from vscan.embeddings.loading import unloaded_encoder

    if settings.weights is not None and settings.model is None:
        raise UsageError(
            "--weights needs --model to say what they are weights of",
            remedy="for example: --model ViT-B-32 --weights FILE.safetensors",
        )
    return unloaded_encoder(
        settings.model or DEFAULT_MODEL,
        weights=None if settings.weights is None else Path(settings.weights),
        device=settings.device,
        precision=settings.precision,
        compute=compute,
    )


def model_for(
    pack: PolicyPack, settings: ScanSettings, compute: Compute | None = None
) -> LoadingEncoder:
    """The model, not loaded yet; where the default one is absent, the error names the pack's.

    compute: as of `unloaded_model`.
    """
    try:
        return unloaded_model(settings, compute)
    except ModelError as error:
        if settings.model is not None or pack.model is None or pack.model == DEFAULT_MODEL:
            raise
        hint = f"pack {pack.name} was set on {pack.model}: add --model {pack.model}; or"
        raise ModelError(error.message, remedy=f"{hint} {error.remedy}") from error


def prompt_scorer(pack: PolicyPack, encoder: Encoder) -> PromptScorer | None:
    """What scores the pack's prompts; None where it has none."""
    from vscan.embeddings.prompts import pack_prompts
    from vscan.matching.prompt_scores import PromptScorer

    if not any(policy.prompts for policy in pack.policies):
        return None
    return PromptScorer(pack_prompts(pack, encoder))
