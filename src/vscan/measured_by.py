"""How stored sources were measured, and what those measured in one way are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vscan.errors import ModelError
from vscan.provenance import followed, provenance_of
from vscan.readiness import unscored_warnings
from vscan.recipe import FOLLOWED
from vscan.scanning.models_used import load_model
from vscan.settings import ScanSettings

if TYPE_CHECKING:
    from vscan.embeddings.prompts import PackPrompts
    from vscan.exemplars.index import ExemplarIndex
    from vscan.policies import PolicyPack
    from vscan.rules import Rules
    from vscan.store.source_records import StoredSource


@dataclass(frozen=True)
class MeasuredBy:
    """What a verdict says of how its source was measured."""

    sampling: str = ""
    model: str | None = None
    precision: str | None = None

    @classmethod
    def of(cls, record: StoredSource) -> MeasuredBy:
        """As the record says, also of a source that could not be read."""
        sampling = next((made_by["sampling"] for made_by in record.specs.values()), "")
        embedding = record.specs.get("embedding", {})
        return cls(sampling, embedding.get("model"), embedding.get("precision"))


def rules_for(
    pack: PolicyPack,
    indexes: Sequence[ExemplarIndex],
    signals: tuple[str, ...],
    way: MeasuredBy,
    settings: ScanSettings,
    now: str,
    *,
    scored: bool = True,
) -> Rules:
    """What sources that were measured in that way are held against.

    scored: False where none of them could be read: then neither prompts nor a model are needed.

    Raises ModelError where prompts would have to be encoded and cannot be, ExemplarIndexError where
    an index is of another model than the stored embeddings.
    """
    from vscan.matching.prompt_scores import PromptScorer
    from vscan.rules import Rules

    follows = FOLLOWED in way.sampling
    own = way.sampling.endswith(FOLLOWED + followed(pack, indexes, signals, now))
    judged = way.model is not None and "embedding" in signals
    scorer = None
    if judged and scored and way.model is not None:
        for index in indexes:
            index.require_model(way.model)
        if any(policy.prompts for policy in pack.policies):
            scorer = PromptScorer(_prompts(pack, way.model, settings))
    return Rules(
        pack=pack,
        scorer=scorer,
        indexes=indexes,
        provenance=provenance_of(
            pack,
            way.sampling,
            signals,
            indexes,
            now=now,
            model=way.model if judged else None,
            precision=way.precision if judged else None,
        ),
        warnings=(
            *unscored_warnings(pack, signals),
            *(("sampled_for_other_pack",) if follows and not own else ()),
        ),
        signals=signals,
    )


def _prompts(pack: PolicyPack, fingerprint: str, settings: ScanSettings) -> PackPrompts:
    """The pack's prompts for that model: kept ones, else encoded by the model itself."""
    from vscan.embeddings.model_files import same_model
    from vscan.embeddings.prompts import pack_prompts, stored_prompts

    try:
        return stored_prompts(pack, fingerprint)
    except ModelError:
        name = fingerprint.partition("#")[0]
        encoder = load_model(replace(settings, model=settings.model or name))
        if not same_model(encoder.fingerprint, fingerprint):
            raise ModelError(
                f"the stored embeddings were made by {fingerprint}, not by {encoder.fingerprint}",
                remedy=f"give that model: --model {name}, with --weights where it was a file",
            ) from None
        return replace(pack_prompts(pack, encoder), model=fingerprint)
