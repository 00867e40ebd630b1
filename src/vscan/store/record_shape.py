"""Whether parsed JSON has the shape of a verdict: what all who read verdict files rely on.

A file may be edited by hand or come from somebody else. Kinds are looked at, and of words only
outcomes and actions: a newer vscan may know further codes, and further fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from vscan.verdicts import OUTCOMES, ActionName

Check = Callable[[Any], bool]


def _word(*words: str) -> Check:
    return lambda value: type(value) is str and value in words


def _is(*kinds: type) -> Check:
    # By the very type: `True` is an int otherwise.
    if len(kinds) == 1:
        (kind,) = kinds
        return lambda value: type(value) is kind
    return lambda value: type(value) in kinds


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list(check: Check) -> Check:
    return lambda value: type(value) is list and (not value or all(map(check, value)))


def _span(value: Any) -> bool:
    return type(value) is list and len(value) == 2 and all(map(_NUMBER, value))


def _texts(value: Any) -> bool:
    return type(value) is dict and all(type(each) is str for each in value.values())


def _object(fields: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    further = tuple((optional or {}).items())
    needed = tuple(fields.items())

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return False
        # Loops, for every line of a verdict file that is resumed comes by here.
        for name, holds in needed:
            if name not in value or not holds(value[name]):
                return False
        for name, holds in further:  # noqa: SIM110 -- as above
            if name in value and not holds(value[name]):
                return False
        return True

    return check


_TEXT, _NUMBER = _is(str), _is(int, float)
_OUTCOME, _ACTION = _word(*OUTCOMES), _word(*get_args(ActionName))
_SEGMENT = _object(dict.fromkeys(("start_s", "end_s", "peak_s", "score"), _NUMBER))
_PROMPT = _object(
    {"prompt": _TEXT, "time_s": _NUMBER, "similarity": _NUMBER, "score": _NUMBER},
)
_EXEMPLAR = _object(
    {
        **dict.fromkeys(("index", "exemplar", "exemplar_policy", "signal", "transform"), _TEXT),
        **dict.fromkeys(("source_span_s", "exemplar_span_s"), _span),
        **dict.fromkeys(("score", "source_coverage", "exemplar_coverage"), _NUMBER),
    },
    dict.fromkeys(("speed", "distance", "similarity", "inliers"), _NUMBER),
)


def _evidence(value: Any) -> bool:
    kind = value.get("kind") if type(value) is dict else None
    return _PROMPT(value) if kind == "prompt" else kind == "exemplar" and _EXEMPLAR(value)


def _some_evidence(value: Any) -> bool:
    return _list(_evidence)(value) and len(value) > 0


_FINDING = _object(
    {
        **dict.fromkeys(("policy", "severity"), _TEXT),
        "action": _ACTION,
        **dict.fromkeys(("score", "threshold"), _NUMBER),
        "segments": _list(_SEGMENT),
        "evidence": _some_evidence,
    }
)
_SUPPRESSED = _object(
    {
        "policy": _TEXT,
        "segments": _list(_SEGMENT),
        "evidence": _some_evidence,
        "by": _list(_EXEMPLAR),
    },
    {"reason": _or_null(_TEXT)},
)
_SAMPLES = _object(
    {
        **dict.fromkeys(("plan", "reader"), _TEXT),
        **dict.fromkeys(("planned", "read", "coverage"), _NUMBER),
        "gaps_s": _list(_span),
    }
)
_SOURCE = _object(
    {
        "uri": _TEXT,
        **dict.fromkeys(("sha256", "md5", "codec"), _or_null(_TEXT)),
        **dict.fromkeys(("bytes", "duration_s", "width", "height"), _or_null(_NUMBER)),
        "meta": _is(dict),
    },
    {"version": _or_null(_TEXT)},
)
_PROVENANCE = _object(
    {
        **dict.fromkeys(("vscan", "pack", "sampling"), _TEXT),
        **dict.fromkeys(("model", "precision"), _or_null(_TEXT)),
        "signals": _list(_TEXT),
        "indexes": _texts,
    },
)
has_shape: Check = _object(
    {
        **dict.fromkeys(("schema", "id"), _TEXT),
        "outcome": _OUTCOME,
        "action": _ACTION,
        **dict.fromkeys(("reasons", "warnings"), _list(_TEXT)),
        "source": _SOURCE,
        "findings": _list(_FINDING),
        "suppressed": _list(_SUPPRESSED),
        "samples": _or_null(_SAMPLES),
        "provenance": _PROVENANCE,
    },
    {"error": _object({"code": _TEXT, "message": _TEXT})},
)
"""Whether a value is a verdict's record, as far as its kinds go. Further fields may stand in it."""
