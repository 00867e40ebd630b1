"""Makes the built-in model: a small CLIP that knows drawn pictograms, for demos and tests only."""
