"""Shipped configuration is found in a checkout, in a wheel and in an editable install alike."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vscan.errors import UsageError
from vscan.shipped import configs_folder, locate, shipped

ROOT = Path(__file__).parents[1]


def test_names_are_sorted_and_lie_where_they_say() -> None:
    """Each shipped pack's name leads to its file."""
    packs = shipped("policies")
    assert "baseline" in packs
    assert sorted(packs) == list(packs)
    assert all(path.is_file() and path.stem == name for name, path in packs.items())


def test_layout_of_a_checkout(tmp_path: Path) -> None:
    """`configs/` at the root of the repository is found from `src/vscan`."""
    package = tmp_path / "src" / "vscan"
    package.mkdir(parents=True)
    (tmp_path / "configs").mkdir()
    (tmp_path / "pyproject.toml").touch()
    assert tmp_path / "configs" == configs_folder(package)


def test_layout_of_a_wheel(tmp_path: Path) -> None:
    """`configs/` inside the package goes before anything outside it."""
    package = tmp_path / "src" / "vscan"
    (package / "configs").mkdir(parents=True)
    (tmp_path / "configs").mkdir()
    (tmp_path / "pyproject.toml").touch()
    assert package / "configs" == configs_folder(package)


def test_incomplete_installation(tmp_path: Path) -> None:
    """A folder that happens to be called configs, two floors up, is not taken for ours."""
    package = tmp_path / "lib" / "vscan"
    package.mkdir(parents=True)
    (tmp_path / "configs").mkdir()
    with pytest.raises(UsageError, match="no shipped configuration"):
        configs_folder(package)


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_real_wheel(tmp_path: Path, version: str) -> None:
    """A wheel built by pyproject.toml's own rules finds its packs, editable or not."""
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    if version == "editable":
        pytest.importorskip("editables", reason="hatchling's editable wheels need editables")
    project, wheels, site = tmp_path / "project", tmp_path / "wheels", tmp_path / "site"
    (project / "src" / "vscan").mkdir(parents=True)
    for name in ("__init__.py", "errors.py", "shipped.py"):
        shutil.copy(ROOT / "src" / "vscan" / name, project / "src" / "vscan" / name)
    shutil.copytree(ROOT / "configs", project / "configs")
    shutil.copy(ROOT / "pyproject.toml", project)
    for name in ("README.md", "LICENSE"):
        (project / name).touch()
    function = "build_wheel" if version == "standard" else "build_editable"
    wheels.mkdir()
    built = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; from hatchling.build import {function} as b; print(b(sys.argv[1]))",
            str(wheels),
        ],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    zipfile.ZipFile(wheels / built.stdout.split()[-1]).extractall(site)
    # -I and -S: nothing but the standard library and what this wheel brings.
    found = subprocess.run(
        [
            sys.executable,
            "-IS",
            "-c",
            "import json, site, sys; site.addsitedir(sys.argv[1]); import vscan.shipped as s;"
            "print(json.dumps({n: str(p) for n, p in s.shipped('policies').items()}))",
            str(site),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    home = site / "vscan" if version == "standard" else project
    assert {
        name: str(home / "configs" / "policies" / path.name)
        for name, path in shipped("policies").items()
    } == json.loads(found.stdout)


def test_a_path_is_a_path(tmp_path: Path) -> None:
    """Whatever ends in .toml is a file, even one named as a shipped pack."""
    path = tmp_path / "baseline.toml"
    path.touch()
    assert path == locate("policies", str(path))
    assert shipped("policies")["baseline"] == locate("policies", "baseline")


@pytest.mark.parametrize(
    ("wanted", "message", "remedy"),
    [
        ("baselin", "no policy pack named 'baselin' ships with vscan", "did you mean baseline?"),
        (
            "qqq",
            "no policy pack named 'qqq' ships with vscan",
            "a path to a file must end in .toml",
        ),
        ("no/baselin.toml", "no policy pack at no/baselin.toml", "did you mean baseline?"),
        (".", "no policy pack named '.' ships with vscan", "shipped: baseline"),
    ],
)
def test_unknown_names(wanted: str, message: str, remedy: str) -> None:
    """A name that is none is answered with the nearest one and with what there is."""
    with pytest.raises(UsageError) as error:
        locate("policies", wanted)
    assert message == error.value.message
    assert remedy in error.value.remedy


def test_file_without_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack of one's own, named as if it were shipped, is answered with how to write it."""
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").touch()
    with pytest.raises(UsageError) as error:
        locate("policies", "mine")
    assert "for the file in this folder write mine.toml" in error.value.remedy


def test_what_is_no_file(tmp_path: Path) -> None:
    """Folders and pipes are refused before anything waits on them."""
    import os

    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(UsageError, match="is a folder, not a policy pack"):
        locate("policies", str(tmp_path / "folder.toml"))
    with pytest.raises(UsageError, match="is a pipe or a device"):
        locate("policies", str(tmp_path / "pipe.toml"))


def test_profiles_may_be_absent() -> None:
    """A kind of which nothing ships yet has no names, and says so."""
    assert isinstance(shipped("profiles"), dict)
    with pytest.raises(UsageError, match="no run profile named 'nightly' ships"):
        locate("profiles", "nightly")
