"""Sampling specifications: what each one asks for, and what is refused with which advice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vscan.errors import SamplingError
from vscan.sampling import (
    EveryRequest,
    FrameRequest,
    GridRequest,
    KeyframesRequest,
    Known,
    parse_sampling,
)


@pytest.mark.parametrize(
    ("text", "spec", "request_"),
    [
        ("fps:1", "fps:1", GridRequest(1.0)),
        ("fps:2", "fps:2", GridRequest(0.5)),
        ("fps:0.5", "fps:0.5", GridRequest(2.0)),
        ("fps:.25", "fps:0.25", GridRequest(4.0)),
        ("fps:120", "fps:120", GridRequest(1 / 120)),
        (" FPS:1.0 ", "fps:1", GridRequest(1.0)),
        ("every:1", "every:1", EveryRequest(1)),
        ("every:030", "every:30", EveryRequest(30)),
        ("keyframes", "keyframes", KeyframesRequest()),
    ],
)
def test_specifications(text: str, spec: str, request_: FrameRequest) -> None:
    """Each form asks for its frames once, and is recorded in one spelling."""
    plan = parse_sampling(text)
    assert spec == plan.spec
    assert request_ == plan.next_request(Known(duration_s=None))
    assert None is plan.next_request(Known(duration_s=10.0, rounds=1, times_s=(0.0,)))


@pytest.mark.parametrize(
    "text",
    ["", "fps", "fps:", "fps:0", "fps:0.0", "fps:121", "fps:-1", "fps:nan", "fps:inf", "fps:1e9",
     "fps:1,5", "every:0", "every:-1", "every:1.5", "every:", "keyframes:0",
     "keyframes:", "adaptive:0.01", "all", "fps:²"],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    """Anything else is refused by name, with a form that would do."""
    with pytest.raises(SamplingError) as caught:
        parse_sampling(text)
    assert repr(text) in caught.value.message
    assert "fps:" in caught.value.remedy


@given(st.text(max_size=12))
def test_no_text_breaks_it(text: str) -> None:
    """Whatever is typed gives a plan or a SamplingError; a plan's spec gives the plan again."""
    try:
        plan = parse_sampling(text)
    except SamplingError:
        return
    assert plan == parse_sampling(plan.spec)
