"""What can be looked at of a case: its video, and the exemplars that it matched."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path

from vscan.errors import ReviewError
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.index import ExemplarIndex
from vscan.intervals import Interval
from vscan.review.case_view import exemplar_evidence, spans_of
from vscan.review.checked_files import CheckedFile, CheckedFiles
from vscan.review.queue import QueuedCase
from vscan.review.stills import Still, Stills, still_times

SOURCE = "source"
EXEMPLAR = "exemplar-"
"""With the number of the piece of evidence behind it, as `exemplar-0`."""

MOST_WAIT_S = 20.0
"""How long an answer waits for a file's check; the page asks before whether it is done."""


class Materials:
    """Hands out files by case and part, never by a name that a browser gives.

    A part is SOURCE or EXEMPLAR with a number. Safe among threads.
    """

    def __init__(self, indexes: Iterable[Path] = (), *, context_s: float) -> None:
        """indexes: folders whose exemplars can be shown; context_s: seconds around a segment.

        Raises ExemplarIndexError.
        """
        self.context_s = context_s
        opened = [ExemplarIndex.open(folder) for folder in indexes]
        self._exemplars = {index.name: {e.id: e for e in index.exemplars} for index in opened}
        self._files = CheckedFiles()
        self._stills = Stills()

    def exemplar(self, index: str, exemplar: str) -> Exemplar | None:
        """The exemplar, where its index is at hand."""
        return self._exemplars.get(index, {}).get(exemplar)

    def check(self, case: QueuedCase, part: str) -> Future[CheckedFile]:
        """The file, once its SHA-256 was found to be right. Its result raises ReviewError, and so
        does this where the case has no such part."""
        if part == SOURCE:
            source = case.record["source"]
            return self._files.check(source["uri"], source.get("sha256"))
        _, exemplar = self._matched(case, part)
        return self._files.check(exemplar.source, exemplar.sha256)

    def file(self, case: QueuedCase, part: str) -> CheckedFile:
        """As the result of `check`; ReviewError too where that takes long."""
        try:
            return self.check(case, part).result(MOST_WAIT_S)
        except FutureTimeoutError as error:
            raise ReviewError(
                "the file is still being checked", remedy="ask again in a while"
            ) from error

    def stills(self, case: QueuedCase, part: str) -> list[Still]:
        """Frames of what is to be looked at; waits for the file's check. Raises ReviewError."""
        if part == SOURCE:
            spans = spans_of(case, self.context_s)
            segments = (case.finding or {}).get("segments", ())
            times = still_times(spans, [each["peak_s"] for each in segments])
        else:
            span, _ = self._matched(case, part)
            times = still_times([span], ())
        return self._stills.of(self.file(case, part), times)

    def _matched(self, case: QueuedCase, part: str) -> tuple[Interval, Exemplar]:
        """The matched span of an exemplar, and the exemplar itself. Raises ReviewError."""
        evidence = exemplar_evidence(case)
        number = part.removeprefix(EXEMPLAR)
        if not part.startswith(EXEMPLAR) or not (number.isascii() and number.isdigit()):
            raise ReviewError("a case has no such part")
        if len(number) > 6 or int(number) >= len(evidence):
            raise ReviewError("a case has no such part")
        each = evidence[int(number)]
        exemplar = self.exemplar(each["index"], each["exemplar"])
        if exemplar is None:
            raise ReviewError(
                "its exemplar index is not at hand", remedy="start again with --index"
            )
        return Interval(*each["exemplar_span_s"]), exemplar

    def close(self) -> None:
        """End what runs in the background."""
        self._files.close()
        self._stills.close()
