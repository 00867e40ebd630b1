"""What a stored track depends on beside the content, and the key that its file is named by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from vscan.digests import digest_of

SIGNALS = ("embedding", "pdq", "keypoints")
"""Signals whose tracks a frame store keeps."""
KEY_DIGITS = 16


@dataclass(frozen=True)
class TrackSpec:
    """A signal, and all that its track depends on beside the content. Raises ValueError for a
    signal that is not of SIGNALS."""

    signal: str
    made_by: Mapping[str, str]
    """Readers, sampling, model, precision, picture, hash version …: name to value."""

    def __post_init__(self) -> None:
        if self.signal not in SIGNALS:
            raise ValueError(f"no tracks of {self.signal!r} are stored; of {', '.join(SIGNALS)}")

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits of the SHA-256 over signal and `made_by`, in whatever order."""
        digest = digest_of([self.signal, dict(self.made_by)])
        return digest.removeprefix("sha256:")[:KEY_DIGITS]
