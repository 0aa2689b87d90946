"""Who a client is: contact and billing details, and the index of its settings."""
