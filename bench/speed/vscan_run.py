"""One scan as vscan's own door has it, measured. A program of its own (see processes.py)."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.speed.processes import answer
from bench.speed.usage import Meter, children, forget_peak, peak_bytes

if TYPE_CHECKING:
    from vscan.settings import ScanSettings
    from vscan.verdicts import Verdict

_POLL_S = 0.1


def settings_of(said: dict[str, Any]) -> ScanSettings:
    """ScanSettings of what came as JSON. Raises UsageError or TypeError for what they are not."""
    from vscan.settings import ScanSettings

    listed = {name: tuple(each) for name, each in said.items() if isinstance(each, list)}
    return ScanSettings(**(said | listed))


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Scan `paths` with `settings`: what it took from when model and readers were there, and what
    it found.

    request: paths, settings by name, and peaks: whether to look at the readers' memory on the way.
    """
    begun = time.perf_counter()
    import numpy as np

    from bench.speed.warm_start import WarmStart
    from vscan.engines.local import readers_for
    from vscan.scanning import prepare, run_scan

    prepared = prepare(settings_of(request["settings"]))
    if prepared.encoder is not None:
        spec, encoder = prepared.encoder.image_spec, prepared.encoder
        count = encoder.batch_size * encoder.calls_at_once
        encoder.encode_images(np.zeros((count, spec.height, spec.width, 3), np.uint8))
    loaded = time.perf_counter()
    meters: list[Meter] = []
    with tempfile.TemporaryDirectory() as folder, _Peak(request.get("peaks", False)) as peak:
        waits = prepared.recipe.plan.follows and prepared.encoder is not None
        readers = readers_for(prepared.workers, wait=waits)
        start = WarmStart(request["paths"], readers=readers, folder=Path(folder))
        scanned = run_scan(prepared, start.sources(lambda: meters.append(Meter())))
        verdicts = [each for each in scanned if each and start.is_measured(each.source.uri)]
    spent = meters[0].spent()
    return {
        "wall_s": spent.wall_s,
        "cpu_s": spent.cpu_s,
        "own_cpu_s": spent.own_cpu_s,
        "readers_cpu_s": spent.children_cpu_s,
        "frames": sum(each.samples.read for each in verdicts if each.samples is not None),
        "start_s": loaded - begun,
        "readers_start_s": meters[0].begun_s - loaded,
        "workers": prepared.workers,
        "precision": prepared.recipe.precision,
        "own_peak_bytes": peak.own,
        "reader_peak_bytes": peak.reader,
        "outcomes": dict(Counter(each.outcome for each in verdicts)),
        "readers": dict(Counter(each.samples.reader for each in verdicts if each.samples)),
        "errors": [f"{v.source.uri}: {v.error.message}" for v in verdicts if v.error is not None],
        "findings": [finding for each in verdicts for finding in _findings(each)],
    }


def _findings(verdict: Verdict) -> list[dict[str, Any]]:
    return [
        {
            "uri": verdict.source.uri,
            "policy": finding.policy,
            "segments": [[each.start_s, each.end_s] for each in finding.segments],
        }
        for finding in verdict.findings
    ]


class _Peak:
    """The most memory that this process, once all is loaded, and any one reader had resident;
    looked at as it runs."""

    def __init__(self, watches_readers: bool) -> None:
        self.own = self.reader = 0
        self._watches_readers = watches_readers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Peak:
        forget_peak()
        if self._watches_readers:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._watches_readers:
            self._thread.join()
        self.own = peak_bytes()

    def _watch(self) -> None:
        while not self._ended.wait(_POLL_S):
            self.reader = max([self.reader, *(peak_bytes(pid) for pid in children())])


if __name__ == "__main__":
    sys.exit(answer(run))
