"""How ready a use case is, row by row, and which of several is worth building first."""
