"""Tests of the reviewer's page."""
