"""Whatever is wrong in a pack is told at once: line, key, cause and how to mend it."""

from __future__ import annotations

import pytest

from vscan.errors import PackError, PackProblem
from vscan.policies import parse_pack

HEAD = """\
schema = "vscan.pack/1"
name = "p"
version = "1"
neutral = ["a street"]
"""
POLICY = """\
[[policy]]
id = "a.b"
title = "A"
severity = "low"
prompts = ["x"]
[policy.thresholds]
review = 0.5
"""


def problems(content: str | bytes) -> tuple[PackProblem, ...]:
    """What parsing the content complains of."""
    raw = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(PackError) as error:
        parse_pack(raw, file="p.toml")
    return error.value.problems


def replaced(old: str, new: str) -> str:
    """The whole pack with one place changed, which must be there."""
    whole = HEAD + POLICY
    assert whole.count(old) == 1
    return whole.replace(old, new)


CASES = {
    "unknown key": (
        ("version =", "verzion = 1\nversion ="),
        "p.toml:3: verzion: unknown key (did you mean version?)",
    ),
    "unknown key in a policy": (
        ("title = ", "promts = []\ntitle = "),
        "p.toml:7: policy[0].promts: unknown key (did you mean prompts?)",
    ),
    "key of a policy below its thresholds": (
        ("review = 0.5", "review = 0.5\nrelease = 0.5"),
        "p.toml:12: policy[0].thresholds.release: unknown key"
        " (release belongs above [policy.thresholds])",
    ),
    "threshold of nan": (
        ("review = 0.5", "review = nan"),
        "p.toml:11: policy[0].thresholds.review: must be a finite number, got nan",
    ),
    "threshold of inf": (
        ("review = 0.5", "review = -inf"),
        "p.toml:11: policy[0].thresholds.review: must be a finite number, got -inf",
    ),
    "threshold in percent": (
        ("review = 0.5", "review = 85"),
        "p.toml:11: policy[0].thresholds.review: must be 1 or less, got 85"
        " (from 0 to 1: for 85 % write 0.85)",
    ),
    "negative threshold": (
        ("review = 0.5", "review = -0.1"),
        "p.toml:11: policy[0].thresholds.review: must be 0 or more, got -0.1",
    ),
    "number in quotes": (
        ("review = 0.5", 'review = "0.5"'),
        "p.toml:11: policy[0].thresholds.review: must be a number, got text '0.5'"
        " (write it without quotes)",
    ),
    "truth for a number": (
        ("review = 0.5", "review = true"),
        "p.toml:11: policy[0].thresholds.review: must be a number, got true",
    ),
    "version as a number": (
        ('version = "1"', "version = 2026.11"),
        'p.toml:3: version: must be text, got 2026.11 (write it in quotes: "2026.11")',
    ),
    "descending thresholds": (
        ("review = 0.5", "escalate = 0.4\nreview = 0.5"),
        "p.toml:11: policy[0].thresholds.escalate: escalate = 0.4 lies below review = 0.5;"
        " see line 12 (thresholds ascend: review <= escalate <= remove)",
    ),
    "empty prompts": (
        ('prompts = ["x"]', "prompts = []"),
        "p.toml:9: policy[0].prompts: a policy needs prompts or exemplar indexes, and has neither"
        ' (add prompts = ["…"], or indexes = ["…"])',
    ),
    "no prompts and no indexes": (
        ('prompts = ["x"]\n', ""),
        "p.toml:5: policy[0]: a policy needs prompts or exemplar indexes, and has neither"
        ' (add prompts = ["…"], or indexes = ["…"])',
    ),
    "no thresholds": (
        ("[policy.thresholds]\nreview = 0.5\n", ""),
        "p.toml:5: policy[0]: prompts need at least one threshold, and there is none"
        " (add [policy.thresholds] with review = 0.8)",
    ),
    "nothing to score against": (
        ('neutral = ["a street"]\n', ""),
        "p.toml:8: policy[0].prompts: prompts have nothing to be scored against"
        " (add contrast prompts here, or neutral prompts to the pack)",
    ),
    "one prompt without a list": (
        ('prompts = ["x"]', 'prompts = "x"'),
        "p.toml:9: policy[0].prompts: must be a list, got text 'x'"
        ' (write ["…"], in square brackets)',
    ),
    "blank prompt": (
        ('prompts = ["x"]', 'prompts = [\n  "x",\n  "  ",\n]'),
        "p.toml:11: policy[0].prompts[1]: is blank (got text '  ')",
    ),
    "control character": (
        ('prompts = ["x"]', 'prompts = ["x\\u001b[2J"]'),
        "p.toml:9: policy[0].prompts[0]: holds control characters (got text 'x\\x1b[2J')",
    ),
    "template without a place": (
        ("neutral", 'templates = ["a photo"]\nneutral'),
        "p.toml:4: templates[0]: must hold exactly one {}, where the prompt goes"
        " (got text 'a photo')",
    ),
    "template with two places": (
        ("neutral", 'templates = [\n"{}",\n"{} {}"]\nneutral'),
        "p.toml:6: templates[1]: must hold exactly one {}, where the prompt goes"
        " (got text '{} {}')",
    ),
    "no templates": (
        ("neutral", "templates = []\nneutral"),
        "p.toml:4: templates: must hold at least one",
    ),
    "id that is no id": (
        ('id = "a.b"', 'id = "A-b"'),
        "p.toml:6: policy[0].id: must be lower_snake words joined by dots, as weapons.firearms,"
        " got text 'A-b' (for instance a_b)",
    ),
    "misspelt severity": (
        ('severity = "low"', 'severity = "hihg"'),
        "p.toml:8: policy[0].severity: must be 'low', 'medium', 'high' or 'critical',"
        " got text 'hihg' (did you mean high?)",
    ),
    "action that is none": (
        ('severity = "low"', 'severity = "low"\nmatch_action = "allow"'),
        "p.toml:9: policy[0].match_action: must be 'review', 'escalate' or 'remove',"
        " got text 'allow'",
    ),
    "missing key": (
        ('severity = "low"\n', ""),
        "p.toml:5: policy[0].severity: is required and missing",
    ),
    "another version of the format": (
        ("vscan.pack/1", "vscan.pack/2"),
        "p.toml:1: schema: must be 'vscan.pack/1', got text 'vscan.pack/2'"
        " (did you mean vscan.pack/1?)",
    ),
    "negative duration": (
        ('severity = "low"', 'severity = "low"\nmin_duration_s = -1'),
        "p.toml:9: policy[0].min_duration_s: must be 0 or more, got -1",
    ),
    "release that never closes": (
        ('severity = "low"', 'severity = "low"\nrelease = 0.0'),
        "p.toml:9: policy[0].release: must be above 0, got 0.0",
    ),
    "one bracket": (
        ("[[policy]]", "[policy]"),
        "p.toml:5: policy: must be a list, got a table (write [[policy]], in two brackets)",
    ),
    "key set twice": (
        ('version = "1"', 'version = "1"\nversion = "2"'),
        "p.toml:4: Cannot overwrite a value, in column 14 (the key is set a second time)",
    ),
    "text without quotes": (
        ('severity = "low"', "severity = low"),
        "p.toml:8: Invalid value, in column 12"
        " (text stands in quotes, true and false in lower case)",
    ),
    "list that does not end": (
        ('prompts = ["x"]', 'prompts = ["x"'),
        "p.toml:10: Unclosed array, in column 1",
    ),
}


