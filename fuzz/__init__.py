"""The fuzz harness: hostile inputs made from a seed, and what must hold whatever they are."""
