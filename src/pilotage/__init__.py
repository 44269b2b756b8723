"""Pilotage: one predictive feature, from idea to controlled production, inside software that already exists."""

__version__ = "0.1.0"
