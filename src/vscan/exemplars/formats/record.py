"""A hash record: one hash of a list that partners exchange, with all that the list says of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

Json = Any
"""What a JSON document may hold; pydantic and mypy have no finite type for it."""

MAX_VALUE_CHARS = 1 << 25
"""Of one hash. The longest in use, vPDQ in JSON, takes 75 a frame: this is four days at 1 fps."""
MAX_TEXT_CHARS = 1 << 16
"""Of any other text field."""
MAX_TIME_S = 1e9

_KINDS = {
    "pdq": ("pdq", "imagepdq", "hash_pdq"),
    "vpdq": ("vpdq", "video_vpdq", "hash_video_vpdq", "videovpdq"),
    "md5": ("md5", "video_md5", "videomd5", "hash_md5", "hash_video_md5", "imagemd5"),
    "sha1": ("sha1", "sha-1", "hash_sha1"),
    "sha256": ("sha256", "sha-256", "hash_sha256"),
    "photodna": ("photodna", "pdna", "photo_dna"),
    "tmk": ("tmk", "tmk-pdqf", "tmk_pdqf", "videotmk", "video_tmk_pdqf", "hash_tmk"),
    "text": ("raw_text", "text"),
    "url": ("url",),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}
_DIGITS = {"pdq": 64, "md5": 32, "sha1": 40, "sha256": 64}


def kind_of(signal_type: str) -> str:
    """The hash that a list's name means: `pdq` for `ImagePDQ`, `photodna` for `pdna`.

    A name that vscan does not know is its own kind, in lower case.
    """
    name = signal_type.lower()
    return _KIND_OF.get(name, name)


@dataclass(frozen=True, kw_only=True)
class HashRecord:
    """One hash of an exchanged list. Checks itself: raises ValueError where a field cannot be.

    Texts are as the list has them; what a format does not carry is empty or None.
    """

    origin: str = ""
    """Name of the format it was read from; empty for what vscan measured itself."""
    signal_type: str = ""
    """Which hash, in the list's own word: `pdq`, `ImagePDQ`, `pdna`. Empty in an entry without
    hashes, as a tombstone may be. A type that vscan cannot compute is carried like any other."""
    value: str = ""
    """The hash as given, PDQ always as 64 lowercase hexadecimal digits; of vPDQ as a whole the
    JSON array of python-threatexchange."""
    quality: int | None = None
    """PDQ quality 0..100."""
    time_s: float | None = None
    """Presentation time of the frame in seconds, exact."""
    frame: int | None = None
    """Frame number; vscan goes by time and only carries it."""
    source_id: str = ""
    """The entry's id where the list gives one."""
    media: str = ""
    """`image`, `video`, or a file type as `mp4`."""
    member_id: str = ""
    member: str = ""
    """Who entered it, by number and name."""
    collab: str = ""
    """Name of the collaboration that it was shared in."""
    category: str = ""
    """What python-threatexchange makes of the opinions on it, as `POSITIVE_CLASS`."""
    classification: str = ""
    """What it shows, in the list's own scheme: `A1`, `islamist`."""
    status: str = ""
    """Where the case stands, as `Active`."""
    tags: tuple[str, ...] = ()
    updated: str = ""
    created: str = ""
    """When the entry was last changed and made, as the list writes times."""
    withdrawn: bool = False
    """The list takes the entry back: whoever holds it is to delete it."""
    feedback: tuple[Json, ...] = ()
    """What members said of it, as the list has it, in JSON."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Whatever else the list says, by its name there; written back into the same format only."""
    entry: int = field(default=0, compare=False)
    """Position of the entry in its file: hashes of one entry are hashes of one item."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if len(self.value) > MAX_VALUE_CHARS:
            raise ValueError(f"a hash of {len(self.value)} characters: at most {MAX_VALUE_CHARS}")
        for name in _TEXT_FIELDS:
            text: str = getattr(self, name)
            if not text.isascii():
                _check_text(name, text)
            if name != "value" and len(text) > MAX_TEXT_CHARS:
                raise ValueError(f"{name}: {len(text)} characters: at most {MAX_TEXT_CHARS}")
        if self.quality is not None and not 0 <= self.quality <= 100:
            raise ValueError(f"quality: {self.quality} is not within 0..100")
        if self.time_s is not None and not (
            math.isfinite(self.time_s) and 0 <= self.time_s <= MAX_TIME_S
        ):
            raise ValueError(f"timestamp: {self.time_s} is not a number of seconds from 0 on")
        if self.frame is not None and not 0 <= self.frame < 1 << 53:
            raise ValueError(f"frame: {self.frame} is not the number of a frame")
        self._check_value()

    def _check_value(self) -> None:
        kind = self.kind
        digits = _DIGITS.get(kind)
        if digits is None or (not self.value and kind != "pdq"):
            return
        letters = "a-f" if kind == "pdq" else "a-fA-F"
        if not re.fullmatch(f"[0-9{letters}]{{{digits}}}", self.value):
            raise ValueError(
                f"a hash of type {self.signal_type} is {digits} hexadecimal digits, got"
                f" {self.value[:80]!r}"
            )

    @property
    def kind(self) -> str:
        """Which hash it is, whatever the list calls it; see kind_of."""
        return kind_of(self.signal_type)

    @property
    def key(self) -> tuple[str, ...]:
        """What names the entry in its list: an entry of the same key replaces or withdraws it."""
        if self.source_id:
            media = self.media.lower() if self.member_id else ""
            return (self.origin, self.collab, media, self.member_id, self.source_id)
        return (self.origin, self.collab, self.kind, self.value.lower())


_TEXT_FIELDS = tuple(each.name for each in fields(HashRecord) if each.type == "str")


def _check_text(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name}: text that is not Unicode") from error
