"""From tracks to evidence: exemplar search, temporal alignment, prompt scores, segments."""
