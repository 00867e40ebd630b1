"""What machine a table of figures was made on, and what this process takes of its memory."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path(os.sep, "proc", "cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def peak_bytes(*, anew: bool = False) -> int:
    """The most memory of this process that was in use, bytes, since it was last taken anew; 0 where
    there is no /proc as Linux has it."""
    own = Path(os.sep, "proc", "self")
    try:
        if anew:
            (own / "clear_refs").write_bytes(b"5")
        status = (own / "status").read_text("ascii", "replace")
    except OSError:
        return 0
    (line,) = [each for each in status.splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) * 1024
