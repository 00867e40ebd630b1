"""Prompts into vectors: template ensembles, kept between runs, and words a model never saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vscan.embeddings.prompt_cache import PromptCache, cache_folder
from vscan.embeddings.prompts import (
    ensemble,
    pack_prompts,
    stored_prompts,
    unknown_words,
    words_unknown_to_builtin,
)
from vscan.errors import ModelError
from vscan.policies import PolicyPack, parse_pack

PACK = b"""
schema = "vscan.pack/1"
name = "tiny"
version = "1"
templates = ["{}", "a photo of {}"]
neutral = ["a tree", "a toy gun"]
[[policy]]
id = "weapons"
title = "Weapons"
severity = "high"
prompts = ["a gun", "a qwzx rifle"]
contrast = ["a toy gun"]
thresholds = { review = 0.5 }
[[policy]]
id = "known"
title = "Known"
severity = "low"
indexes = ["known"]
"""


class CountingEncoder:
    """Turns a text into a vector of its own letters, and remembers what it was asked for."""

    name = "letters"
    fingerprint = "letters#sha256:" + "c" * 64
    logit_scale = 12.5

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Counts of the letters a to z, as unit vectors."""
        self.asked += texts
        counts = np.array([[text.count(chr(97 + i)) for i in range(26)] for text in texts])
        lengths = np.linalg.norm(counts, axis=1, keepdims=True)
        return np.asarray(counts / lengths, np.float32)


@pytest.fixture
def pack() -> PolicyPack:
    """Two policies, one with prompts; one text stands as contrast and as neutral."""
    return parse_pack(PACK, file="tiny.toml")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("VSCAN_CACHE", str(tmp_path))
    return tmp_path


def test_an_ensemble_is_the_mean_direction_of_its_templates() -> None:
    """The vector is the normalised mean of the templates' unit vectors."""
    encoder = CountingEncoder()
    single = encoder.encode_texts(["a gun", "a photo of a gun"]).astype(np.float64)
    mean = single.mean(axis=0)
    (found,) = ensemble(encoder, ["a gun"], ["{}", "a photo of {}"])
    np.testing.assert_allclose(mean / np.linalg.norm(mean), found, atol=1e-7)


def test_braces_in_a_prompt_are_text() -> None:
    """A prompt may hold braces; only the template's {} is filled in."""
    encoder = CountingEncoder()
    ensemble(encoder, ["a {b} c"], ["photo: {}"])
    assert ["photo: a {b} c"] == encoder.asked


def test_a_pack_becomes_vectors_policy_by_policy(pack: PolicyPack) -> None:
    """Only policies with prompts; contrast and neutral together, a text in both counted once."""
    found = pack_prompts(pack, CountingEncoder())
    assert (CountingEncoder.fingerprint, 12.5) == (found.model, found.logit_scale)
    (policy,) = found.policies
    assert ("weapons", ("a gun", "a qwzx rifle")) == (policy.policy_id, policy.prompts)
    assert ((2, 26), (2, 26)) == (policy.vectors.shape, policy.against.shape)


def test_a_known_pack_encodes_no_text(pack: PolicyPack) -> None:
    """The second time every vector comes from disk, bit for bit."""
    first = pack_prompts(pack, CountingEncoder()).policies[0]
    again = CountingEncoder()
    second = pack_prompts(pack, again).policies[0]
    assert [] == again.asked
    np.testing.assert_array_equal(first.vectors, second.vectors)
    np.testing.assert_array_equal(first.against, second.against)


def test_one_new_prompt_encodes_that_one_alone(pack: PolicyPack) -> None:
    """A pack with one prompt changed encodes that prompt with its templates, nothing else."""
    pack_prompts(pack, CountingEncoder())
    changed = parse_pack(PACK.replace(b"a gun", b"a pistol"), file="tiny.toml")
    encoder = CountingEncoder()
    pack_prompts(changed, encoder)
    assert ["a pistol", "a photo of a pistol"] == encoder.asked


