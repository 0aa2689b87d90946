"""The HTTP API, version 1: its pipeline (pipeline.py), calls (routes.py, v1.py) and their types (schemas.py)."""
