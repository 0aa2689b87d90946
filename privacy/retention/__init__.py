"""Deleting what has reached the end of its retention."""
