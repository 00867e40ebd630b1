"""Lint tells errors, and of a pack that holds what is doubtful in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vscan.policies import lint_pack

CLEAN = """\
schema = "vscan.pack/1"
name = "p"
version = "1"
description = "d"
model = "m"
neutral = ["a street"]

[[policy]]
id = "a"
title = "A"
description = "d"
severity = "low"
prompts = ["one", "two"]
contrast = ["three"]
thresholds = { review = 0.5 }

[[policy]]
id = "b"
title = "B"
description = "d"
severity = "low"
indexes = ["known"]
"""


def warnings(tmp_path: Path, content: str) -> list[str]:
    """Warnings of a pack that has no errors, without the file's name."""
    path = tmp_path / "p.toml"
    path.write_text(content, "utf-8")
    report = lint_pack(str(path))
    assert () == report.errors
    assert report.pack is not None
    return [str(warning).removeprefix(f"{path}:") for warning in report.warnings]


def test_nothing_to_say(tmp_path: Path) -> None:
    """A careful pack passes without a warning."""
    assert [] == warnings(tmp_path, CLEAN)


CASES = [
    ('description = "d"\nmodel', "model", "2: name: the pack has no description"),
    ('model = "m"\n', "", "2: name: thresholds are set, and no model is named"),
    ('neutral = ["a street"]\n', "", "2: name: there are no neutral prompts"),
    ('description = "d"\nseverity = "low"\nprompts', 'severity = "low"\nprompts',
     "9: policy[0].id: the policy has no description"),
    ('contrast = ["three"]\n', "", "13: policy[0].prompts: the policy has no contrast prompts"),
    ('["three"]', '["three", "Two"]', "13: policy[0].prompts[1]: the prompt is a contrast prompt"),
    ('["one", "two"]', '["one", "ONE"]', "13: policy[0].prompts[1]: the prompt stands here twice"),
    ('["one", "two"]', '["a street"]', "13: policy[0].prompts[0]: the prompt is a neutral prompt"),
    ('"one"', f'"{"word " * 70}"', "13: policy[0].prompts[0]: 7"),
    ("review = 0.5", "review = 0", "15: policy[0].thresholds.review: every sample reaches"),
    ('indexes = ["known"]', 'prompts = ["TWO"]\ncontrast = ["x"]\nthresholds = { review = 1 }',
     "22: policy[1].prompts[0]: the prompt stands under a too"),
    ('indexes = ["known"]', 'indexes = ["known"]\ncontrast = ["x"]',
     "23: policy[1].contrast: contrast without prompts has no effect"),
    ('indexes = ["known"]', 'indexes = ["known"]\nthresholds = { review = 1 }',
     "23: policy[1].thresholds: thresholds without prompts have no effect"),
    ('id = "a"', 'id = "child_safety.grooming"',
     "13: policy[0].prompts: child safety is matched through exemplars, never described"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "warning"), CASES)
def test_one_doubt(tmp_path: Path, old: str, new: str, warning: str) -> None:
    """Each doubt gives one warning, on its line."""
    assert CLEAN.count(old) == 1
    (told,) = warnings(tmp_path, CLEAN.replace(old, new))
    assert told.startswith(warning)


def test_errors_come_without_warnings(tmp_path: Path) -> None:
    """A pack that does not hold has its errors told, and no pack is handed out."""
    path = tmp_path / "p.toml"
    path.write_text("name = 3\n", "utf-8")
    report = lint_pack(str(path))
    assert report.pack is None
    assert [("schema", 1), ("name", 1), ("version", 1), ("policy", 1)] == [
        (error.where, error.line) for error in report.errors
    ]
    assert () == report.warnings
