"""Tests of the readers and of the processes they run in."""
