"""vscan scans videos against content policies: the public door.

    import vscan

    settings = vscan.ScanSettings(policy="demo", model="builtin")
    for verdict in vscan.scan(["clips/"], settings=settings):
        print(verdict.source.uri, verdict.outcome, [f.policy for f in verdict.findings])

Names are loaded when they are first used: importing vscan imports neither torch nor a decoder.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vscan.decode.limits import ReadLimits
    from vscan.errors import SourceError, UsageError, VscanError
    from vscan.exemplars.index import ExemplarIndex
    from vscan.policies import PolicyPack, load_pack
    from vscan.rescanning import rescan
    from vscan.scanning import scan
    from vscan.settings import ScanSettings
    from vscan.verdicts import Finding, Segment, Verdict

_HOMES = {
    "ExemplarIndex": "vscan.exemplars.index",
    "Finding": "vscan.verdicts",
    "PolicyPack": "vscan.policies",
    "ReadLimits": "vscan.decode.limits",
    "ScanSettings": "vscan.settings",
    "Segment": "vscan.verdicts",
    "SourceError": "vscan.errors",
    "UsageError": "vscan.errors",
    "Verdict": "vscan.verdicts",
    "VscanError": "vscan.errors",
    "load_pack": "vscan.policies",
    "rescan": "vscan.rescanning",
    "scan": "vscan.scanning",
}

__all__ = [
    "ExemplarIndex",
    "Finding",
    "PolicyPack",
    "ReadLimits",
    "ScanSettings",
    "Segment",
    "SourceError",
    "UsageError",
    "Verdict",
    "VscanError",
    "load_pack",
    "rescan",
    "scan",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'vscan' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
