"""Prompt scores: a share of the softmax, stable, one per frame whatever its company."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from vscan.embeddings.prompts import PackPrompts, PolicyPrompts
from vscan.errors import ModelError
from vscan.matching.prompt_scores import PromptScorer, softmax_share
from vscan.tracks import Track

MODEL = "m#sha256:aa"


def _units(count: int, dim: int = 8, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, dim))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _track(vectors: NDArray[np.float32], model: str = MODEL) -> Track:
    times_s = np.arange(len(vectors), dtype=np.float64)
    return Track("embedding", times_s, vectors.astype(np.float16), spec={"model": model})


def _scorer(scale: float = 100.0) -> PromptScorer:
    guns = PolicyPrompts("guns", ("a gun", "a rifle"), _units(2, seed=1), _units(3, seed=2))
    fire = PolicyPrompts("fire", ("a fire",), _units(1, seed=3), _units(4, seed=4))
    return PromptScorer(PackPrompts(MODEL, scale, (guns, fire)))


def test_a_score_is_the_softmax_mass_of_the_prompts() -> None:
    """Worked by hand: cosines 1 and 0 against 0 and 0 at a scale of ln 2 give 3 of 5."""
    own, other = np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]])
    np.testing.assert_allclose(softmax_share(own, other, float(np.log(2))), [0.6])


def test_the_frame_like_a_prompt_scores_high_and_names_it() -> None:
    """A frame equal to a prompt scores near 1 with that prompt nearest; one of the contrast, 0."""
    axes = np.eye(4, dtype=np.float32)
    policy = PolicyPrompts("p", ("a", "b"), axes[:2], axes[2:3])
    scorer = PromptScorer(PackPrompts(MODEL, 100.0, (policy,)))
    (found,) = scorer.score(_track(axes[[1, 2]]))
    np.testing.assert_allclose(found.scores, [1.0, 0.0], atol=1e-12)
    assert "b" == found.prompts[int(found.similarities[0].argmax())]
    np.testing.assert_allclose(found.similarities, [[0, 1], [0, 0]])


def test_policies_stand_in_the_packs_order() -> None:
    """One result per policy with its own prompts and times, in order."""
    track = _track(_units(5))
    found = _scorer().score(track)
    assert ["guns", "fire"] == [each.policy_id for each in found]
    assert [(5, 2), (5, 1)] == [each.similarities.shape for each in found]
    assert all(each.times_s is track.times_s for each in found)


@settings(max_examples=200, deadline=None)
@given(
    logits=hnp.arrays(np.float64, (3, 6), elements=st.floats(-1, 1)),
    split=st.integers(1, 5),
    scale=st.floats(0.01, 1e6),
)
def test_scores_stay_within_bounds(logits: NDArray[np.float64], split: int, scale: float) -> None:
    """Any cosines at any scale give finite scores 0..1, and the two sides' shares add up to 1."""
    own, other = logits[:, :split], logits[:, split:]
    share = softmax_share(own, other, scale)
    assert np.isfinite(share).all()
    assert ((share >= 0) & (share <= 1)).all()
    np.testing.assert_allclose(share + softmax_share(other, own, scale), 1, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    own=hnp.arrays(np.float64, (1, 3), elements=st.floats(-1, 1)),
    other=hnp.arrays(np.float64, (1, 3), elements=st.floats(-1, 1)),
    more=st.floats(0, 0.5),
)
def test_more_like_the_prompts_never_scores_less(
    own: NDArray[np.float64], other: NDArray[np.float64], more: float
) -> None:
    """Raising the prompts' cosines never lowers the score; the contrast's never lifts it."""
    base = softmax_share(own, other, 50.0)
    assert (softmax_share(own + more, other, 50.0) >= base - 1e-12).all()
    assert (softmax_share(own, other + more, 50.0) <= base + 1e-12).all()


