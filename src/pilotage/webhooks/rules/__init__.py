"""What webhooks decide, as pure functions."""
