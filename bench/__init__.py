"""Measurements: each claim against a peer or a limit in the same run, never a bare figure."""
