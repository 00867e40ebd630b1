"""Batch sizes on a GPU: found by doubling, within its memory, and the same in the next run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from vscan.embeddings.batch_sizes import (
    batch_size_for,
    best_batch_size,
    keep_size,
    kept_size,
)
from vscan.errors import ModelError


class FullError(Exception):
    """The card's memory is full."""


def _card(
    rates: dict[int, float], *, fits: int = 10**9
) -> tuple[Callable[[int], float], list[int]]:
    """A card with these rates, and the sizes that it was tried with."""
    tried: list[int] = []

    def rate_of(size: int) -> float:
        tried.append(size)
        if size > fits:
            raise FullError
        return rates.get(size, 1.0)

    return rate_of, tried


RATES = {64: 1000.0, 128: 1500.0, 256: 1651.0, 512: 1800.0, 1024: 4000.0}


@pytest.mark.parametrize(
    ("fits", "size", "tried"),
    [
        (10**9, 256, [64, 128, 256, 512]),
        (200, 128, [64, 128, 256]),
        (64, 64, [64, 128]),
        (20, 16, [64, 32, 16]),
        (1, 1, [64, 32, 16, 8, 4, 2, 1]),
    ],
    ids=["as it pays", "as it fits", "no more than the first", "less", "one"],
)
def test_a_size_is_doubled_while_it_pays_and_fits(fits: int, size: int, tried: list[int]) -> None:
    """A tenth more must be gained by each doubling; what does not fit is not tried twice."""
    rate_of, sizes = _card(RATES, fits=fits)
    assert size == best_batch_size(rate_of, out_of_memory=FullError)
    assert tried == sizes


def test_doubling_ends() -> None:
    """A card that is always faster with more gets the most that is allowed."""
    rate_of, tried = _card({64 << n: 10.0**n for n in range(20)})
    assert 512 == best_batch_size(rate_of, out_of_memory=FullError, most=1000)
    assert 512 == max(tried)


def test_a_card_without_memory_is_an_error() -> None:
    """Where one picture does not fit, the error says what can be done; others pass through."""
    rate_of, _ = _card(RATES, fits=0)
    with pytest.raises(ModelError, match="single picture") as caught:
        best_batch_size(rate_of, out_of_memory=FullError)
    assert "--device cpu" in caught.value.remedy
    with pytest.raises(FullError):
        best_batch_size(rate_of, out_of_memory=MemoryError)


def test_a_found_size_is_kept(tmp_path: Path) -> None:
    """What one run found the next one takes; what is no batch size counts as absent."""
    path = tmp_path / "deep" / "size.json"
    assert kept_size(path) is None
    keep_size(path, 256)
    assert 256 == kept_size(path)
    for wrong in ("", "[]", "0", "true", "1e9", "4096", "\xff"):
        path.write_text(wrong, "latin-1")
        assert kept_size(path) is None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """The size is found again next time."""
    (tmp_path / "file").write_text("", "utf-8")
    keep_size(tmp_path / "file" / "size.json", 256)
    assert kept_size(tmp_path / "file" / "size.json") is None


def test_the_next_run_takes_the_size_that_was_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A second loading tries the kept size alone, and searches again only where it fits no more."""
    monkeypatch.setenv("VSCAN_CACHE", str(tmp_path))
    card = SimpleNamespace(name="A card", total_memory=2**34)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    fits, tried = 10**9, []

    def rate(size: int, _dim: int) -> float:
        tried.append(size)
        if size > fits:
            raise torch.OutOfMemoryError
        return RATES.get(size, 1.0)

    tower: Any = SimpleNamespace(device="cuda", on_gpu=True, precision="fp16", rate=rate)
    assert 256 == batch_size_for(tower, "a model", 512)
    del tried[:]
    assert 256 == batch_size_for(tower, "a model", 512)
    assert [256] == tried
    fits = 128
    assert 128 == batch_size_for(tower, "a model", 512)
    del tried[:]
    assert 128 == batch_size_for(tower, "another model", 512)
    assert 64 == tried[0]


def test_an_apple_gpu_is_not_searched() -> None:
    """Where there are no streams to measure with, a size is taken as it is."""
    tower: Any = SimpleNamespace(device="mps", on_gpu=False)
    assert 64 == batch_size_for(tower, "a model", 512)


@pytest.mark.parametrize(
    ("side", "parameters", "size"),
    [(64, 3_000_000, 32), (224, 88_000_000, 16), (224, 304_000_000, 4)],
)
def test_a_cpus_size_is_known(side: int, parameters: int, size: int) -> None:
    """By the pictures' size and the network's, whatever it computes in."""
    tower: Any = SimpleNamespace(
        device="cpu",
        preprocessing=SimpleNamespace(width=side, height=side),
        parameters=parameters,
    )
    assert size == batch_size_for(tower, "a model", 512)