@pytest.mark.parametrize(("change", "message"), CASES.values(), ids=CASES.keys())
def test_one_problem(change: tuple[str, str], message: str) -> None:
    """One fault gives one problem, in the words a person can act on."""
    assert [message] == [str(problem) for problem in problems(replaced(*change))]


def test_policy_without_policies() -> None:
    """A pack without a policy is no pack."""
    assert ["p.toml:1: policy: is required and missing"] == [str(p) for p in problems(HEAD)]


def test_plural_of_the_table() -> None:
    """[[policies]] is told apart from [[policy]]."""
    told = [str(problem) for problem in problems(replaced("[[policy]]", "[[policies]]"))]
    assert "p.toml:5: policies: unknown key (did you mean policy?)" in told


def test_second_policy_with_the_same_id() -> None:
    """A repeated id points to the first one."""
    (problem,) = problems(HEAD + POLICY + POLICY)
    assert (13, "policy[1].id") == (problem.line, problem.where)
    assert "'a.b' is the id of an earlier policy too; see line 6" == problem.message


def test_all_at_once_in_file_order() -> None:
    """Faults of single keys and faults between keys are told together, from top to bottom."""
    broken = POLICY.replace('"low"', '"lo"').replace("0.5", "nan").replace('["x"]', "[]")
    found = problems(HEAD.replace("name", "nam") + broken + POLICY)
    assert [1, 2, 8, 9, 11, 13] == [problem.line for problem in found]


def test_not_utf_8() -> None:
    """Bytes that are not UTF-8 are told with their line."""
    assert ["p.toml:2: is not UTF-8 text (save the file as UTF-8)"] == [
        str(problem) for problem in problems(b'schema = "vscan.pack/1"\nname = "\xff"\n')
    ]


@pytest.mark.parametrize("deep", ["x = " + "[" * 100_000, "x = " + "{a = " * 20_000])
def test_bottomless_nesting(deep: str) -> None:
    """A file made to exhaust the reader is a problem like any other."""
    (problem,) = problems(deep)
    assert "nested too deeply" in problem.message


def test_values_of_the_wrong_kind_everywhere() -> None:
    """No value, whatever its kind, ends in anything but problems."""
    kinds = ["1", "1.5", "true", '"x"', "[]", "[1]", "{}", "{a = 1}", "1979-05-27"]
    keys = ["schema", "name", "templates", "neutral", "model", "policy", "description"]
    for key in keys:
        for kind in kinds:
            assert problems(f"{key} = {kind}\n")
    for key in ["id", "severity", "prompts", "indexes", "thresholds", "release", "match_action"]:
        for kind in ["1979-05-27", "[{}]", "{a = [1]}"]:
            assert problems(HEAD + f"[[policy]]\n{key} = {kind}\n")
