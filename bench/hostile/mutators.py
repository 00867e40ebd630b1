"""Mutators that know nothing of a container: bytes flipped, cut, zeroed, moved, doubled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Mutator = Callable[[np.random.Generator, bytes], bytes]
"""A damaged copy of a file's bytes, decided by the generator alone."""

TS_PACKET = 188


def flip_bits(rng: np.random.Generator, data: bytes) -> bytes:
    """One bit in about 4000 bytes, anywhere, at least one."""
    return _flipped(rng, data, 0, max(1, len(data) // 4000))


def flip_few_bits(rng: np.random.Generator, data: bytes) -> bytes:
    """Eight bits, anywhere."""
    return _flipped(rng, data, 0, 8)


def flip_body_bits(rng: np.random.Generator, data: bytes) -> bytes:
    """One bit in about 1500 bytes beyond the first tenth."""
    return _flipped(rng, data, len(data) // 10, max(1, len(data) // 1500))


def flip_head_bits(rng: np.random.Generator, data: bytes) -> bytes:
    """Four bits in the first 2000 bytes."""
    return _flipped(rng, data[:2000], 0, 4) + data[2000:]


def _flipped(rng: np.random.Generator, data: bytes, start: int, count: int) -> bytes:
    out = bytearray(data)
    for at in rng.integers(start, len(out), count):
        out[at] ^= 1 << int(rng.integers(8))
    return bytes(out)


def cut_tail(rng: np.random.Generator, data: bytes) -> bytes:
    """The file ends after a quarter to nine tenths of its bytes."""
    return data[: int(len(data) * rng.uniform(0.25, 0.9))]


def cut_head(rng: np.random.Generator, data: bytes) -> bytes:
    """The file begins after up to two thirds of its bytes."""
    return data[int(len(data) * rng.uniform(0.05, 0.66)) :]


def zero_span(rng: np.random.Generator, data: bytes) -> bytes:
    """A span of 2 to 20 % becomes zeros, beyond the first tenth."""
    start, end = _span(rng, data, 0.02, 0.2)
    return data[:start] + bytes(end - start) + data[end:]


def noise_spans(rng: np.random.Generator, data: bytes) -> bytes:
    """Six spans of 200 bytes become noise, beyond the first tenth."""
    out = bytearray(data)
    for _ in range(6):
        at = int(rng.integers(len(out) // 10, max(len(out) // 10 + 1, len(out) - 200)))
        out[at : at + 200] = rng.bytes(200)
    return bytes(out[: len(data)])


def drop_span(rng: np.random.Generator, data: bytes) -> bytes:
    """A span of 1 to 10 % is taken out."""
    start, end = _span(rng, data, 0.01, 0.1)
    return data[:start] + data[end:]


def double_span(rng: np.random.Generator, data: bytes) -> bytes:
    """A span of 1 to 10 % stands twice."""
    start, end = _span(rng, data, 0.01, 0.1)
    return data[:end] + data[start:]


def swap_spans(rng: np.random.Generator, data: bytes) -> bytes:
    """Two neighbouring spans of 1 to 10 % change places."""
    start, end = _span(rng, data, 0.02, 0.2)
    middle = (start + end) // 2
    return data[:start] + data[middle:end] + data[start:middle] + data[end:]


def append_noise(rng: np.random.Generator, data: bytes) -> bytes:
    """Noise of a tenth of the file follows its end."""
    return data + rng.bytes(max(1, len(data) // 10))


def prepend_noise(rng: np.random.Generator, data: bytes) -> bytes:
    """Up to 600 bytes of noise stand before the file."""
    return rng.bytes(int(rng.integers(1, 600))) + data


def joined_to_itself(rng: np.random.Generator, data: bytes) -> bytes:
    """The file follows itself, whole or up to somewhere."""
    return data + data[: int(len(data) * rng.choice([0.5, 1.0, 1.0]))]


def drop_packets(rng: np.random.Generator, data: bytes) -> bytes:
    """About 3 % of the 188-byte packets of a transport stream are taken out."""
    packets = [data[at : at + TS_PACKET] for at in range(0, len(data), TS_PACKET)]
    return b"".join(packet for packet in packets if rng.random() > 0.03)


def shuffle_packets(rng: np.random.Generator, data: bytes) -> bytes:
    """One packet in thirty changes places with the one three further on."""
    packets = [data[at : at + TS_PACKET] for at in range(0, len(data), TS_PACKET)]
    for k in range(4, len(packets) - 4):
        if rng.random() < 1 / 30:
            packets[k], packets[k + 3] = packets[k + 3], packets[k]
    return b"".join(packets)


def _span(rng: np.random.Generator, data: bytes, least: float, most: float) -> tuple[int, int]:
    length = max(1, int(len(data) * rng.uniform(least, most)))
    start = int(rng.integers(len(data) // 10, max(len(data) // 10 + 1, len(data) - length)))
    return start, min(len(data), start + length)


ANYWHERE: Mapping[str, Mutator] = {
    "flip-bits": flip_bits,
    "flip-few-bits": flip_few_bits,
    "flip-body-bits": flip_body_bits,
    "flip-head-bits": flip_head_bits,
    "cut-tail": cut_tail,
    "cut-head": cut_head,
    "zero-span": zero_span,
    "noise-spans": noise_spans,
    "drop-span": drop_span,
    "double-span": double_span,
    "swap-spans": swap_spans,
    "append-noise": append_noise,
    "prepend-noise": prepend_noise,
    "joined-to-itself": joined_to_itself,
}
TRANSPORT: Mapping[str, Mutator] = {
    "drop-packets": drop_packets,
    "shuffle-packets": shuffle_packets,
}
