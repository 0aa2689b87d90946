"""Form parts that every app shares."""
