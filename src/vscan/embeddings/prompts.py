"""A policy pack's prompts as vectors: template ensembles, kept on disk; words a model never saw."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vscan.embeddings.prompt_cache import PromptCache
from vscan.embeddings.registry import BUILTIN
from vscan.errors import ModelError
from vscan.policies import PolicyPack

Vectors = NDArray[np.float32]
"""(N, D) unit vectors."""
TEXTS_AT_ONCE = 64
NAMED_WORDS = 8
"""Unknown words that one note names before it says how many more there are."""


class TextEncoder(Protocol):
    """The part of an Encoder that prompts need."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def logit_scale(self) -> float: ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors: ...


@dataclass(frozen=True, eq=False)
class PolicyPrompts:
    """One policy's prompts and what they are contrasted with, as vectors."""

    policy_id: str
    prompts: tuple[str, ...]
    """P of them, at least one."""
    vectors: Vectors
    """(P, D) unit vectors of the prompts."""
    against: Vectors
    """(C, D) unit vectors of the contrast and neutral prompts, at least one."""

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.prompts) or not self.prompts:
            raise ValueError(f"{self.policy_id}: vectors must be (P={len(self.prompts)}, D), P > 0")
        if self.against.ndim != 2 or len(self.against) == 0:
            raise ValueError(f"{self.policy_id}: needs something to contrast its prompts with")
        if self.against.shape[1] != self.vectors.shape[1]:
            raise ValueError(f"{self.policy_id}: prompts and contrast differ in dimensions")

    def __repr__(self) -> str:
        return f"PolicyPrompts({self.policy_id}, {len(self.prompts)} vs {len(self.against)})"


@dataclass(frozen=True, eq=False)
class PackPrompts:
    """A pack's policies with prompts, as vectors of one model: all that scoring needs."""

    model: str
    """Fingerprint of the model that made the vectors."""
    logit_scale: float
    """The model's factor on a cosine before a softmax, above 0."""
    policies: tuple[PolicyPrompts, ...]

    def __post_init__(self) -> None:
        if not (np.isfinite(self.logit_scale) and self.logit_scale > 0):
            raise ValueError(f"logit_scale must be above 0, got {self.logit_scale}")
        if len({each.vectors.shape[1] for each in self.policies}) > 1:
            raise ValueError("the policies' vectors differ in dimensions")


def pack_prompts(
    pack: PolicyPack, encoder: TextEncoder, *, cache: PromptCache | None = None
) -> PackPrompts:
    """The pack's prompts as vectors; only those that the cache lacks are encoded, and then kept.

    Where it has them all, of the encoder nothing but the fingerprint is looked at, so that one
    that is still to be loaded need not be. Raises ModelError where the model cannot encode text.
    """
    cache = cache or PromptCache(encoder.fingerprint)
    kept = {prompt: cache.get(pack.templates, prompt) for prompt in _texts(pack)}
    missing = [prompt for prompt, found in kept.items() if found is None]
    vectors = {prompt: found[0] for prompt, found in kept.items() if found is not None}
    if kept and not missing:
        scale = next(found[1] for found in kept.values() if found is not None)
        return _assembled(pack, encoder.fingerprint, scale, vectors)
    made = ensemble(encoder, missing, pack.templates)
    for prompt, vector in zip(missing, made, strict=True):
        vectors[prompt] = vector
        cache.put(pack.templates, prompt, vector, encoder.logit_scale)
    return _assembled(pack, encoder.fingerprint, encoder.logit_scale, vectors)


def stored_prompts(
    pack: PolicyPack, fingerprint: str, *, cache: PromptCache | None = None
) -> PackPrompts:
    """The pack's prompts as vectors from the cache alone: needs neither the model nor torch.

    Raises ModelError where one is not there; encoding it once with the model puts it there.
    """
    cache = cache or PromptCache(fingerprint)
    vectors: dict[str, Vectors] = {}
    scale = 1.0
    for prompt in _texts(pack):
        found = cache.get(pack.templates, prompt)
        if found is None:
            name = fingerprint.partition("#")[0]
            raise ModelError(
                f"pack {pack.name}: the prompt {prompt!r} was never encoded with {name} on this"
                f" machine (nothing whole in {cache.folder})",
                remedy=f"scan once with this pack and --model {name}, where torch is installed",
            )
        vectors[prompt], scale = found
    return _assembled(pack, fingerprint, scale, vectors)


