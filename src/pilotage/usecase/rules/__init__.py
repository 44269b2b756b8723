"""What can be said from the file alone: reading, consistency, expansion, expressions, lints, the brief. No I/O."""
