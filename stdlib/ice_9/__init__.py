"""Guile's (ice-9 ...) modules whose procedures are Python's."""
