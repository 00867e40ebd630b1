"""How many pictures a model takes at once: known for CPUs, found by trying on a GPU and kept."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vscan.embeddings.prompt_cache import cache_folder
from vscan.errors import ModelError

if TYPE_CHECKING:
    from vscan.embeddings.picture_tower import PictureTower

_log = logging.getLogger(__name__)

CPU_BATCH_SMALL, CPU_BATCH_BASE, CPU_BATCH_LARGE = 32, 16, 4
"""Of one core. Larger ones gain nothing in fp32 nor in bf16, and the padding of a last one costs
more; a large model's are smaller so that a short video reaches all cores."""
LARGE_PARAMETERS = 150_000_000
GPU_BATCH, GPU_BATCH_MOST = 64, 1024
WORTH = 1.10
"""What the rate must grow by for a batch of twice the size: its padding and memory cost, too."""


def batch_size_for(tower: PictureTower, fingerprint: str, dim: int) -> int:
    """Pictures in one pass of that tower. Raises ModelError where a GPU has not the memory for one.

    What a GPU was found to do best is kept in vscan's cache and taken again: timings vary, and
    another batch size could move a vector's last bits between two scans on one machine.
    """
    if tower.device == "cpu":
        return _cpu_batch_size(tower)
    if not tower.on_gpu:
        return GPU_BATCH
    import torch

    path = _kept_at(tower, fingerprint)
    size = kept_size(path)
    try:
        if size is not None and tower.rate(size, dim) > 0:
            return size
    except torch.OutOfMemoryError:
        _log.warning("the GPU has less free memory than before: finding a batch size anew")
    size = best_batch_size(lambda n: tower.rate(n, dim), out_of_memory=torch.OutOfMemoryError)
    _log.info("%s takes %d pictures at once", tower.device, size)
    keep_size(path, size)
    return size


def best_batch_size(
    rate_of: Callable[[int], float],
    *,
    out_of_memory: type[BaseException],
    start: int = GPU_BATCH,
    most: int = GPU_BATCH_MOST,
    worth: float = WORTH,
) -> int:
    """The batch size from which doubling no longer pays.

    rate_of: pictures a second at a batch size; raises `out_of_memory` where that does not fit.
    Doubles from `start` while the rate grows by the factor `worth`, memory allows it and `most` is
    not passed; halves where `start` does not fit. Raises ModelError where one picture does not.
    """

    def tried(size: int) -> float | None:
        try:
            return rate_of(size)
        except out_of_memory:
            return None

    size, rate = start, tried(start)
    if rate is None:
        while rate is None and size > 1:
            size //= 2
            rate = tried(size)
        if rate is None:
            raise ModelError(
                "the GPU has not the memory to encode a single picture",
                remedy="end other programs that use it, take a smaller model, or use --device cpu",
            )
        return size
    while 2 * size <= most:
        larger = tried(2 * size)
        if larger is None or larger < rate * worth:
            break
        size, rate = 2 * size, larger
    return size


def _cpu_batch_size(tower: PictureTower) -> int:
    if tower.preprocessing.width * tower.preprocessing.height <= 128 * 128:
        return CPU_BATCH_SMALL
    if tower.parameters >= LARGE_PARAMETERS:
        return CPU_BATCH_LARGE
    return CPU_BATCH_BASE


def _kept_at(tower: PictureTower, fingerprint: str) -> Path:
    """The file that keeps the batch size of this model on this GPU in this precision."""
    import torch

    card = torch.cuda.get_device_properties(tower.device)
    key = [fingerprint, tower.precision, card.name, card.total_memory, torch.__version__]
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    return cache_folder() / "batch-sizes" / f"{digest}.json"


def kept_size(path: Path) -> int | None:
    """The batch size kept in that file; None where none is, or none that can be one."""
    try:
        size = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return size if type(size) is int and 1 <= size <= GPU_BATCH_MOST else None


def keep_size(path: Path, size: int) -> None:
    """Keep a batch size. A cache that cannot be written costs time, not correctness."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            json.dump(size, file)
        Path(file.name).replace(path)
    except OSError as error:
        _log.warning("%s: the batch size is not kept: %s", path.parent, error)
