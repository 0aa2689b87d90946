"""The HTTP API, version 1: one door (answer.py), its calls (v1.py), what they take and give (schemas.py)."""
