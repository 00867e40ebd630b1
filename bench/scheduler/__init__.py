"""The scheduler under faults: made-up sources through vscan's own pieces, against the truth."""
