"""What stays light: the package and its help load neither torch nor a decoder nor FAISS."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "open_clip", "decord", "av", "faiss", "cv2", "huggingface_hub", "numpy")


@pytest.mark.parametrize(
    "code",
    ["import vscan", "from vscan.cli.app import app"],
    ids=["the package", "the command line"],
)
def test_importing_is_light(code: str) -> None:
    """None of the heavy packages is loaded by importing vscan or its command line."""
    program = f"{code}\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "" == done.stdout.strip()


def test_help_is_light() -> None:
    """`vscan --help` answers without loading any of them."""
    program = (
        "import sys\n"
        "sys.argv = ['vscan', '--help']\n"
        "from vscan.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(*[m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "scan" in done.stdout
    assert "" == done.stderr.strip()
