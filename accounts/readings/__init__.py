"""How the service is doing, hour by hour: what is measured and counted, and what staff see of it."""
