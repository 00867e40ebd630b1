"""Review: the local page on which a person decides on flagged segments."""
