"""Imports point down the floors, inside functions too, and no circle closes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src"

FLOORS: list[set[str]] = [
    # From the ground up; a file imports only from floors below, or from its own room.
    {"errors"},
    {
        "intervals",
        "media",
        "tracks",
        "storage",
        "remote",
        "folders",
        "digests",
        "name_keys",
        "shipped",
        "at_hand",
    },
    {"names", "toml_lines", "timings", "halving"},
    {"sources", "sampling", "policies", "verdicts"},
    {"hashes", "shards", "tallies", "sameness", "scratch", "sample_batches"},
    {"decode", "held_frames"},
    {"embeddings"},
    {"store"},
    {"exemplars"},
    {"matching"},
    {"findings", "recipe"},
    {"judge", "quarantine", "measuring"},
    {"keeping", "rules"},
    {"earlier"},
    {"pipeline"},
    {"engines"},
    {"readiness", "provenance", "flood", "runs", "job_metrics"},
    {"settings"},
    {"scanning"},
    {"measured_by"},
    {"indexing", "interchange", "curation", "rescanning", "planning"},
    {"calibration", "hunting", "decisions"},
    {"metrics"},
    {"reports"},
    {"review"},
    {"__init__"},
    {"demo", "diagnosis"},
    {"cli"},
]


def modules() -> dict[str, Path]:
    """Dotted name below `vscan` to file, packages by the name of their folder."""
    found = {}
    for path in sorted((ROOT / "vscan").rglob("*.py")):
        parts = path.relative_to(ROOT / "vscan").with_suffix("").parts
        if parts[-1] == "__init__" and len(parts) > 1:
            parts = parts[:-1]
        found[".".join(parts)] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """Every vscan module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "vscan" or alias.name.startswith("vscan."):
                    yield alias.name.removeprefix("vscan").lstrip(".") or "__init__"
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            if node.module == "vscan":
                for alias in node.names:
                    known = alias.name in {name.split(".")[0] for name in modules()}
                    yield alias.name if known else "__init__"
            elif node.module.startswith("vscan."):
                yield node.module.removeprefix("vscan.")


def floor_of(module: str) -> int:
    """Height of a module's room; fails for one that stands on no floor."""
    room = module.split(".")[0]
    for height, rooms in enumerate(FLOORS):
        if room in rooms:
            return height
    pytest.fail(f"{module} stands on no floor: give its room a place in FLOORS")


def test_imports_point_down() -> None:
    """No file imports from a floor above its own, or from a neighbour on its floor."""
    upward = []
    for module, path in modules().items():
        for target in imported(path):
            if target.split(".")[0] == module.split(".")[0]:
                continue
            if floor_of(target) >= floor_of(module) and not (
                floor_of(target) == floor_of(module) and floor_of(module) <= 2
            ):
                upward.append(f"{module} -> {target}")
    assert [] == upward


def test_no_circle() -> None:
    """Following imports never leads back to where one came from."""
    edges = {module: set(imported(path)) - {module} for module, path in modules().items()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, "circle: " + " -> ".join((*trail, module))
        if module in done:
            return
        for target in sorted(edges.get(module, ())):
            visit(target, (*trail, module))
        done.add(module)

    for module in sorted(edges):
        visit(module, ())


def test_rooms_are_small() -> None:
    """A file does one thing: none passes 300 lines."""
    large = {
        module: lines
        for module, path in modules().items()
        if (lines := len(path.read_text("utf-8").splitlines())) > 300
    }
    assert {} == large


def test_every_file_says_what_lives_in_it() -> None:
    """Every file opens with a docstring whose first line is a sentence."""
    silent = []
    for module, path in modules().items():
        doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        if len(doc.splitlines()[0] if doc else "") < 15:
            silent.append(module)
    assert [] == silent
