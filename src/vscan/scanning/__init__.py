"""A scan from its settings: loads what they name, runs the engine, yields verdicts.

prepared = prepare(ScanSettings(policy="my.toml"))
for verdict in run_scan(prepared, SourceFinder().find(["clips/"])):
    ...
"""

from vscan.scanning.loaded import needed_signals, refuse_twins
from vscan.scanning.prepared import Prepared
from vscan.scanning.preparing import prepare
from vscan.scanning.running import run_scan, scan, watch_over

__all__ = [
    "Prepared",
    "needed_signals",
    "prepare",
    "refuse_twins",
    "run_scan",
    "scan",
    "watch_over",
]
