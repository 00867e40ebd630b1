"""What this machine offers a scan: readers and codecs, torch, precision, models, disk."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

from vscan.errors import VscanError

REMEDIES = {
    "no new privileges": "a kernel from 3.5 on",
    "Landlock": "for Landlock: Linux from 5.13 on, booted with landlock among its lsm=, and a "
    "container that allows the landlock_ calls",
    "seccomp": "for seccomp: a container or service that allows the seccomp call",
    "network namespace": "else: user namespaces for everyone (user.max_user_namespaces)",
}
"""What puts a layer of the reader's confinement in force."""
OTHERWISE = "run vscan in a container without a network and with its inputs mounted read-only"
LOW_DISK_BYTES = 5 << 30
CODECS = {
    # codec as people name it: (encoder, pixel format, container)
    "H.264": ("libx264", "yuv420p", "mp4"),
    "H.264 10-bit": ("libx264", "yuv420p10le", "mp4"),
    "HEVC": ("libx265", "yuv420p", "mp4"),
    "VP9": ("libvpx-vp9", "yuv420p", "webm"),
    "AV1": ("libsvtav1", "yuv420p", "mkv"),
    "MPEG-4": ("mpeg4", "yuv420p", "avi"),
}
EXTRAS = {
    "s3": ("s3fs",),
    "gcs": ("gcsfs",),
    "azure": ("adlfs",),
    "http": ("aiohttp",),
    "ray": ("ray",),
    "review": ("fastapi", "uvicorn"),
    "eval": ("scipy", "scikit-learn", "pandas", "pyarrow"),
}
"""Extra of vscan -> the distributions that it installs."""


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    status: Literal["ok", "warning", "failed"]
    detail: str
    remedy: str = ""


def diagnose() -> Iterator[Check]:
    """Look at everything a scan needs, one check after the other; never raises."""
    for name, look in CHECKS.items():
        try:
            yield from look(name)
        except VscanError as error:
            yield Check(name, "failed", error.message, error.remedy)
        except Exception as error:  # noqa: BLE001 -- a broken installation breaks in any way
            yield Check(name, "failed", f"{type(error).__name__}: {error}", "reinstall vscan")


def _vscan(name: str) -> Iterator[Check]:
    from vscan import __version__

    python = platform.python_version()
    machine = f"{platform.system()} {platform.machine()}"
    yield Check(name, "ok", f"{__version__}, Python {python}, {machine}")


def _machine(name: str) -> Iterator[Check]:
    from vscan.settings import available_cores

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    yield Check(name, "ok", f"{available_cores()} cores, {memory:.0f} GiB memory")


def _readers(name: str) -> Iterator[Check]:
    present = [d for d in ("decord2", "decord", "eva-decord") if _version(d) is not None]
    if len(present) > 1:
        yield Check(
            name, "failed", f"{' and '.join(present)} overwrite each other",
            f"pip uninstall {' '.join(present)}, then pip install decord2",
        )  # fmt: skip
    elif not present:
        yield Check(name, "warning", "Decord is not installed", "pip install decord2")
    else:
        import av

        libraries = ".".join(str(part) for part in av.library_versions["libavcodec"])
        yield Check(
            name, "ok",
            f"{present[0]} {_version(present[0])}, PyAV {av.__version__} (libavcodec {libraries})",
        )  # fmt: skip


def _sandbox(name: str) -> Iterator[Check]:
    from vscan.decode.process import ProcessFailed
    from vscan.decode.trial import try_sandbox

    try:
        tried = try_sandbox()
    except ProcessFailed as error:
        yield Check(
            name, "failed", f"a reader process does not answer: {error.message}",
            "vscan scan cannot read any video here; reinstall vscan",
        )  # fmt: skip
        return
    refused = "; ".join(f"by {layer}: {', '.join(what)}" for layer, what in tried.refused.items())
    found = [f"refused {refused}" if refused else "nothing is refused"]
    found += [f"{each.name} is not in force ({each.detail})" for each in tried.missing]
    if tried.allowed:
        found.append(f"not refused: {', '.join(tried.allowed)}")
    remedies = [REMEDIES[each.name] for each in tried.missing if each.name in REMEDIES]
    remedies += [OTHERWISE] if tried.allowed else []
    safe = not tried.allowed and not tried.missing
    yield Check(name, "ok" if safe else "warning", "; ".join(found), "; ".join(remedies))


