"""`vscan index calibrate`: learn from videos that match nothing how alike unrelated frames are."""

from __future__ import annotations

import typer

from vscan.cli.index import Device, Folder, Json, Timeout, Videos, Weights, Workers


def calibrate(
    folder: Folder,
    videos: Videos,
    as_json: Json = False,
    weights: Weights = None,
    device: Device = "auto",
    workers: Workers = None,
    timeout: Timeout = None,
) -> None:
    """Set when embeddings match, from videos that hold none of the exemplars.

    A cosine says less of a picture that resembles much. From then on each frame needs a higher one
    the more it resembles these videos, and the operating point is set where none of their frames
    agrees with an exemplar by chance. Name as many and as varied videos as you can, of the kind
    that will be scanned, and some of each channel whose logo or frame the exemplars show. Do it
    again after adding many exemplars. Verdicts may change.

    Example: `vscan index calibrate known ordinary-uploads/`
    """
    from vscan.calibration import calibrate_index
    from vscan.cli.index_output import EXIT_ERRORS, found, say
    from vscan.cli.tables import print_json_lines, print_line, safe
    from vscan.settings import ScanSettings
    from vscan.sources import SourceFinder

    settings = ScanSettings(weights=weights, device=device, workers=workers, timeout_s=timeout)
    done = calibrate_index(folder, found(SourceFinder(), videos), settings=settings)
    for uri, error in done.errors:
        say(f"error: {safe(uri)}: {error.message}")
    for uri in done.sharing:
        say(f"note: {safe(uri)} shows a picture of an exemplar; those frames taught nothing")
    if as_json:
        print_json_lines(
            [
                {
                    "match_similarity": done.match_similarity,
                    "before": done.before,
                    "vectors": done.vectors,
                    "frames": done.frames,
                    "videos": done.videos,
                    "nearest": done.nearest,
                    "sharing": done.sharing,
                    "errors": [uri for uri, _ in done.errors],
                }
            ]
        )
    else:
        print_line(f"match similarity {done.match_similarity} (was {done.before})")
        say(
            f"learnt from {done.frames} frames of {done.videos} videos;"
            f" the one nearest to an exemplar is of {safe(done.nearest)}"
        )
    if done.errors:
        raise typer.Exit(EXIT_ERRORS)
