"""The table of faults in docs/threat-model.md is true: every test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
ROW = re.compile(r"^\| (.+) \| `(tests/[\w/]+\.py)::(\w+)` \|$", re.MULTILINE)

FAULTS = (
    "SIGKILL", "full disk", "read-only", "head`", "two runs", "SIGSEGV", "out of memory",
    "changed while", "`..`", "newline", "ESC", "bidi", "UTF-8", "HTML", "symlink loop", "FIFO",
    "device", "16k", "ten hours", "clock", "damaged prompt cache", "index of another model",
    "tampered weights", "typo", "unknown key", "nan", "with `..` in it", "URL", "ffconcat", "HLS",
    "descriptors",
)  # fmt: skip
"""What a scanner of hostile files has to be held against."""


def rows() -> list[tuple[str, str, str]]:
    """Fault, file and function of every row."""
    return [(fault, file, name) for fault, file, name in ROW.findall(PAGE.read_text("utf-8"))]


def test_every_fault_is_in_the_table() -> None:
    """Each of them stands in a row; and no row is of a form that is passed over here."""
    told = "\n".join(fault for fault, _, _ in rows())
    assert [] == [fault for fault in FAULTS if fault not in told]
    assert len(rows()) == PAGE.read_text("utf-8").count("| `tests/")


@pytest.mark.parametrize(("fault", "file", "name"), rows(), ids=lambda each: each[:40])
def test_its_test_is_there(fault: str, file: str, name: str) -> None:
    """The file holds a test of that name, which says what it promises."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    (found,) = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    assert name.startswith("test_")
    assert len(ast.get_docstring(found) or "") > 20, fault


def test_no_file_of_faults_is_left_out() -> None:
    """Every file of tests in this folder stands in the table, but for this one."""
    here = {f"tests/faults/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert here - {f"tests/faults/{Path(__file__).name}"} <= {file for _, file, _ in rows()}
