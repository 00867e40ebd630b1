"""Perceptual hashes of frames."""
