"""What candidates are worth on decisions that none of them has seen: one file per kind of outcome."""
