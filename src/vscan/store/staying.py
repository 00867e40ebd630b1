"""Which record of each source stays, of those that were written one after the other."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from vscan.name_keys import key_of
from vscan.store.lines import PASSING_ERRORS, StoredLine
from vscan.verdicts import Verdict

_ID_BITS = 128
_ID = (1 << _ID_BITS) - 1
_SHA256_BYTES = 32


class Staying:
    """Learns records in the order in which they were written, and holds no text of them.

    URIs, ids and versions are known by 128-bit numbers (`name_keys.key_of`), of which two are never
    equal by chance. A place is whatever number the caller knows a record by: where it begins in a
    file, say.
    """

    def __init__(self) -> None:
        self.superseded: set[int] = set()
        """Places of records that others of the same URI replace."""
        self._latest: dict[int, int] = {}
        """By URI, the place of the record that stays and its id, as one number: see `_place`."""
        self._done: dict[int, str] = {}
        """Outcome by id, of the records that stay and are final."""
        self._contents: dict[int, bytes] = {}
        """By URI, SHA-256 and version of the object, of those of these records that have both."""

    def outcome_of(self, verdict_id: str) -> str | None:
        """The outcome of this id's final record, which no newer one replaces; else None."""
        return self._done.get(_key(verdict_id))

    def done_keys(self) -> list[int]:
        """The keys of all ids that have an outcome."""
        return list(self._done)

    def content_of(self, uri: str, version: str) -> str | None:
        """SHA-256 of an object at that version, by a final record that stays; else None."""
        known = self._contents.get(_key(uri), b"")
        is_it = known[_SHA256_BYTES:] == _version(version)
        return known[:_SHA256_BYTES].hex() if is_it else None

    def note_line(self, stored: StoredLine, place: int) -> None:
        """One more record, as it was read."""
        outcome = str(stored.record["outcome"]) if stored.is_final else None
        source = stored.record["source"]
        content = (source.get("version"), source["sha256"])
        self._note(stored.uri, place, str(stored.record["id"]), outcome, content)

    def note_verdict(self, verdict: Verdict, place: int) -> None:
        """One more record, as it was written."""
        passing = verdict.error is not None and verdict.error.code in PASSING_ERRORS
        final = verdict.source.sha256 is not None and not passing
        outcome = verdict.outcome if final else None
        content = (verdict.source.version, verdict.source.sha256)
        self._note(verdict.source.uri, place, verdict.id, outcome, content)

    def _note(
        self,
        uri: str,
        place: int,
        verdict_id: str,
        outcome: str | None,
        content: tuple[str | None, str | None],
    ) -> None:
        """Settle which of two records of a URI stays: the newer, unless it only says that the
        file could not be had today where the older one is an answer.

        outcome: of a record that is final. Only what stays is done: a record that goes must be
        made again where its configuration is asked for again.
        """
        name, own_id = _key(uri), _key(verdict_id)
        older = self._latest.get(name)
        if older is not None:
            if outcome is None and older & _ID in self._done:
                self.superseded.add(place)
                return
            self.superseded.add(_place(older))
            self._done.pop(older & _ID, None)
            self._contents.pop(name, None)
        self._latest[name] = place << _ID_BITS | own_id
        if outcome is not None:
            # Every line that is read has its own string of the four words there are.
            self._done[own_id] = sys.intern(outcome)
            version, sha256 = content
            if version is not None and sha256 is not None:
                self._note_content(name, version, sha256)

    def _note_content(self, name: int, version: str, sha256: str) -> None:
        try:
            digest = bytes.fromhex(sha256)
        except ValueError:
            return  # edited by hand: the object is fetched again
        if len(digest) == _SHA256_BYTES:
            self._contents[name] = digest + _version(version)

    def moved(self, places: Mapping[int, int]) -> None:
        """What stays stands elsewhere now, and the rest is gone: new place by old."""
        for name, known in self._latest.items():
            self._latest[name] = places[_place(known)] << _ID_BITS | known & _ID
        self.superseded = set()


def _key(text: str) -> int:
    return key_of(text.encode("utf-8", "surrogatepass"))


def _version(version: str) -> bytes:
    return _key(version).to_bytes(_ID_BITS // 8)


def _place(known: int) -> int:
    """Of a record that stays: what stands above its id."""
    return known >> _ID_BITS
