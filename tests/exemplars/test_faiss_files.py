"""FAISS files: round trip, and what is refused before FAISS sees it."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars import faiss_files


def values(signal: str, rows: int = 20) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Rows as an index stores them."""
    rng = np.random.default_rng(1)
    if signal == "pdq":
        return rng.integers(0, 256, (rows, 32), dtype=np.uint8)
    return rng.normal(size=(rows, 16)).astype(np.float16)


def read(signal: str, data: bytes, rows: int = 20) -> faiss_files.FaissIndex:
    """`from_bytes` for what `values` makes."""
    dim = 256 if signal == "pdq" else 16
    return faiss_files.from_bytes(signal, data, rows=rows, dim=dim, where="known/faiss/x.faiss")


@pytest.mark.parametrize("signal", ["pdq", "embedding"])
def test_round_trip(signal: str) -> None:
    """What was built is read back with the same rows."""
    built = faiss_files.build(signal, values(signal))
    again = read(signal, faiss_files.to_bytes(signal, built))
    assert built.reconstruct(7).tolist() == again.reconstruct(7).tolist()


@pytest.mark.parametrize("signal", ["pdq", "embedding"])
def test_another_type_is_refused(signal: str) -> None:
    """Only the allowed type is read, however well formed another one is."""
    other = faiss.IndexBinaryHash(256, 8) if signal == "pdq" else faiss.IndexFlatL2(16)
    other.add(values(signal).astype(np.uint8 if signal == "pdq" else np.float32))
    with pytest.raises(ExemplarIndexError, match="the only type allowed"):
        read(signal, faiss_files.to_bytes(signal, other))


def test_on_disk_lists_are_refused(tmp_path: Path) -> None:
    """An index whose lists lie in another file is not opened."""
    quantizer = faiss.IndexFlatIP(16)
    ivf = faiss.IndexIVFFlat(quantizer, 16, 1, faiss.METRIC_INNER_PRODUCT)
    ivf.train(values("embedding").astype(np.float32))
    lists = faiss.OnDiskInvertedLists(1, ivf.code_size, str(tmp_path / "lists"))
    ivf.replace_invlists(lists)
    with pytest.raises(ExemplarIndexError, match="the only type allowed"):
        read("embedding", faiss_files.to_bytes("embedding", ivf))


@pytest.mark.parametrize("signal", ["pdq", "embedding"])
def test_another_number_of_rows_is_refused(signal: str) -> None:
    """A file of more or fewer rows than the manifest says is refused."""
    data = faiss_files.to_bytes(signal, faiss_files.build(signal, values(signal, 21)))
    with pytest.raises(ExemplarIndexError):
        read(signal, data)
    with pytest.raises(ExemplarIndexError, match="cannot hold"):
        read(signal, data[:100])


@pytest.mark.parametrize("signal", ["pdq", "embedding"])
def test_altered_headers_neither_crash_nor_allocate(signal: str) -> None:
    """Whatever stands in the header, reading ends in an index of the right shape or an error."""
    intact = faiss_files.to_bytes(signal, faiss_files.build(signal, values(signal)))
    for place in range(4, 50):
        for value in (0, 1, 0x7F, 0xFF):
            altered = bytearray(intact)
            altered[place] = value
            try:
                index = read(signal, bytes(altered))
            except ExemplarIndexError:
                continue
            assert index.ntotal == 20


def test_unit_rows_have_length_one_and_zero_rows_stay() -> None:
    """Rows are scaled to length 1 in float32; a row of zeros is left as it is."""
    rows = faiss_files.unit_rows(np.array([[3, 4], [0, 0]], np.float16))
    assert np.float32 == rows.dtype
    assert rows == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))
