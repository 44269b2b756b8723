"""What really happened, late, twice or never, joined to the decision."""
