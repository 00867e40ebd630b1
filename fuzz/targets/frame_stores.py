"""Damaged and forged frame stores: what is damaged says so, and never is another track."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from tests.store.made import SPECS, fill, reading, sha256_of, track

from fuzz.mutators import Rng, mutated, mutated_json
from fuzz.target import Case, Files, WrongAnswerError, files_below, lay
from vscan.errors import StoreError
from vscan.store.checking import Verification
from vscan.store.frames import PART_SAMPLES, FrameStore
from vscan.store.source_records import DamagedSource
from vscan.store.track_files import _payload
from vscan.tracks import Track

URI = "clips/1.mp4"
KINDS = {"float64": "F64", "float16": "F16", "uint8": "U8"}


class FrameStores(Files):
    """A store of three tracks, one of them in parts, and a source record; mutated."""

    name = "frame-stores"
    about = "a damaged file is damage, or says what it said; a forged one gives no traceback"

    def __init__(self) -> None:
        self._intact: dict[str, bytes] = {}
        self._expected: dict[str, object] = {}

    def prepare(self, folder: Path) -> None:
        """Fills the store."""
        store = FrameStore.open(folder / "store", create=True)
        fill(store, 1, "embedding", "pdq")
        read, spec = reading(2, PART_SAMPLES + 1), SPECS["keypoints"]
        writer = store.part_writer(read.digests.sha256, spec)
        writer.add(read.times_s, track("keypoints", read).values.astype(np.uint8))
        store.write(read, writer.rest(), spec, writer.parts)
        self._intact = files_below(folder / "store")
        self._expected = told_by(store)

    def case(self, rng: Rng) -> Case:
        """A file with damage, one in the place of another, or one whose digest was made to fit."""
        names = list(self._intact)
        name, other = (names[int(rng.integers(len(names)))] for _ in range(2))
        choice = rng.random()
        if choice < 0.5:
            return {name: mutated(rng, self._intact[name])}
        if choice < 0.6:
            return {name: self._intact[other]}
        if name.endswith(".safetensors"):
            return {f"forged/{name}": _forged_track(rng, self._intact[name])}
        if name.startswith("sources/"):
            return {f"forged/{name}": _forged_record(rng, self._intact[name])}
        return {name: mutated(rng, self._intact[name])}

    def check(self, case: Case, folder: Path) -> str:
        """Read by name, listed, and verified."""
        forged = any(name.startswith("forged/") for name in case)
        changed = {name.removeprefix("forged/"): data for name, data in case.items()}
        lay(self._intact | changed, folder)
        try:
            store = FrameStore.open(folder)
        except StoreError:
            return "refused"
        found = told_by(store)
        findings = list(Verification(store).findings())
        if forged:
            return "forged, damage" if findings else "forged, taken"
        damaged = [name for name, said in found.items() if said != self._expected[name]]
        if any(found[name] is not None for name in damaged):
            raise WrongAnswerError(f"damage gave another value: {damaged}")
        if damaged and not findings:
            raise WrongAnswerError(f"verify finds nothing where {damaged} cannot be read")
        return "damage" if damaged else "read"


def told_by(store: FrameStore) -> dict[str, object]:
    """By what is asked for, the answer in plain values; None where it is said to be damaged."""
    found: dict[str, object] = {}
    for signal in ("embedding", "pdq"):
        try:
            read, held = store.read(sha256_of(1), signal, SPECS[signal].key)
            found[signal] = (*_plain(held), read.times_s.tobytes(), repr(read.report))
        except StoreError:
            found[signal] = None
    try:
        read, parts = store.read_parts(sha256_of(2), SPECS["keypoints"].key)
        found["keypoints"] = ([_plain(each) for each in parts], read.times_s.tobytes())
    except StoreError:
        found["keypoints"] = None
    try:
        found["record"] = store.source(URI)
    except StoreError:
        found["record"] = None
    listed = [each for each in store.sources() if not isinstance(each, DamagedSource)]
    found["sources"] = listed or None
    return found


def _plain(held: Track) -> tuple[object, ...]:
    columns = (held.times_s, held.values, held.quality, held.region)
    return (*(None if each is None else each.tobytes() for each in columns), repr(held.spec))


def _forged_track(rng: Rng, data: bytes) -> bytes:
    """Metadata or a tensor is another, and the payload digest fits."""
    arrays, metadata = _opened(data)
    if rng.random() < 0.6:
        key = list(metadata)[int(rng.integers(len(metadata)))]
        try:
            value = orjson.loads(metadata[key])
            metadata[key] = orjson.dumps(mutated_json(rng, value)).decode()
        except orjson.JSONDecodeError:
            metadata[key] = mutated(rng, metadata[key].encode()).decode("utf-8", "replace")
    else:
        key = list(arrays)[int(rng.integers(len(arrays)))]
        arrays[key] = _other_array(rng, arrays[key])
    shapes = {
        name: (KINDS.get(str(each.dtype), "F32"), each.shape) for name, each in arrays.items()
    }
    buffers = {name: each.tobytes() for name, each in arrays.items()}
    metadata["payload"] = _payload(metadata, shapes, buffers)
    return save(arrays, metadata)


def _opened(data: bytes) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, str]]:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(data)
        file.flush()
        try:
            with safe_open(file.name, "np") as opened:
                names = opened.keys()
                return {name: opened.get_tensor(name) for name in names}, dict(opened.metadata())
        except SafetensorError as error:
            raise RuntimeError("the intact file cannot be read") from error


def _other_array(rng: Rng, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    choice = int(rng.integers(5))
    if choice == 0 and array.dtype.kind == "f":
        array = array.copy()
        array.flat[int(rng.integers(array.size))] = (np.nan, np.inf, -1e4)[int(rng.integers(3))]
        return array
    if choice == 1:
        return np.ascontiguousarray(array[:-1])
    if choice == 2:
        return np.ascontiguousarray(array[::-1])
    if choice == 3:
        return array.astype(np.float32)
    return array.reshape(-1)


def _forged_record(rng: Rng, data: bytes) -> bytes:
    """The record says something else, and its digest fits."""
    record: Mapping[str, Any] = orjson.loads(data)
    name = list(record)[-1]
    body = orjson.dumps(mutated_json(rng, {k: v for k, v in record.items() if k != name}))
    digest = hashlib.sha256(body).hexdigest()
    return body[:-1] + data[data.rindex(f',"{name}"'.encode()) :].replace(
        str(record[name]).encode(), digest.encode()
    )
