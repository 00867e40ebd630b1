"""Which verdict ids are done, as an array that processes of a machine share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vscan.name_keys import key_of

Keys = NDArray[np.uint64]
"""(N, 2): the 128-bit key of each id (`name_keys.key_of`) as two numbers, sorted; each once."""


def packed(keys: Iterable[int]) -> Keys:
    """Keys in 16 bytes each: a million take 16 MB."""
    joined = b"".join(each.to_bytes(16) for each in keys)
    numbers: Keys = np.frombuffer(joined, ">u8").reshape(-1, 2).astype(np.uint64)
    return np.unique(numbers, axis=0)


class DoneIds:
    """Tells whether an id is among those of the keys; wrong with odds of 2**-128 each.

    secret: under which the keys were made (`name_keys.SECRET`), in whichever process.
    """

    def __init__(self, keys: Keys, secret: bytes) -> None:
        self._keys = keys
        self._secret = secret

    def __contains__(self, verdict_id: object) -> bool:
        (high, low), *_ = packed([key_of(str(verdict_id).encode(), secret=self._secret)])
        first = self._keys[:, 0]
        at = np.searchsorted(first, high, "left")
        end = np.searchsorted(first, high, "right")
        return bool((self._keys[at:end, 1] == low).any())
