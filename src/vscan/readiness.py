"""What a scan's settings leave out: refused where nothing is left, else told before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from vscan.embeddings.registry import BUILTIN
from vscan.errors import UsageError

if TYPE_CHECKING:
    from vscan.embeddings.encoder import Encoder
    from vscan.exemplars.index import ExemplarIndex
    from vscan.policies import PolicyPack

MAX_WORD_NOTES = 3
"""Policies whose unknown words are named; the rest are counted."""


def refuse_blindness(
    pack: PolicyPack, indexes: Sequence[ExemplarIndex], signals: Sequence[str]
) -> None:
    """Raises UsageError where a scan could find nothing: it would call everything clear."""
    scores_prompts = "embedding" in signals and any(policy.prompts for policy in pack.policies)
    matches = any(signal in index.signals for index in indexes for signal in signals)
    if not scores_prompts and not matches:
        measured = f" on the signals {', '.join(signals)}" if signals else ""
        raise UsageError(
            f"nothing to look for: pack {pack.name} scores no prompts{measured}, and no exemplar "
            "index can match",
            remedy="add --index DIR (see `vscan index create --help`), or measure `embedding`",
        )


def configuration_notes(
    pack: PolicyPack,
    indexes: Sequence[ExemplarIndex],
    signals: Sequence[str],
    models: Iterable[str] = (),
) -> tuple[str, ...]:
    """What of the pack cannot fire with these indexes and signals, and which of its certificates
    say nothing of these models (fingerprints)."""
    bound = {index.name for index in indexes}
    notes = [
        f"policy {policy.id} names the exemplar index {name!r}, which no --index gives: "
        + ("only its prompts are scored" if policy.prompts else "it cannot fire")
        for policy in pack.policies
        for name in policy.indexes
        if name not in bound
    ]
    if unscored_warnings(pack, signals):
        notes.append("prompts are not scored: the signal `embedding` is not measured")
    return (*notes, *_certificate_notes(pack, models))


def _certificate_notes(pack: PolicyPack, models: Iterable[str]) -> Iterator[str]:
    """Thresholds that were certified on another model: a score of one is not that of another."""
    from vscan.embeddings.model_files import same_model

    used = sorted(set(models))
    for policy in pack.policies:
        held = () if policy.calibration is None else policy.calibration.certificates()
        for action, certificate in held:
            for model in used:
                if not same_model(model, certificate.model):
                    yield (
                        f"policy {policy.id}: its threshold {action} was certified on "
                        f"{short_model(certificate.model)}, not on {short_model(model)}: "
                        "the certificate says nothing here"
                    )


def short_model(fingerprint: str) -> str:
    """A model's name with the first digits of its fingerprint, for people."""
    name, _, digest = fingerprint.partition("#sha256:")
    return f"{name}#{digest[:8]}" if digest else name


def unscored_warnings(pack: PolicyPack, signals: Sequence[str]) -> tuple[str, ...]:
    """The warning that every record carries where prompts of the pack are not scored."""
    has_prompts = any(policy.prompts for policy in pack.policies)
    return ("prompts_not_scored",) if has_prompts and "embedding" not in signals else ()


def model_notes(pack: PolicyPack, encoder: Encoder) -> tuple[str, ...]:
    """What to know of this model with this pack's prompts."""
    from vscan.embeddings.prompts import unknown_words

    notes = []
    if encoder.name == BUILTIN:
        notes.append(
            "the built-in model is for demonstrations and tests: it knows drawn pictograms, and "
            "its verdicts on photographs or real footage mean nothing"
        )
    if not any(policy.prompts for policy in pack.policies):
        return tuple(notes)
    if pack.model is not None and pack.model != encoder.name:
        notes.append(
            f"the thresholds of pack {pack.name} were set on the model {pack.model}; with "
            f"{encoder.name} they mean something else"
        )
    unknown = unknown_words(pack, encoder)
    notes += unknown[:MAX_WORD_NOTES]
    if len(unknown) > MAX_WORD_NOTES:
        notes.append(f"and {len(unknown) - MAX_WORD_NOTES} more policies with words it never saw")
    return tuple(notes)
