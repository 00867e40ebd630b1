"""Batches side by side: one thread each, their order kept, nothing left changed."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from vscan.embeddings.lanes import Images, Lanes, Vectors, computing_with
from vscan.embeddings.openclip import OpenClipEncoder, load_encoder


@pytest.fixture(scope="module")
def builtin() -> OpenClipEncoder:
    """The model that comes along."""
    return load_encoder("builtin", device="cpu")


def test_each_batch_has_one_thread() -> None:
    """Two lanes work at once, each computes in one thread, and vectors come in the batches' order;
    the caller's number of threads is as it was."""
    both, seen = threading.Barrier(2, timeout=10), set()

    def encode(batch: Images) -> Vectors:
        both.wait()
        seen.add((threading.get_ident(), torch.get_num_threads()))
        return batch[:, 0, 0].astype(np.float32)

    batches = [np.full((2, 1, 1, 3), value, np.uint8) for value in range(6)]
    with computing_with(2):
        found = Lanes(2, encode).run(batches)
        assert 2 == torch.get_num_threads()
    assert list(range(6)) == [int(vectors[0, 0]) for vectors in found]
    assert (2, {1}) == (len({thread for thread, _ in seen}), {count for _, count in seen})


def test_one_batch_stays_with_its_caller() -> None:
    """A call with a single batch is encoded in the calling thread, also beside other lanes."""
    said: list[int] = []

    def encode(batch: Images) -> Vectors:
        said.append(threading.get_ident())
        return np.zeros((len(batch), 3), np.float32)

    assert [] == Lanes(4, encode).run([])
    Lanes(4, encode).run([np.zeros((1, 1, 1, 3), np.uint8)])
    assert [threading.get_ident()] == said


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_model_in_lanes(builtin: OpenClipEncoder, lanes: int) -> None:
    """Its network serves several threads at once: the same bits in one lane and in three."""
    images = np.random.default_rng(7).integers(0, 256, (70, 64, 64, 3), np.uint8)
    expected = builtin.encode_images(images)
    size = builtin.batch_size
    batches = [images[at : at + size] for at in range(0, len(images), size)]
    found = Lanes(lanes, builtin._encoded).run(batches)
    np.testing.assert_array_equal(expected, np.concatenate(found))
