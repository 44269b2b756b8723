"""Engines beside the embedded one: where a history is too large for one machine, they answer lookups and windows."""