def ensemble(encoder: TextEncoder, prompts: Sequence[str], templates: Sequence[str]) -> Vectors:
    """(N, D) unit vectors: per prompt the mean direction of all templates with it filled in.

    Radford et al. 2021 (arXiv:2103.00020), section 3.1.4: the mean is over vectors, not scores.
    """
    texts = [template.replace("{}", prompt) for prompt in prompts for template in templates]
    if not texts:
        return np.empty((0, 0), np.float32)
    single = np.concatenate([encoder.encode_texts(part) for part in _in_parts(texts)])
    mean = single.reshape(len(prompts), len(templates), -1).astype(np.float64).mean(axis=1)
    units = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return np.ascontiguousarray(units, np.float32)


def _in_parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    from tqdm import tqdm

    with tqdm(
        total=len(texts), desc="encoding prompts", unit="text", disable=None, leave=False
    ) as progress:
        for at in range(0, len(texts), TEXTS_AT_ONCE):
            part = texts[at : at + TEXTS_AT_ONCE]
            yield part
            progress.update(len(part))


def _texts(pack: PolicyPack) -> list[str]:
    """Every prompt that scoring needs, once, in the pack's order."""
    scored = [policy for policy in pack.policies if policy.prompts]
    if not scored:
        return []
    texts = [text for policy in scored for text in (*policy.prompts, *policy.contrast)]
    return list(dict.fromkeys((*texts, *pack.neutral)))


def _assembled(
    pack: PolicyPack, fingerprint: str, logit_scale: float, vectors: dict[str, Vectors]
) -> PackPrompts:
    policies = []
    for policy in pack.policies:
        if policy.prompts:
            # A text both as contrast and neutral counts once.
            against = tuple(dict.fromkeys((*policy.contrast, *pack.neutral)))
            policies.append(
                PolicyPrompts(
                    policy.id,
                    policy.prompts,
                    np.stack([vectors[prompt] for prompt in policy.prompts]),
                    np.stack([vectors[prompt] for prompt in against])
                    if against
                    else np.empty((0, 0), np.float32),
                )
            )
    return PackPrompts(fingerprint, logit_scale, tuple(policies))


def unknown_words(pack: PolicyPack, encoder: TextEncoder) -> tuple[str, ...]:
    """Notes, one per policy, that name the words of its prompts which the model never saw.

    Only the built-in model's vocabulary is known; other models have seen the web, and get none.
    """
    if encoder.name != BUILTIN:
        return ()
    scored = [policy for policy in pack.policies if policy.prompts]
    places = [(f"policy {p.id}", (*p.prompts, *p.contrast)) for p in scored]
    places.append(
        (f"neutral prompts and templates of {pack.name}", (*pack.neutral, *pack.templates))
    )
    notes = []
    for place, texts in places:
        words = words_unknown_to_builtin(texts)
        if words:
            more = f" and {len(words) - NAMED_WORDS} more" if len(words) > NAMED_WORDS else ""
            notes.append(
                f"{place}: the built-in model never saw {', '.join(words[:NAMED_WORDS])}{more};"
                " prompts with these words mean nothing to it"
            )
    return tuple(notes)


def words_unknown_to_builtin(texts: Iterable[str]) -> tuple[str, ...]:
    """The words of `texts` that no training caption of the built-in model had, sorted."""
    from vscan.embeddings import builtin

    try:
        known = builtin.known_words()
    except OSError as error:
        raise ModelError(
            f"the built-in model's list of known words is missing: {error}",
            remedy="install vscan again; its wheel holds it",
        ) from error
    words = {word for text in texts for word in re.findall(r"[^\W_]+", text.lower())}
    return tuple(sorted(words - known))
