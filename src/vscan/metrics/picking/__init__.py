"""Picks: what to label next, drawn by chance or for what it shows."""
