"""Logging of processes: masked, encrypted, in segments that can be read back with the key."""
