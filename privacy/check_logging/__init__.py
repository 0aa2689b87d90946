"""What is stored of a client's checks: off, the result only, or everything."""
