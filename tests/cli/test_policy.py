"""`vscan policy` as a person uses it: what it prints, where, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from vscan.cli.policy import policy_app
from vscan.errors import OutputError, PackError, UsageError
from vscan.policies import load_pack, pack_json_schema

BROKEN = """\
schema = "vscan.pack/1"
name = "p"
version = "1"
neutral = ["x"]
[[policy]]
id = "a"
title = "A"
severity = "hihg"
prompts = ["x"]
[policy.thresholds]
review = nan
"""


def run(*arguments: str) -> Result:
    """What a command prints and how it ends; errors that `main` would print are in `exception`."""
    return CliRunner().invoke(policy_app, list(arguments))


def rows(result: Result) -> list[dict[str, object]]:
    """Objects of `--json`."""
    assert (0, "") == (result.exit_code, result.stderr)
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_list() -> None:
    """Shipped packs as a table, the first column their names."""
    result = run("list")
    assert (0, "") == (result.exit_code, result.stderr)
    head, *lines = result.stdout.splitlines()
    assert ["name", "version", "policies", "model", "title"] == head.split()
    assert "baseline" in [line.split()[0] for line in lines]


def test_list_json() -> None:
    """One object a line, with the digest that verdicts name."""
    (baseline,) = [row for row in rows(run("list", "--json")) if row["name"] == "baseline"]
    pack = load_pack("baseline")
    assert pack.ref == f"{baseline['name']}@{baseline['version']}#{baseline['digest']}"
    assert list(pack.ids) == baseline["policies"]


def test_show_pack() -> None:
    """Every policy is a row, with its thresholds in full."""
    result = run("show", "baseline")
    assert (0, "") == (result.exit_code, result.stderr)
    for policy in load_pack("baseline").policies:
        assert policy.id in result.stdout
    assert "review 0.85, escalate 0.97" in result.stdout


def test_show_policy() -> None:
    """All prompts and contrast prompts of one policy, each on its line."""
    result = run("show", "baseline", "weapons.firearms")
    policy = load_pack("baseline").policy("weapons.firearms")
    lines = result.stdout.splitlines()
    assert all(f"prompt    {prompt}" in lines for prompt in policy.prompts)
    assert all(f"contrast  {prompt}" in lines for prompt in policy.contrast)


def test_show_json() -> None:
    """A policy as an object says which pack it is of, and has actions as words."""
    pack = load_pack("baseline")
    (shown,) = rows(run("show", "baseline", "extremism.propaganda", "--json"))
    assert (pack.ref, "escalate") == (shown["pack"], shown["match_action"])
    assert list(pack.ids) == [row["id"] for row in rows(run("show", "baseline", "--json"))]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("show", "baselin"), PackError, "did you mean baseline?"),
        (("show", "baseline", "weapons.firearm"), UsageError, "did you mean weapons.firearms?"),
        (("new", "pack.yaml"), UsageError, "write to pack.yaml.toml"),
        (("new", "no/such/p.toml"), OutputError, "make the folder first"),
    ],
)
def test_errors(arguments: tuple[str, ...], kind: type[Exception], message: str) -> None:
    """Errors are those that the program prints without a traceback, and they end with 2."""
    result = run(*arguments)
    assert isinstance(result.exception, kind)
    assert 2 == getattr(result.exception, "exit_code", None)
    assert message in str(result.exception)
    assert "" == result.stdout


def test_new_then_lint(tmp_path: Path) -> None:
    """A first pack of one's own: written, told about on stderr, and clean."""
    file = tmp_path / "mine.toml"
    written = run("new", str(file))
    assert (0, "") == (written.exit_code, written.stdout)
    assert f"vscan policy lint {file}" in written.stderr
    checked = run("lint", str(file))
    assert (0, f"{file}: ok, policies: 2, prompts: 5, warnings: 0\n") == (
        checked.exit_code,
        checked.stdout,
    )


def test_new_from_a_pack(tmp_path: Path) -> None:
    """A copy carries the name that was asked for."""
    file = tmp_path / "copy.toml"
    assert 0 == run("new", str(file), "--from", "baseline", "--name", "ours").exit_code
    assert "ours" == load_pack(str(file)).name


def test_new_does_not_overwrite(tmp_path: Path) -> None:
    """Asked twice, the second time is refused."""
    file = tmp_path / "mine.toml"
    assert 0 == run("new", str(file)).exit_code
    assert isinstance(run("new", str(file)).exception, OutputError)


def test_lint_tells_every_error(tmp_path: Path) -> None:
    """Each error with file, line and key; packs that hold are told apart; the exit code is 2."""
    file = tmp_path / "broken.toml"
    file.write_text(BROKEN, "utf-8")
    result = run("lint", str(file), "baseline")
    assert 2 == result.exit_code
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"error: {file}:8: policy[0].severity: must be 'low'")
    assert (
        f"error: {file}:11: policy[0].thresholds.review: must be a finite number, got nan"
        == (lines[1])
    )
    assert f"{file}: not usable, errors: 2" == lines[2]
    assert ": ok, policies: " in lines[3]


def test_lint_warns_without_failing(tmp_path: Path) -> None:
    """A doubt is told, and the exit code stays 0."""
    file = tmp_path / "doubtful.toml"
    file.write_text(BROKEN.replace("hihg", "high").replace("nan", "0.5"), "utf-8")
    result = run("lint", str(file))
    assert 0 == result.exit_code
    assert f"warning: {file}:6: policy[0].id: the policy has no description" in result.stdout


def test_lint_json(tmp_path: Path) -> None:
    """Programs get each problem as an object."""
    file = tmp_path / "broken.toml"
    file.write_text(BROKEN.replace("nan", "0.5"), "utf-8")
    result = run("lint", str(file), "--json")
    assert 2 == result.exit_code
    assert {
        "level": "error",
        "file": str(file),
        "line": 8,
        "where": "policy[0].severity",
        "message": "must be 'low', 'medium', 'high' or 'critical', got text 'hihg'",
        "hint": "did you mean high?",
    } == json.loads(result.stdout)


def test_lint_of_what_is_not_there(tmp_path: Path) -> None:
    """A missing file is an error among others, and the other files are still checked."""
    result = run("lint", str(tmp_path / "nope.toml"), "baseline")
    assert 2 == result.exit_code
    assert "no policy pack at" in result.stdout
    assert ": ok, policies: " in result.stdout


def test_lint_escapes_what_it_quotes(tmp_path: Path) -> None:
    """A pack from a stranger cannot steer the terminal of the one who checks it."""
    file = tmp_path / "evil.toml"
    file.write_text('"\\u001b[2J\\u202e" = 1\n', "utf-8")
    result = run("lint", str(file))
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "\\x1b[2J" in result.stdout


def test_schema() -> None:
    """The JSON Schema on stdout, as the documents hold it."""
    assert pack_json_schema() == run("schema").stdout


def test_help_teaches() -> None:
    """Help names every command and what a pack is."""
    shown = run("--help").stdout
    assert all(command in shown for command in ("list", "show", "new", "lint", "schema"))
    assert "TOML" in shown
