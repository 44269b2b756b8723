"""Versions, what is live, swap, roll back, the switch."""
