"""Measurements beside others: each script times our work and its peers' in one run and says how."""
