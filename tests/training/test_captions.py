"""Captions: true of what they were drawn for, and made of known words only."""

from __future__ import annotations

import re

import numpy as np
from training.builtin.captions import NOTHING, caption, known_words, prompt, terms_of
from training.builtin.sheet import concepts_of_sheet

CONCEPTS = concepts_of_sheet()


def test_a_caption_is_true_of_its_scene() -> None:
    """Whatever a caption says stands in the picture it was drawn for."""
    rng = np.random.default_rng(1)
    for members in ([], [3], [3, 40], [0, 20, 50]) * 20:
        _, terms = caption(rng, CONCEPTS, members)
        assert terms <= terms_of(CONCEPTS, members)


def test_an_empty_scene_has_no_other_truth() -> None:
    """No pictogram's name is true of an empty scene."""
    assert terms_of(CONCEPTS, []) == {NOTHING}


def test_captions_hold_known_words_only() -> None:
    """The list of known words covers every caption, or the warning about words would be wrong."""
    rng = np.random.default_rng(2)
    words = set(known_words(CONCEPTS))
    texts = [caption(rng, CONCEPTS, [n % len(CONCEPTS)])[0] for n in range(300)]
    texts += [prompt(rng, CONCEPTS, [1, 2])[0] for _ in range(300)]
    used = {word for text in texts for word in re.findall(r"[a-z0-9]+", text.lower())}
    assert used - words == set()
