"""The demonstration: short videos made here, and the whole job done on them for real."""
