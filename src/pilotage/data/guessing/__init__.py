"""A first project for data nobody has described yet: what was seen, what it suggests, and the file that says so."""
