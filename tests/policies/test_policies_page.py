"""docs/policies.md is true: its example holds, its lint output is real, every key is told."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from vscan.cli.policy import policy_app
from vscan.policies import pack_json_schema, parse_pack

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text("utf-8")


def example() -> str:
    """The pack of the worked example."""
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


def test_example_holds() -> None:
    """The example loads, and scores mean what the page says."""
    policy = parse_pack(example().encode(), file="mine.toml").policy("drugs.tobacco")
    assert "review" == str(policy.thresholds.action_at(0.9))
    assert policy.release_score == pytest.approx(0.68)


def test_lint_output_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The three slips give the lines that the page shows."""
    slips = example().replace('severity = "medium"', 'severity = "medum"')
    slips = slips.replace("min_duration_s = 2.0\n", "").replace("escalate = 0.97", "escalate = 97")
    slips = slips.replace("[policy.thresholds]\n", "[policy.thresholds]\nmin_duration_s = 2.0\n")
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(slips, "utf-8")
    shown = re.search(r"\$ vscan policy lint mine\.toml\n(error.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert shown[1] == CliRunner().invoke(policy_app, ["lint", "mine.toml"]).stdout


def test_every_key_is_told() -> None:
    """No key of a pack is missing from the page's tables."""
    schema = orjson.loads(pack_json_schema())
    keys = {*schema["properties"], *schema["$defs"]["Policy"]["properties"]} - {"policy"}
    told = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\|.*$", PAGE, re.MULTILINE))))
    assert set() == keys - told - {"thresholds"}
    assert "[policy.thresholds]" in PAGE
