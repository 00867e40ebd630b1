"""docs/calibration.md is true: its program prints what it shows, its certificate is one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from vscan.policies.certificates import Certificate

PAGE = (Path(__file__).parents[2] / "docs" / "calibration.md").read_text("utf-8")


def test_the_program_prints_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """The simulation as it stands, to the last digit."""
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(program, "docs/calibration.md", "exec"), {})  # noqa: S102 -- the page's own code
    assert f"```text\n{capsys.readouterr().out}```" in PAGE


def test_the_certificate_is_one() -> None:
    """Its keys and values are what a pack may hold, where digests are cut short for the page."""
    (text,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    values = tomllib.loads(text.replace("sha256:…", "sha256:" + "0" * 64))
    told = values["policy"]["calibration"]["review"]
    assert set(Certificate.model_fields) == {*told, "opens_at"}
    assert 0.6901 == Certificate.model_validate(told).threshold
