"""Figures about enforcement: what a change of the rules changes, and how sure one may be of it."""
