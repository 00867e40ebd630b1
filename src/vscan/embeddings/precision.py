"""Which device and precision pictures are encoded with: what the machine does well, or as asked."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vscan.errors import ModelError

PRECISIONS = ("fp32", "bf16", "fp16")
BF16_CPU_FLAGS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
"""Flags of /proc/cpuinfo that mean a unit for bfloat16: AMX and AVX512 (x86), `bf16` (Arm)."""

GPU_DEVICES = ("nvidia", "nvhost", "nvmap", "nvgpu", "dxg", "kfd")
"""How the names of GPUs' device files begin."""


@dataclass(frozen=True)
class Compute:
    """Where and how a model runs."""

    device: str
    """`cpu`, `cuda`, `cuda:N` or `mps`."""
    precision: str
    """`fp32`, `bf16` or `fp16`."""
    reason: str
    """Why this precision, in words for `vscan doctor` and logs."""


@cache
def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What the first processor says it can do; empty where the system does not tell."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() in ("flags", "features"):
            return frozenset(value.split())
    return frozenset()


@cache
def gpu_possible(devices: Path = Path("/dev"), system: str = sys.platform) -> bool:
    """Whether a GPU could be here, without asking torch, whose import takes seconds.

    On Linux a GPU that torch can use has a device file: NVIDIA's own, Tegra's, WSL's or AMD's.
    Elsewhere only torch knows.
    """
    if system != "linux":
        return True
    try:
        names = [path.name for path in devices.iterdir()]
    except OSError:
        return True
    return any(name.startswith(GPU_DEVICES) for name in names)


def choose_compute(device: str = "auto", precision: str = "auto") -> Compute:
    """The device and precision to use; `auto` leaves the choice to what the machine does well.

    `auto` takes a CUDA GPU first, then Apple's, then the CPU; fp16 on a GPU, bf16 on a CPU with a
    unit for it (design measurements: five to seven times faster there), fp32 elsewhere.
    Raises ModelError where the device is not there or cannot compute in that precision.
    """
    chosen = _choose_device(device.strip().lower())
    wanted = precision.strip().lower()
    if wanted != "auto":
        _refuse_impossible(chosen, wanted)
        return Compute(chosen, wanted, "as asked")
    if not chosen.startswith("cpu"):
        return Compute(chosen, "fp16", "a GPU computes fp16 fastest")
    units = sorted(cpu_flags() & BF16_CPU_FLAGS)
    if units:
        return Compute(chosen, "bf16", f"this CPU has {' and '.join(units)}")
    return Compute(chosen, "fp32", f"this CPU ({platform.machine()}) has no bf16 unit")


def _choose_device(wanted: str) -> str:
    if wanted == "cpu" or (wanted == "auto" and not gpu_possible()):
        return "cpu"
    import torch

    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = wanted.partition(":")
    if kind == "mps" and not number:
        if torch.backends.mps.is_available():
            return wanted
        raise ModelError(
            "--device mps: torch finds no Apple GPU on this machine", remedy="use --device cpu"
        )
    if kind == "cuda" and (not number or number.isdigit()):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(number or 0) < count:
            return wanted
        found = f"{count} CUDA GPU(s), numbered from 0" if count else "no CUDA GPU"
        raise ModelError(
            f"--device {wanted}: torch finds {found} on this machine",
            remedy="use --device cpu, or check the driver with nvidia-smi",
        )
    raise ModelError(
        f"--device {wanted!r} is not known", remedy="use auto, cpu, cuda, cuda:N or mps"
    )


def _refuse_impossible(device: str, precision: str) -> None:
    if precision not in PRECISIONS:
        raise ModelError(
            f"--precision {precision!r} is not known",
            remedy=f"use auto, {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}",
        )
    if device == "cpu" and precision == "fp16":
        raise ModelError(
            "--precision fp16 needs a GPU: a CPU has no fast unit for it",
            remedy="use --precision bf16 or fp32, or leave it out",
        )
    if device.startswith("cuda") and precision == "bf16":
        import torch

        if not torch.cuda.is_bf16_supported(including_emulation=False):
            raise ModelError(
                f"--precision bf16: the GPU at {device} has no bf16 unit",
                remedy="use --precision fp16 or fp32, or leave it out",
            )
