"""What the engine measures for an audit, in SQL: sources, decisions, leakage."""
