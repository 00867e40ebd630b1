"""What each sampling costs an hour of video, and what it finds of the events spliced in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.speed.event_scores import EventScores, Found, score_events
from bench.speed.event_set import LENGTHS_S, EventSet
from bench.speed.processes import measured
from bench.speed.tables import markdown, ratio, times
from vscan.sampling import parse_sampling

EVERY_FRAME = "PyAV, every frame"
BASE = "fps:1"
BASE_LENGTH_S = 5.0
"""The events by which the recall of other samplings is held against BASE's."""


def compare(made: EventSet, samplings: Sequence[str]) -> Iterator[str]:
    """Lines: two tables for each length of a group of pictures, of costs and of what is found.

    Raises SamplingError for an unknown sampling.
    """
    for sampling in samplings:
        parse_sampling(sampling)
    for gop_s in made.gops_s:
        paths = [str(made.path(video, gop_s).resolve()) for video in made.videos]
        ran = {EVERY_FRAME: measured("every_frame", {"paths": paths})}
        for sampling in samplings:
            settings = {"model": "builtin", "policy": "demo", "signals": ["embedding"]}
            request = {"paths": paths, "settings": settings | {"sampling": sampling}}
            ran[sampling] = measured("vscan_run", request)
        yield f"a keyframe every {gop_s:g} s"
        yield ""
        yield from markdown(*costs(ran, made.seconds / 3600))
        yield ""
        truth = dict(zip(paths, (video.events for video in made.videos), strict=True))
        scores = {
            sampling: score_events(truth, _found(ran[sampling]["findings"]))
            for sampling in samplings
        }
        yield from markdown(*finds(scores))
        yield ""
        yield from (problem for run in ran.values() for problem in run.get("errors", ()))


def costs(ran: Mapping[str, Mapping[str, Any]], hours: float) -> tuple[list[str], list[list[str]]]:
    """The table of CPU for an hour of video. ran: EVERY_FRAME, which only decodes, and scans."""
    decode_s = {name: run.get("readers_cpu_s", run["cpu_s"]) for name, run in ran.items()}
    head = ["CPU s for an hour of video", "decoding", "all", "frames", "every frame / decoding",
            f"{BASE} / decoding", f"{BASE} / all"]  # fmt: skip
    base_s = ran[BASE]["cpu_s"] if BASE in ran else 0.0
    rows = []
    for name, run in ran.items():
        rows.append(
            [
                name,
                f"{decode_s[name] / hours:.1f}",
                "-" if name == EVERY_FRAME else f"{run['cpu_s'] / hours:.1f}",
                str(run["frames"]),
                times(ratio(decode_s[EVERY_FRAME], decode_s[name])),
                times(ratio(decode_s.get(BASE, 0.0), decode_s[name])),
                "-" if name == EVERY_FRAME else times(ratio(base_s, run["cpu_s"])),
            ]
        )
    return head, rows


def finds(scores: Mapping[str, EventScores]) -> tuple[list[str], list[list[str]]]:
    """The table of recall, precision and boundaries."""
    head = ["found", *(f"of {length} s" for length in LENGTHS_S),
            f"of {BASE}'s {BASE_LENGTH_S:g} s", "precision",
            "boundary off, median s", "95 % s"]  # fmt: skip
    base = scores[BASE].recall[BASE_LENGTH_S][0] if BASE in scores else 0
    rows = []
    for name, score in scores.items():
        shares = [f"{hit} of {of}" for hit, of in score.recall.values()]
        against = f"{score.recall[BASE_LENGTH_S][0] / base:.1%}" if base else "-"
        boundaries = [f"{score.boundary(percent):.2f}" for percent in (50.0, 95.0)]
        rows.append([name, *shares, against, f"{score.precision:.3f}", *boundaries])
    return head, rows


def _found(findings: Sequence[Mapping[str, Any]]) -> dict[str, list[Found]]:
    """Segments by video."""
    found: dict[str, list[Found]] = {}
    for finding in findings:
        for start_s, end_s in finding["segments"]:
            segment = Found(finding["policy"], start_s, end_s)
            found.setdefault(finding["uri"], []).append(segment)
    return found
