"""Certificates in a pack: they judge nothing, lint notices when they are void, text is kept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from vscan.errors import PackError
from vscan.policies import PolicyPack, lint_pack, parse_pack
from vscan.policies.certificates import Certificate
from vscan.policies.drift import drifted, opens_at, wording_digest
from vscan.policies.rewriting import with_certificate
from vscan.policies.starter import STARTER

CONFIGS = Path(__file__).parents[2] / "configs" / "policies"
INLINE = """\
schema = "vscan.pack/1"
name = "p"
version = "1"
neutral = ["n"]
policy = [{ id = "a", title = "A", severity = "low", prompts = ["x"], thresholds = {review = 0.5}}]
"""
DOTTED = """\
schema = "vscan.pack/1"
name = "p"
version = "1"
neutral = ["n"]
[[policy]]
id = "a"
title = "A"
severity = "low"
prompts = ["x"]
thresholds.review = 0.5  # mine
[[policy]]
id = "b"
title = "B"
severity = "low"
prompts = ["y"]
thresholds = { review = 0.5, remove = 0.9 }  # ours
"""


def certificate(
    pack: PolicyPack, policy: str, threshold: float = 0.6, **more: object
) -> Certificate:
    """What could have been certified for that policy's `review`."""
    of = pack.policy(policy)
    told = {
        "threshold": threshold, "target": "precision", "at_least": 0.9, "confidence": 0.95,
        "model": "m#sha256:1", "method": "binomial", "labels": 100, "positives": 30, "seed": 0,
        "labels_sha256": "sha256:" + "0" * 64, "wording": wording_digest(pack, of),
        "min_duration_s": of.min_duration_s, "release": of.release,
    }  # fmt: skip
    return Certificate.model_validate(told | more)


def certified(text: str, policy: str, **more: Any) -> str:
    """The pack's text with a certificate for `review`."""
    pack = parse_pack(text.encode(), file="p.toml")
    return with_certificate(
        text.encode(),
        file="p.toml",
        policy=policy,
        action="review",
        certificate=certificate(pack, policy, **more),
    ).decode()


def parsed(text: str) -> PolicyPack:
    """The pack of that text."""
    return parse_pack(text.encode(), file="p.toml")


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ((CONFIGS / "demo.toml").read_text("utf-8"), "weapons"),
        ((CONFIGS / "baseline.toml").read_text("utf-8"), ""),
        (STARTER, "weapons.firearms"), (INLINE, "a"), (DOTTED, "a"), (DOTTED, "b"),
        ("\ufeff" + DOTTED.replace("\n", "\r\n"), "a"),
    ],
    ids=["demo", "baseline", "starter", "inline", "dotted", "inline thresholds", "bom and crlf"],
)  # fmt: skip
def test_every_way_to_write_a_pack(text: str, policy: str) -> None:
    """Every line but the threshold's and the version's stays, comments before the next policy stay
    in front of it, and writing it again changes nothing."""
    policy = policy or parsed(text).policies[2].id
    limits = parsed(text).policy(policy).thresholds
    value = min(0.6, *(each for each in (limits.escalate, limits.remove) if each), 1.0)
    new = certified(text, policy, threshold=value)
    lost = Counter(text.splitlines()) - Counter(new.splitlines())
    assert lost.total() == 1 and all("review" in line for line in lost)
    held = parsed(new).policy(policy).calibration
    assert held is not None and held.review is not None and value == held.review.threshold
    assert new == certified(new, policy, threshold=value)
    if text is STARTER:
        table, comment = new.index("[policy.calibration.review]"), new.index("# A policy without")
        assert table < comment < new.index('id = "known.removed"')


def test_a_certificate_is_not_in_the_digest() -> None:
    """The digest names the rules: the same threshold with and without a certificate is the same
    pack, another threshold is another."""
    by_hand = DOTTED.replace("thresholds.review = 0.5", "thresholds.review = 0.6")
    new = certified(DOTTED, "a")
    assert parsed(new).digest == parsed(by_hand).digest != parsed(DOTTED).digest
    other = certified(DOTTED, "a", seed=7)
    assert other != new and parsed(other).digest == parsed(new).digest


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("thresholds.review = 0.6", "thresholds.review = 0.7", "review is 0.7, and 0.6 was"),
        ('prompts = ["x"]', 'prompts = ["z"]', "prompts, contrast, neutral or templates changed"),
        ('neutral = ["n"]', 'neutral = ["n", "o"]', "prompts, contrast, neutral or templates"),
        ('title = "A"', 'title = "A"\nrelease = 0.5', "release = 0.8, and it is 0.5"),
        ('title = "A"', 'title = "A"\nmin_duration_s = 3.0', "min_duration_s = 1, and it is 3"),
        ("thresholds.review = 0.6", "thresholds.remove = 0.9", "is not there any more"),
    ],
)  # fmt: skip
def test_lint_notices_what_makes_it_void(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Another threshold, wording, release or duration: a warning that names it, at its line."""
    text = certified(DOTTED, "a")
    file = tmp_path / "p.toml"

    def void() -> list[str]:
        file.write_text(text, "utf-8")
        return [str(each) for each in lint_pack(str(file)).warnings if "certif" in str(each)]

    assert [] == void()
    assert old in text
    text = text.replace(old, new, 1)
    (warning,) = void()
    assert told in warning and "policy[0].calibration.review" in warning
    assert "vscan calibrate" in warning


def test_the_lowest_threshold_is_part_of_a_graver_certificate() -> None:
    """Where segments open decides what a graver action sees; the order of prompts does not."""
    text = DOTTED.replace('prompts = ["y"]', 'prompts = ["y", "w"]')
    pack = parsed(text)
    assert (None, 0.5) == (
        opens_at(pack.policy("b"), "review"),
        opens_at(pack.policy("b"), "remove"),
    )
    made = certificate(pack, "b", threshold=0.9, opens_at=0.5)
    new = with_certificate(
        text.encode(), file="p", policy="b", action="remove", certificate=made
    ).decode()
    assert [] == list(drifted(parsed(new), parsed(new).policy("b")))
    turned = parsed(new.replace('["y", "w"]', '["w", "y"]'))
    assert [] == list(drifted(turned, turned.policy("b")))
    moved = parsed(new.replace("review = 0.5, remove", "review = 0.4, remove"))
    assert ["remove"] == [action for action, _ in drifted(moved, moved.policy("b"))]


def test_a_certificate_that_does_not_hold() -> None:
    """Unknown keys, shares beyond 0..1 and digests that are none are errors with their lines."""
    text = certified(DOTTED, "a")
    for old, new in (
        ("at_least = 0.9", "at_least = 1.5"),
        ('"sha256:000', '"sha512:000'),
        ("positives = 30", "positives = 30\nnegatives = 3"),
        ('target = "precision"', 'target = "accuracy"'),
    ):
        assert old in text
        with pytest.raises(PackError, match=r"p\.toml:\d+: policy\[0\]\.calibration\.review"):
            parsed(text.replace(old, new, 1))
