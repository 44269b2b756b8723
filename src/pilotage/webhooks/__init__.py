"""Tells other systems what happened here: signed events, delivered at least once."""