def _codecs(_name: str) -> Iterator[Check]:
    from vscan.decode.workers import ReaderPool, ReadLimits
    from vscan.media import Measure
    from vscan.sampling import EveryRequest

    with (
        tempfile.TemporaryDirectory(prefix="vscan-doctor-") as folder,
        ReaderPool(1, ReadLimits(timeout_s=30)) as readers,
    ):
        for codec, (encoder, pixels, container) in CODECS.items():
            path = Path(folder) / f"{codec}.{container}"
            try:
                # SVT-AV1 run by root makes the thread that opens it a real-time one.
                with ThreadPoolExecutor(1) as alone:
                    alone.submit(_write_sample, path, encoder, pixels).result()
            except Exception as error:  # noqa: BLE001 -- an encoder that is missing is no fault
                yield Check(codec, "warning", f"not tried: cannot encode a sample ({error})")
                continue
            try:
                with readers.session(path) as session:
                    frames = sum(len(b) for b in session.read(EveryRequest(1), Measure()))
                    yield Check(codec, "ok", f"{frames} frames by {session.report.reader}")
            except VscanError as error:
                yield Check(codec, "failed", error.message, error.remedy)


def _write_sample(path: Path, encoder: str, pixels: str) -> None:
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = cast("av.VideoStream", container.add_stream(encoder, rate=10))
        stream.width, stream.height, stream.pix_fmt = 128, 96, pixels
        # These two write to stderr on their own, past FFmpeg's log.
        if encoder == "libx265":
            stream.options = {"x265-params": "log-level=none"}
        os.environ.setdefault("SVT_LOG", "0")
        for i in range(10):
            grey = np.full((96, 128, 3), 20 * i, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = i, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _torch(name: str) -> Iterator[Check]:
    import torch

    both = f"torch {torch.__version__}, torchvision {_version('torchvision')}"
    try:
        import torchvision

        torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    except (RuntimeError, ImportError) as error:
        yield Check(
            name, "failed", f"{both} do not fit together ({error})",
            "install both from the same index, in the versions of requirements.lock",
        )  # fmt: skip
        return
    yield Check(name, "ok", f"{both}, {torch.get_num_threads()} threads")


def _precision(name: str) -> Iterator[Check]:
    from vscan.embeddings.precision import choose_compute

    chosen = choose_compute()
    yield Check(name, "ok", f"{chosen.precision} on {chosen.device}: {chosen.reason}")


def _models(name: str) -> Iterator[Check]:
    from vscan.embeddings.registry import BUILTIN, DEFAULT_MODEL, MODELS
    from vscan.embeddings.weights import hub_cache, is_complete

    present = [model.name for model in MODELS.values() if is_complete(model)]
    detail = f"{', '.join(present) or 'none'} (cache {hub_cache()})"
    if present and present != [BUILTIN]:
        yield Check(name, "ok", detail)
    else:
        yield Check(name, "warning", detail, f"for real videos: vscan models pull {DEFAULT_MODEL}")


def _packs(name: str) -> Iterator[Check]:
    from vscan.policies import load_pack
    from vscan.shipped import shipped

    packs = [load_pack(str(path)) for path in shipped("policies").values()]
    yield Check(name, "ok", ", ".join(f"{pack.name}@{pack.version}" for pack in packs))


def _extras(name: str) -> Iterator[Check]:
    absent = [
        extra for extra, brought in EXTRAS.items() if not all(_version(each) for each in brought)
    ]
    here = ", ".join(extra for extra in EXTRAS if extra not in absent) or "none"
    yield Check(
        name, "ok", here + (f"; not installed: {', '.join(absent)}" if absent else ""),
        f"where they are wanted: pip install 'vscan[{','.join(absent)}]'" if absent else "",
    )  # fmt: skip


def _disk(name: str) -> Iterator[Check]:
    from vscan.embeddings.weights import hub_cache

    for place in dict.fromkeys((Path.cwd(), _existing(hub_cache()))):
        free = shutil.disk_usage(place).free
        status: Literal["ok", "warning"] = "ok" if free > LOW_DISK_BYTES else "warning"
        yield Check(name, status, f"{free / (1 << 30):.0f} GiB free at {place}")


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _terminal(name: str) -> Iterator[Check]:
    encoding = sys.stdout.encoding or "unknown"
    fine = encoding.lower().replace("-", "") == "utf8"
    yield Check(
        name, "ok" if fine else "warning", f"encoding {encoding}",
        "" if fine else "set PYTHONUTF8=1 so that names and timelines show as they are",
    )  # fmt: skip


CHECKS: dict[str, Callable[[str], Iterator[Check]]] = {
    "vscan": _vscan,
    "machine": _machine,
    "readers": _readers,
    "reader sandbox": _sandbox,
    "codecs": _codecs,
    "torch": _torch,
    "precision": _precision,
    "models": _models,
    "policy packs": _packs,
    "extras": _extras,
    "disk": _disk,
    "terminal": _terminal,
}
