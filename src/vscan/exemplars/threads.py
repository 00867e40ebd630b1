"""How many threads FAISS uses: the one that calls it."""

from __future__ import annotations


def alone() -> None:
    """FAISS works in the calling thread alone: sources are searched side by side already, and
    threads that wait for each other on busy cores cost more than they bring."""
    import faiss

    faiss.omp_set_num_threads(1)
