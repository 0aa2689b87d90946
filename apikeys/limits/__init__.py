"""How often and how much a key may call: rate, monthly quota, usage."""
