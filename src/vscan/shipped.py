"""Finds the configuration that ships with vscan: policy packs and run profiles, by name.

`configs/` lies inside the package in an installed wheel and at the repository root in a checkout.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

from vscan.errors import UsageError

ConfigKind = Literal["policies", "profiles"]
"""The folders of `configs/`: policy packs, and run profiles."""

_WORDS: dict[ConfigKind, str] = {"policies": "policy pack", "profiles": "run profile"}


def configs_folder(package: Path | None = None) -> Path:
    """The folder that holds the shipped configuration.

    `package` is the folder of the vscan package; this one by default. Raises UsageError where the
    installation has no configuration.
    """
    package = package or Path(__file__).resolve().parent
    inside = package / "configs"
    if inside.is_dir():
        return inside
    checkout = package.parent.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "configs").is_dir():
        return checkout / "configs"
    raise UsageError(
        f"no shipped configuration beside {package}",
        remedy="the installation is not complete: install vscan again",
    )


def shipped(kind: ConfigKind, package: Path | None = None) -> dict[str, Path]:
    """Shipped files of one kind by name (the file's name without `.toml`), sorted by name."""
    folder = configs_folder(package) / kind
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def locate(kind: ConfigKind, name_or_path: str) -> Path:
    """The file that `name_or_path` means: a path to a `.toml` file, or the name of a shipped one.

    Whatever ends in `.toml` or has a slash in it is a path. Raises UsageError, naming the nearest
    known name, where there is no such file.
    """
    word = _WORDS[kind]
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        path = Path(name_or_path)
        if path.is_dir():
            raise UsageError(
                f"{name_or_path} is a folder, not a {word}", remedy="name the .toml file in it"
            )
        if not path.exists():
            raise UsageError(
                f"no {word} at {name_or_path}", remedy=_remedy(kind, path.stem, "check the path")
            )
        if not path.is_file():
            raise UsageError(
                f"{name_or_path} is a pipe or a device, not a {word}",
                remedy="write it to a .toml file first",
            )
        return path
    found = shipped(kind)
    if name_or_path in found:
        return found[name_or_path]
    beside = Path(f"{name_or_path}.toml")
    other = f"for the file in this folder write {beside}" if beside.is_file() else ""
    raise UsageError(
        f"no {word} named {name_or_path!r} ships with vscan",
        remedy=_remedy(kind, name_or_path, other),
    )


def _remedy(kind: ConfigKind, name: str, other: str) -> str:
    known = shipped(kind)
    near = difflib.get_close_matches(name, known, n=1)
    parts = [f"did you mean {near[0]}?" if near else "", other]
    parts.append(f"shipped: {', '.join(known) or 'none'}; a path to a file must end in .toml")
    return "; ".join(part for part in parts if part)
