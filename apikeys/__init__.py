"""API keys: who may call, from where, how often and how much."""
