"""Decisions: what people rule on verdicts, and the log that keeps them."""
