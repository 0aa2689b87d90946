"""What accounts stores about a client: for its export, its erasure and the inventory."""
