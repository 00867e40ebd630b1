"""Files made to hurt a scanner, and what becomes of them: see `python -m bench.hostile`."""