@settings(max_examples=50, deadline=None)
@given(scale=st.floats(0.1, 1000), seed=st.integers(0, 1000))
def test_policies_scored_together_score_as_each_alone(scale: float, seed: int) -> None:
    """Policies that share what they are contrasted with score as the formula says of each, below
    the scale at which all are scored in one go and above it."""
    neutral, texts = _units(5, seed=seed), _units(7, seed=seed + 1)
    policies = (
        PolicyPrompts("p", ("a", "b"), texts[:2], np.concatenate([texts[2:4], neutral])),
        PolicyPrompts("q", ("c",), texts[4:5], neutral),
        PolicyPrompts("r", ("a", "d"), texts[[0, 5]], np.concatenate([neutral[:2], neutral[:1]])),
    )
    track = _track(_units(9, seed=seed + 2))
    exact = track.values.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    found = PromptScorer(PackPrompts(MODEL, scale, policies)).score(track)
    for each, policy in zip(found, policies, strict=True):
        own, other = exact @ policy.vectors.T, exact @ policy.against.T
        np.testing.assert_allclose(each.similarities, own, atol=1e-6)
        expected = softmax_share(own, other, scale)
        np.testing.assert_allclose(each.scores, expected, atol=2e-6 * scale + 1e-12)


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 140), at=st.integers(0, 139))
def test_a_frame_has_one_score_whatever_its_company(count: int, at: int) -> None:
    """Alone or in a track of any length, a frame's score and similarities are the same bits."""
    vectors, at = _units(count, dim=32, seed=5), at % count
    policy = PolicyPrompts("p", ("a", "b", "c"), _units(3, 32, 6), _units(9, 32, 7))
    scorer = PromptScorer(PackPrompts(MODEL, 60.0, (policy,)))
    (together,) = scorer.score(_track(vectors))
    (alone,) = scorer.score(_track(vectors[at : at + 1]))
    assert together.scores[at] == alone.scores[0]
    np.testing.assert_array_equal(together.similarities[at], alone.similarities[0])


def test_an_empty_track_has_no_scores() -> None:
    """No samples: one empty result per policy."""
    found = _scorer().score(_track(np.empty((0, 8), np.float32)))
    assert [0, 0] == [len(each.scores) for each in found]


def test_a_pack_without_prompts_scores_nothing() -> None:
    """No policy with prompts: no results."""
    assert () == PromptScorer(PackPrompts(MODEL, 10.0, ())).score(_track(_units(3)))


@pytest.mark.parametrize(
    ("track", "cause"),
    [
        (_track(_units(2), model="other#sha256:bb"), "were made by other"),
        (_track(_units(2, dim=16)), "16 dimensions"),
        (_track(_units(2) * 2), "not unit vectors"),
        (_track(_units(2) * np.float32("nan")), "not unit vectors"),
    ],
    ids=["another model", "another dimension", "not unit length", "not a number"],
)
def test_foreign_vectors_are_refused(track: Track, cause: str) -> None:
    """Vectors of another model, or damaged ones, are never scored."""
    with pytest.raises(ModelError, match=cause):
        _scorer().score(track)


def test_the_same_model_under_another_name_is_scored() -> None:
    """Only what follows `#` decides whether vectors belong together."""
    renamed = _track(_units(2), model="renamed#sha256:aa")
    assert 2 == len(_scorer().score(renamed))


def test_a_policy_needs_something_to_contrast_with() -> None:
    """Prompts against nothing would always score 1: refused."""
    with pytest.raises(ValueError, match="contrast"):
        PolicyPrompts("p", ("a",), _units(1), np.empty((0, 8), np.float32))


def test_scoring_needs_no_torch() -> None:
    """Scoring loads neither torch nor open_clip."""
    program = (
        "import sys, vscan.matching.prompt_scores, vscan.embeddings.prompts\n"
        "print([name for name in ('torch', 'open_clip') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "[]" == done.stdout.strip()
