"""What must hold when processes are killed, stopped and exchanged while programs call."""
