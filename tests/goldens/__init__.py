"""Records pinned in full: `python -m tests.goldens` writes them, tests/test_goldens.py compares."""
