"""The journey of one source: digests, samples, tracks, evidence, judgement, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vscan.decode.workers import ReaderPool
from vscan.digests import Digests, file_digests
from vscan.earlier import Earlier, version_of
from vscan.errors import (
    FetchCancelled,
    ModelLoadError,
    NotBegun,
    OutputError,
    SourceError,
    StoreError,
    internal_error,
)
from vscan.measuring import Embed, Measured, measure
from vscan.names import record_uri
from vscan.recipe import Recipe
from vscan.rules import Rules, error_verdict, interest_of, judge_source, judged
from vscan.scratch import Scratch
from vscan.sources import Found, Source
from vscan.timings import Timings
from vscan.verdicts import ErrorRecord, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vscan.keeping import Keeper


def scan_source(
    source: Found,
    *,
    recipe: Recipe,
    rules: Rules,
    readers: ReaderPool,
    embed: Embed,
    scratch: Scratch,
    earlier: Earlier,
    timings: Timings | None = None,
) -> Verdict | None:
    """The verdict of one source, whatever happens to it; None where `earlier` has it already.

    An object behind a URI is fetched into `scratch`, unless what is known of its version will do.
    timings: is told what each step cost. Raises what is no source's fault: OutputError or another
    StoreError where store or scratch cannot be written or read, ModelLoadError where there is no
    model after all, NotBegun or FetchCancelled where the run is about to stop.
    """
    uri, meta, version = record_uri(source.uri), source.meta, None
    digests, judged_before = None, False
    timings = Timings() if timings is None else timings
    try:
        found = scratch.look(source)
        version = version_of(found)
        if earlier.is_done_unread(found, uri):
            return None
        measured = earlier.measured_unread(found, uri, rules.indexes)
        if measured is None:
            with scratch.at_hand(found) as here:
                version = here.version
                with timings.of_thread("digests"):
                    digests = file_digests(here.path)
                if earlier.is_done(uri, digests.sha256):
                    return None
                judged_before = earlier.is_judged(uri, digests)
                measured = _measured(
                    here, digests, recipe, rules, readers, embed, earlier.keeper, timings
                )
        reader_s = measured.report.cost_s
        timings.add_video(measured.cost_s, reader_s, samples=len(measured.times_s))
        digests = measured.digests
        earlier.keep(uri, meta, measured, version)
        if judged_before or earlier.is_judged(uri, digests):
            return None
        with timings.of_thread("judge"):
            return judge_source(uri, meta, measured, rules=rules, version=version)
    except (OutputError, StoreError, ModelLoadError, FetchCancelled, NotBegun):
        raise
    except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
        failed = error if isinstance(error, SourceError) else internal_error(error)
        if earlier.keeper is not None:
            earlier.keeper.record_error(uri, meta, digests, failed, version=version)
        if judged_before:
            return None  # judged before: only the store has missed it
        told = ErrorRecord(code=failed.code, message=failed.message)
        return error_verdict(uri, meta, digests, told, rules.provenance, version=version)


def _measured(
    source: Source,
    digests: Digests,
    recipe: Recipe,
    rules: Rules,
    readers: ReaderPool,
    embed: Embed,
    keeper: Keeper | None,
    timings: Timings,
) -> Measured:
    """From the store where it is there, and else from the file, and then kept."""

    def interest_so_far(measured: Measured) -> NDArray[np.float64]:
        with timings.of_thread("judge"):
            return interest_of(judged(measured, rules.signals), rules)

    measured = None if keeper is None else keeper.recall(digests, rules.indexes)
    if measured is None:
        features = None if keeper is None else keeper.features(digests)
        measured = measure(
            source,
            digests,
            recipe=recipe,
            readers=readers,
            embed=embed,
            indexes=rules.indexes,
            keep_features=None if features is None else features.add,
            interest=interest_so_far,
        )
        if keeper is not None:
            keeper.keep(measured, features)
    return measured
