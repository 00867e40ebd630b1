"""What decides matching in an exemplar index, as one digest that any order of exemplars gives.

The SHA-256 of every exemplar are added up (Bellare, Micciancio: "A New Paradigm for Collision-free
Hashing: Incrementality at Reduced Cost", 1997), so that a change costs what changes: each batch has
its own sum. Like the manifest's checksum it finds differences; it is no signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import orjson

from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.manifest import Manifest

_MODULUS = 1 << 256


def content_sum(exemplars: Sequence[Exemplar]) -> str:
    """The sum over some exemplars, 64 hexadecimal digits."""
    return _hex(sum(int.from_bytes(_digest(each)) for each in exemplars))


def index_digest(manifest: Manifest) -> str:
    """What ExemplarIndex.digest promises, from the sums of the manifest's batches."""
    total = _hex(sum(int(batch.content, 16) for batch in manifest.batches))
    model = manifest.model
    made_by = None if model is None else [model.fingerprint, model.match_similarity]
    basis = [manifest.schema, manifest.name, made_by, sorted(manifest.hashes.items()), total]
    if manifest.background is not None:
        basis.append(manifest.background.sha256)
    return "sha256:" + hashlib.sha256(orjson.dumps(basis)).hexdigest()


def _digest(exemplar: Exemplar) -> bytes:
    listed = (
        exemplar.id,
        exemplar.policy,
        exemplar.opinion,
        exemplar.severity or "",
        exemplar.enabled,
        exemplar.expires_at or "",
        exemplar.quarantined is not None,
        sorted((signal, track.sha256) for signal, track in exemplar.tracks.items()),
    )
    return hashlib.sha256(orjson.dumps(listed)).digest()


def _hex(number: int) -> str:
    return f"{number % _MODULUS:064x}"
