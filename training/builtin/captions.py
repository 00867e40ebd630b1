"""Captions of scenes, the words they use, and which caption is true of which picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from training.builtin.concepts import EMPTY_CAPTIONS, ONE_TERM, THREE_TERMS, TWO_TERMS
from training.builtin.glyphs import Concept

NOTHING = "\0nothing"  # the one term of every caption that says that no pictogram is there

Rng = np.random.Generator
T = TypeVar("T")
Caption = tuple[str, frozenset[str]]  # the text, and the terms that must all be in the picture


def _one(rng: Rng, items: Sequence[T]) -> T:
    return items[int(rng.integers(len(items)))]


def terms_of(concepts: Sequence[Concept], members: Sequence[int]) -> frozenset[str]:
    """Return every term that is true of a scene with these members."""
    if not members:
        return frozenset([NOTHING])
    return frozenset(term for m in members for term in concepts[m].core + concepts[m].wide)


def _term(rng: Rng, concept: Concept) -> str:
    draw = rng.random()
    if draw < 0.4:
        return concept.core[0]
    if concept.wide and draw < 0.6:
        return _one(rng, concept.wide)
    return _one(rng, concept.core)


def caption(rng: Rng, concepts: Sequence[Concept], members: Sequence[int]) -> Caption:
    """Draw a caption of a scene: of all its members, or of one."""
    if not members:
        return _one(rng, EMPTY_CAPTIONS), frozenset([NOTHING])
    if len(members) > 1 and rng.random() < 0.35:
        members = [_one(rng, members)]
    order = rng.permutation(len(members))
    terms = [_term(rng, concepts[members[int(k)]]) for k in order]
    template = _one(rng, (ONE_TERM, TWO_TERMS, THREE_TERMS)[len(terms) - 1])
    return template.format(*terms), frozenset(terms)


def prompt(rng: Rng, concepts: Sequence[Concept], present: Sequence[int]) -> Caption:
    """Draw a one-term prompt, of a member that some scene of the batch has or of any concept."""
    draw = rng.random()
    if draw < 0.05:
        return _one(rng, EMPTY_CAPTIONS), frozenset([NOTHING])
    if draw < 0.4 and present:
        concept = concepts[_one(rng, present)]
    else:
        concept = concepts[int(rng.integers(len(concepts)))]
    term = _term(rng, concept)
    return _one(rng, ONE_TERM).format(term), frozenset([term])


def known_words(concepts: Sequence[Concept]) -> list[str]:
    """Return, sorted, every word that some caption can contain."""
    texts = [*EMPTY_CAPTIONS, *ONE_TERM, *TWO_TERMS, *THREE_TERMS]
    texts += [term for concept in concepts for term in concept.core + concept.wide]
    return sorted({word for text in texts for word in re.findall(r"[a-z0-9]+", text.lower())})
