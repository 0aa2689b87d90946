"""Data exports: requested, created in the background, downloaded."""
