"""Backtests: two packs over everything in a frame store, and what the change changes."""
