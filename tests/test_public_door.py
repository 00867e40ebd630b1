"""`import vscan`: what stands in the door is there, loaded when first used, and works."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import inspect
from pathlib import Path

import pytest

import vscan
from tests.conftest import Library


@pytest.mark.parametrize("name", vscan.__all__)
def test_every_name_is_there(name: str) -> None:
    """Each name leads to something with a docstring of its own; `dir` shows it."""
    found = getattr(vscan, name)
    assert len(inspect.getdoc(found) or "") > 20
    assert name in dir(vscan)


def test_names_are_in_order_and_homes_are_known() -> None:
    """The list is sorted, and holds every lazy name."""
    assert sorted(vscan.__all__) == list(vscan.__all__)
    assert set(vscan._HOMES) == set(vscan.__all__)


def test_an_unknown_name() -> None:
    """What is not there is an AttributeError, as everywhere."""
    with pytest.raises(AttributeError, match="no attribute 'scna'"):
        _ = vscan.scna


def test_version_is_the_package_s() -> None:
    """One version, in the package and in what is installed."""
    assert importlib.metadata.version("vscan") == vscan.__version__


def test_a_scan_in_python(library: Library) -> None:
    """Settings, a scan, verdicts with findings and segments: typed, from the one door."""
    settings = vscan.ScanSettings(
        policy=str(library.folder / "known.toml"), indexes=(str(library.folder / "index"),)
    )
    (verdict,) = vscan.scan([library.clips / "deep"], settings=settings)
    assert isinstance(verdict, vscan.Verdict)
    (finding,) = verdict.findings
    (segment,) = finding.segments
    assert isinstance(finding, vscan.Finding)
    assert isinstance(segment, vscan.Segment)
    index = vscan.ExemplarIndex.open(Path(settings.indexes[0]))
    assert [finding.policy] == [exemplar.policy for exemplar in index.exemplars]
    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.outcome = "clear"  # type: ignore[misc]  # frozen: that is the point


def test_errors_are_one_family() -> None:
    """Whoever calls the library can catch everything it says on purpose."""
    with pytest.raises(vscan.VscanError) as caught:
        list(vscan.scan(["a.mp4"], settings=vscan.ScanSettings(policy="nothing")))
    assert isinstance(caught.value, vscan.UsageError)
    assert not isinstance(caught.value, vscan.SourceError)
    assert "demo" == vscan.load_pack("demo").name
