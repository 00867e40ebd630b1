"""Which record of each source stays, of those that were written one after the other."""

from __future__ import annotations

from collections.abc import Mapping

from vscan.name_keys import key_of
from vscan.store.lines import PASSING_ERRORS, StoredLine
from vscan.verdicts import Verdict


class Staying:
    """Learns records in the order in which they were written, and holds no text of them.

    A place is whatever number the caller knows a record by: where it begins in a file, say.
    """

    def __init__(self) -> None:
        self.superseded: set[int] = set()
        """Places of records that others of the same URI replace."""
        self._latest: dict[str, tuple[int, str]] = {}
        """By URI, the place of the record that stays, and its id."""
        self._done: dict[str, str] = {}
        """Outcome by id, of the records that stay and are final."""
        self._contents: dict[str, tuple[str, str]] = {}
        """By URI, version and SHA-256 of the object, of those of these records that have both."""

    def outcome_of(self, verdict_id: str) -> str | None:
        """The outcome of this id's final record, which no newer one replaces; else None."""
        return self._done.get(verdict_id)

    def done_keys(self) -> list[int]:
        """The keys of all ids that have an outcome."""
        return [key_of(each.encode("utf-8", "surrogatepass")) for each in self._done]

    def content_of(self, uri: str, version: str) -> str | None:
        """SHA-256 of an object at that version, by a final record that stays; else None."""
        known_version, sha256 = self._contents.get(uri, (None, None))
        return sha256 if known_version == version else None

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
        if uri in self._latest:
            older, older_id = self._latest[uri]
            if outcome is None and older_id in self._done:
                self.superseded.add(place)
                return
            self.superseded.add(older)
            self._done.pop(older_id, None)
            self._contents.pop(uri, None)
        self._latest[uri] = (place, verdict_id)
        if outcome is not None:
            self._done[verdict_id] = outcome
            version, sha256 = content
            if version is not None and sha256 is not None:
                self._contents[uri] = (version, sha256)

    def moved(self, places: Mapping[int, int]) -> None:
        """What stays stands elsewhere now, and the rest is gone: new place by old."""
        self._latest = {uri: (places[at], name) for uri, (at, name) in self._latest.items()}
        self.superseded = set()
