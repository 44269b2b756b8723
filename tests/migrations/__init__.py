"""Revisions and moves of the control database."""
