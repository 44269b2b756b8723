"""The use-case file and what can be said from it alone: brief, readiness, ranking, lints, expressions."""
