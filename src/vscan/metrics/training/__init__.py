"""Reviewer training: packs of settled cases, and how trainees answered them."""
