"""Errors: one tree, stable codes, and every code that the sources use is in the tables."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from vscan import errors
from vscan.errors import (
    ERROR_CODES,
    WARNING_CODES,
    InterruptedRunError,
    OutputError,
    PackError,
    PackProblem,
    SourceError,
    UsageError,
    VscanError,
)
from vscan.quarantine import QUARANTINED

ROOT = Path(__file__).parents[1] / "src" / "vscan"


def trees() -> Iterator[tuple[Path, ast.Module]]:
    """Every source file, parsed."""
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def literals(node: ast.AST) -> Iterator[str]:
    """Every text within an expression, annotations aside."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def name_of(call: ast.Call) -> str:
    """The last part of what is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def test_every_error_code_is_in_the_table() -> None:
    """A SourceError's code that is a literal stands in ERROR_CODES; and each code has a user."""
    used = set()
    for path, tree in trees():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if name_of(call) in ("SourceError", "ProcessFailed") and call.args:
                first = call.args[0]
                if isinstance(first, ast.Constant):
                    assert first.value in ERROR_CODES, f"{path}: {first.value!r}"
        if path.name != "errors.py":
            used |= set(literals(tree))
    assert set() == set(ERROR_CODES) - used


def warnings_of(tree: ast.Module) -> Iterator[str]:
    """Every text that a file puts under a name with `warnings` in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "warnings":
            yield from literals(node.value)
        elif isinstance(node, ast.Call) and "warnings" in ast.unparse(node.func):
            yield from (text for argument in node.args for text in literals(argument))
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            several = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            pairs = (
                zip(target.elts, node.value.elts, strict=True)  # type: ignore[attr-defined]  # both are Tuple
                if several
                else [(target, node.value)]
            )
            for name, value in pairs:
                if "warnings" in ast.unparse(name):
                    yield from literals(value)


JUDGING = {"prompts_not_scored", "signal_not_stored", "sampled_for_other_pack"}
"""Warnings that come of judging, not of reading."""


def test_every_warning_code_is_in_the_table() -> None:
    """What is put under `warnings` while decoding stands in WARNING_CODES; each code has a user."""
    found = {
        text: path.name
        for path, tree in trees()
        if path.parts[0] == "decode"
        for text in warnings_of(tree)
    }
    assert {} == {text: file for text, file in found.items() if text not in WARNING_CODES}
    assert set(WARNING_CODES) == {*found, *JUDGING, QUARANTINED}


def test_codes_are_words() -> None:
    """Codes are lower case with underscores, and every one is explained."""
    for code, meaning in (ERROR_CODES | WARNING_CODES).items():
        assert code.replace("_", "").isalpha()
        assert code.islower()
        assert len(meaning) > 10


def test_an_unknown_code_is_a_mistake() -> None:
    """A code outside the table cannot reach a record."""
    with pytest.raises(ValueError, match="unknown error code 'oops'"):
        SourceError("oops", "message")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (VscanError("m"), 2),
        (UsageError("m"), 2),
        (OutputError("m"), 2),
        (PackError((PackProblem("p.toml", 3, "policy[0]", "m"),)), 2),
        (SourceError("not_found", "m"), 3),
        (InterruptedRunError(2), 130),
        (InterruptedRunError(15), 143),
    ],
)
def test_exit_codes(error: VscanError, code: int) -> None:
    """Each class knows the exit code that it calls for."""
    assert code == error.exit_code


def test_one_tree() -> None:
    """Everything that is raised on purpose can be caught as VscanError."""
    classes = [
        each for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, Exception)
    ]  # fmt: skip
    assert len(classes) > 8
    assert all(issubclass(each, VscanError) for each in classes)
    assert all(each.__name__ in (errors.__doc__ or "") for each in classes)


def test_text_of_an_error() -> None:
    """The message, and on the next line what to do about it."""
    assert "what\ndo" == str(UsageError("what", remedy="do"))
    assert "what" == str(UsageError("what"))


def test_text_of_a_pack_problem() -> None:
    """File, line, key, message and hint, as editors can jump to."""
    problem = PackProblem("p.toml", 3, "policy[0].id", "wrong", "did you mean a?")
    assert "p.toml:3: policy[0].id: wrong (did you mean a?)" == str(problem)
    assert "p.toml: wrong" == str(PackProblem("p.toml", 0, "", "wrong"))
