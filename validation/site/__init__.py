"""The check page and the pages about countries."""
