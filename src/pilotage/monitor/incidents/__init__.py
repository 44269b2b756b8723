"""What went wrong and needs a person: one open incident per kind, use case and version."""
