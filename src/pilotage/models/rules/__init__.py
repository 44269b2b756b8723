"""What models decides without touching anything: pure functions over arrays and records."""
