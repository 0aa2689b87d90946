"""Encryption of bytes. Knows no database and no client."""
