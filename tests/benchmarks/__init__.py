"""Measurements, one module each with a `run()`; they assert nothing about time."""
