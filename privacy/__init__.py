"""What we owe the people whose data we hold: sealing, and the vault of the keys that seal."""
