"""Verdicts and decisions in formats of the field: one file for each format, and their registry."""
