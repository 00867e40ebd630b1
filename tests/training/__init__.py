"""Tests of the code that trains the built-in model."""
