"""Parsers of the settings from the environment."""
