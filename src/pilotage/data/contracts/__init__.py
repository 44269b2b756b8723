"""What a source promises, column by column: read from a file, drafted, checked, exchanged with others."""
