"""Copies of a client's data: requested, made in the background, downloaded."""
