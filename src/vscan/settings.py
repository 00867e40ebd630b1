"""What a scan, a rescan or a search can be told, by name, before anything is loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from vscan.decode.limits import ReadLimits
from vscan.errors import UsageError
from vscan.flood import FLOOD_SHARE
from vscan.media import DecodeMode
from vscan.remote.fetching import Fetching
from vscan.sampling import DEFAULT_SAMPLING
from vscan.scratch import Scratch

SIGNALS = ("embedding", "pdq", "keypoints")
KEPT_SIGNALS = ("embedding", "pdq")
"""Measured for a frame store whatever is judged: both are small."""
DEFAULT_PACK = "baseline"
LEAST_SCRATCH_BYTES = 1 << 20
EngineName = Literal["local", "ray"]
"""Where the work runs: in this process and its readers, or in actors of Ray."""


@dataclass(frozen=True, kw_only=True)
class ScanSettings:
    """Everything a scan can be told, by name; `prepare` loads what the names stand for."""

    policy: str = DEFAULT_PACK
    """A shipped pack's name, or a path to a .toml file."""
    indexes: tuple[str, ...] = ()
    """Folders of exemplar indexes."""
    model: str | None = None
    """A model of the registry, or an open_clip architecture with `weights`; None: the default."""
    weights: str | None = None
    """A local .safetensors file for `model`."""
    device: str = "auto"
    precision: str = "auto"
    sampling: str = DEFAULT_SAMPLING
    max_gap_s: float | None = None
    """Seconds between samples at most, where keyframes are sampled; None: as `sampling` says."""
    decode: DecodeMode = "exact"
    """`fast`: only frames that others refer to are taken, and less exactly."""
    signals: tuple[str, ...] | None = None
    """Of SIGNALS; None: what the pack and the indexes need."""
    workers: int | None = None
    """Videos read at the same time; None: one per core."""
    timeout_s: float | None = None
    """Seconds a video may keep its reader busy; None: what `limits` say."""
    limits: ReadLimits = field(default_factory=ReadLimits)
    """What reading one video may cost: size, length, memory, time."""
    store: str | None = None
    """A frame store, as a folder or URI: tracks that are there are not measured again, others are
    kept. Unless `signals` say what is measured, `embedding` and `pdq` are, whatever is judged."""
    scratch: str | None = None
    """Folder in which objects behind URIs are while they are read; None: the temporary one."""
    scratch_bytes: int | None = None
    """That they may take there together; None: 16 GiB, or half of what is free."""
    allow_private_hosts: bool = False
    """Whether `http(s)` URIs may lead to addresses of private networks and of this machine."""
    flood_share: float = FLOOD_SHARE
    """Share of a run's sources beyond which an exemplar that matches them is set aside; 0, or 1 and
    more: none ever is. See flood.py."""

    engine: EngineName = "local"
    ray_address: str | None = None
    """With `ray`: the cluster to join, `auto` or HOST:PORT; None: a Ray on this machine, which ends
    with the scan."""
    model_actors: int = 1
    """With `ray`: copies of the model, each in an actor with a GPU of its own where there are."""

    def __post_init__(self) -> None:
        for signal in self.signals or ():
            if signal not in SIGNALS:
                raise UsageError(
                    f"signal {signal!r} is not known", remedy=f"signals: {', '.join(SIGNALS)}"
                )
        if self.decode not in get_args(DecodeMode):
            modes = " or ".join(get_args(DecodeMode))
            raise UsageError(f"decode {self.decode!r} is not known", remedy=f"decode: {modes}")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"workers must be at least 1, not {self.workers}")
        if self.engine not in get_args(EngineName):
            engines = " or ".join(get_args(EngineName))
            raise UsageError(f"engine {self.engine!r} is not known", remedy=f"engine: {engines}")
        if self.engine == "local" and (self.ray_address is not None or self.model_actors != 1):
            raise UsageError(
                "--ray-address and --model-actors are for Ray", remedy="add --engine ray"
            )
        if self.model_actors < 1:
            raise UsageError(f"model actors must be at least 1, not {self.model_actors}")
        if self.timeout_s is not None and not 0 < self.timeout_s < float("inf"):
            raise UsageError(f"timeout must be a number of seconds above 0, not {self.timeout_s}")
        if self.timeout_s is not None and self.limits.timeout_s is not None:
            raise UsageError("the timeout is given twice, once as limit timeout_s")
        if self.scratch_bytes is not None and self.scratch_bytes < LEAST_SCRATCH_BYTES:
            raise UsageError(
                f"scratch space of {self.scratch_bytes} bytes holds hardly a video",
                remedy="give it room for the largest one at least, as --scratch-bytes 16G",
            )
        if not self.flood_share >= 0.0:
            raise UsageError(
                f"flood share must be a number from 0 on, not {self.flood_share}",
                remedy="a share as 0.05, or 0 to switch the flood guard off",
            )

    @property
    def read_limits(self) -> ReadLimits:
        """`limits`, with `timeout_s` in its place."""
        if self.timeout_s is None:
            return self.limits
        return replace(self.limits, timeout_s=self.timeout_s)

    def new_scratch(self, *, sharers: int = 1) -> Scratch:
        """Room on disk for what lies behind URIs, and what fetches it.

        sharers: processes of this machine that have one each; all together keep to the bound.
        """
        return Scratch(
            folder=None if self.scratch is None else Path(self.scratch),
            most_bytes=self.scratch_bytes,
            sharers=sharers,
            fetching=Fetching(allow_private=self.allow_private_hosts),
        )


def available_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