def test_other_templates_or_another_model_share_nothing(pack: PolicyPack) -> None:
    """Vectors are kept per model and templates."""
    pack_prompts(pack, CountingEncoder())
    other = CountingEncoder()
    other.fingerprint = "letters#sha256:" + "d" * 64
    pack_prompts(pack, other)
    assert 8 == len(other.asked)
    templates = CountingEncoder()
    pack_prompts(parse_pack(PACK.replace(b"a photo", b"a view"), file="t"), templates)
    assert 8 == len(templates.asked)


def test_stored_prompts_need_no_model(pack: PolicyPack) -> None:
    """What was encoded once is had from the fingerprint alone; what was not says what to do."""
    with pytest.raises(ModelError, match="never encoded") as caught:
        stored_prompts(pack, CountingEncoder.fingerprint)
    assert "--model letters" in caught.value.remedy
    made = pack_prompts(pack, CountingEncoder())
    stored = stored_prompts(pack, CountingEncoder.fingerprint)
    assert (made.model, made.logit_scale) == (stored.model, stored.logit_scale)
    np.testing.assert_array_equal(made.policies[0].vectors, stored.policies[0].vectors)


def test_a_damaged_entry_is_made_again(pack: PolicyPack) -> None:
    """Whichever byte was changed, an entry counts as absent; it is encoded and kept again."""
    pack_prompts(pack, CountingEncoder())
    cache = PromptCache(CountingEncoder.fingerprint)
    path = cache.path(pack.templates, "a gun")
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        content = bytearray(whole)
        content[place] ^= 0x01
        path.write_bytes(content)
        assert cache.get(pack.templates, "a gun") is None
    encoder = CountingEncoder()
    path.write_bytes(whole[:-1] + b"x")
    pack_prompts(pack, encoder)
    assert ["a gun", "a photo of a gun"] == encoder.asked
    assert cache.get(pack.templates, "a gun") is not None


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"{}"], ids=["empty", "noise", "short"])
def test_rubbish_in_the_cache_is_made_again(pack: PolicyPack, content: bytes) -> None:
    """A file that is no entry at all costs time, never an error."""
    pack_prompts(pack, CountingEncoder())
    path = PromptCache(CountingEncoder.fingerprint).path(pack.templates, "a gun")
    path.write_bytes(content)
    encoder = CountingEncoder()
    pack_prompts(pack, encoder)
    assert ["a gun", "a photo of a gun"] == encoder.asked


def test_an_entry_under_another_prompts_name_is_not_taken(pack: PolicyPack) -> None:
    """An entry says which prompt it is of: a file moved to another's name counts as absent."""
    pack_prompts(pack, CountingEncoder())
    cache = PromptCache(CountingEncoder.fingerprint)
    cache.path(pack.templates, "a gun").replace(cache.path(pack.templates, "a tree"))
    assert cache.get(pack.templates, "a tree") is None


def test_a_cache_that_cannot_be_written_does_not_stop_a_scan(
    pack: PolicyPack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the cache folder is a file, vectors are made each time."""
    (folder / "file").write_text("", "utf-8")
    monkeypatch.setenv("VSCAN_CACHE", str(folder / "file"))
    assert 1 == len(pack_prompts(pack, CountingEncoder()).policies)


def test_the_cache_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """VSCAN_CACHE first, then XDG_CACHE_HOME, then the home folder."""
    assert tmp_path == cache_folder()
    monkeypatch.delenv("VSCAN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert tmp_path / "xdg" / "vscan" == cache_folder()
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert Path.home() / ".cache" / "vscan" == cache_folder()


def test_words_the_builtin_model_never_saw_are_named(pack: PolicyPack) -> None:
    """The built-in model's notes name the unknown words and their policy; others get none."""
    encoder = CountingEncoder()
    assert () == unknown_words(pack, encoder)
    encoder.name = "builtin"
    notes = unknown_words(pack, encoder)
    assert any(note.startswith("policy weapons:") and "qwzx" in note for note in notes)
    assert not any("gun" in note.split(": ", 1)[1].split(";")[0].split(", ") for note in notes)


def test_known_words_are_known_in_any_case() -> None:
    """Case and punctuation do not make a word unknown."""
    assert ("qwzx",) == words_unknown_to_builtin(["A Gun!", "(a) gun, qwzx."])
