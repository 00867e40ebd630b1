"""Numbers that stand for names in memory, where millions of names would not fit."""

from __future__ import annotations

import hashlib
import secrets

_KEY = secrets.token_bytes(16)
"""Of this process: nobody can choose names beforehand that would be taken for one another."""


def key_of(name: bytes) -> int:
    """128 bits of BLAKE2b (RFC 7693) under a key of this process, so never to be stored.

    That two of n names get one number has a probability of less than n² / 2^129 (birthday bound):
    1.5e-21 for a billion.
    """
    return int.from_bytes(hashlib.blake2b(name, digest_size=16, key=_KEY).digest())
