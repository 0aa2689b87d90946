"""API keys, from what is typed to what is refused."""
