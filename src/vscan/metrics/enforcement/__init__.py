"""Enforcement figures: what is flagged, what people rule, how sure one may be of it."""
