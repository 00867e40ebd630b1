"""Thresholds that labels certify, and what a score means."""
