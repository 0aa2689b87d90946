"""Keeps watch at the door: addresses and clocks. It never learns who a client is."""
