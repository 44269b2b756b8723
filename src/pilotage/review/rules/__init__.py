"""What review decides, as pure functions."""
