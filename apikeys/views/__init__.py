"""The pages of API keys, for a client's owners."""
