"""The shipped built-in model: its files agree, and a small sample shows that it does its part."""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
from PIL import Image
from training.builtin.figures import likeness
from training.builtin.scoring import Scorer
from training.builtin.sheet import concepts_of_sheet
from training.builtin.trials import Trials

from vscan.embeddings import builtin
from vscan.embeddings.prompts import words_unknown_to_builtin
from vscan.policies import load_pack

SEED = 77  # neither training's nor any of evaluation's
PACK = load_pack("demo")


@cache
def scorer() -> Scorer:
    """The shipped weights with the demo pack."""
    return Scorer(builtin.folder(), PACK)


@cache
def trials() -> Trials:
    """Frames of the shipped sheet's pictograms."""
    return Trials(concepts_of_sheet(), SEED)


def test_the_files_are_those_of_the_checksums() -> None:
    """Weights, configuration and vocabulary are the ones that were evaluated together."""
    lines = (builtin.folder() / "SHA256SUMS").read_text("utf-8").splitlines()
    stated = {name: digest for digest, name in (line.split() for line in lines)}
    found = {n: hashlib.sha256((builtin.folder() / n).read_bytes()).hexdigest() for n in stated}
    assert len(stated) == 3
    assert found == stated


def test_the_weights_are_small_enough_for_the_wheel() -> None:
    """At most 13 MB."""
    assert (builtin.folder() / "open_clip_model.safetensors").stat().st_size <= 13_000_000


def test_the_card_is_of_these_weights_and_says_what_they_are_not() -> None:
    """The card names the weights' SHA-256 and says: pictograms, not photographs, no real CLIP."""
    card = (builtin.folder() / "MODEL_CARD.md").read_text("utf-8")
    weights = (builtin.folder() / "open_clip_model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() in card
    assert "drawn pictograms, not photographs" in card
    assert "Real CLIP weights were not run" in card


def test_every_sprite_lies_on_the_sheet_and_shows_something() -> None:
    """The demo cuts its pictograms out of one picture."""
    with Image.open(builtin.folder() / "sprites.png") as image:
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    shares = [
        float((alpha[s.y : s.y + s.h, s.x : s.x + s.w] > 128).mean()) for s in builtin.sprites()
    ]
    assert len(shares) >= 70
    assert min(shares) > 0.1


def test_every_policy_of_the_demo_pack_has_sprites() -> None:
    """And no sprite belongs to a policy that the pack lacks."""
    assert {s.policy for s in builtin.sprites()} - {None} == set(PACK.ids)


def test_the_model_knows_every_word_of_the_demo_pack() -> None:
    """A word that no training caption held would score at random."""
    texts = [*PACK.neutral, *PACK.templates]
    texts += [text for policy in PACK.policies for text in (*policy.prompts, *policy.contrast)]
    assert words_unknown_to_builtin(texts) == ()


def test_large_pictograms_are_named() -> None:
    """Of the sheet's concepts, objects above half the frame: top-1 of 0.85 on a small sample."""
    world = trials()
    names = scorer().prompts([concept.name for concept in world.concepts])
    right = [
        (scorer().embed(world.single(n, 2, (0.5, 0.7))) @ names.T).argmax(1) == n
        for n in range(len(world.concepts))
    ]
    assert np.mean(right) >= 0.85


def test_policies_fire_on_their_large_pictograms_and_not_on_empty_frames() -> None:
    """At review: recall of 0.6 for every policy, and at most 2 of 100 empty frames."""
    world = trials()
    empty = scorer().embed(world.empty(150))
    for policy in PACK.policies:
        own = [n for n, c in enumerate(world.concepts) if c.policy == policy.id]
        frames = [f for n in own for f in world.single(n, max(2, 16 // len(own)), (0.4, 0.7))]
        limit = policy.thresholds.review
        assert limit is not None
        scores = scorer().policy(scorer().embed(frames), policy)
        assert (policy.id, bool((scores >= limit).mean() >= 0.6)) == (policy.id, True)
        blank = scorer().policy(empty, policy)
        assert (policy.id, bool((blank >= limit).mean() <= 0.02)) == (policy.id, True)


def test_copies_stay_close_and_other_scenes_do_not() -> None:
    """Cosines that the demo's re-encoded, mirrored and cropped copies rest on."""
    frames = trials().scenes(60, family=4, empty=0.15)[1]
    found = likeness(scorer(), frames)
    assert found["jpeg20"]["p5"] >= 0.95
    assert found["mirrored"]["mean"] >= 0.88
    assert found["cropped_80"]["mean"] >= 0.83
    assert found["other_scenes"]["p95"] <= 0.62
