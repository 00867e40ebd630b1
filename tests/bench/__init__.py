"""Tests of the measurements that have rules of their own."""
