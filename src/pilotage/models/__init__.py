"""Candidates against the rule; evaluation; artefacts; scoring; explaining."""
