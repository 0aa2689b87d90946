"""The pages on which owners decide about their data."""
