"""Is it still safe, is it still worth it: quality, alerts, incidents."""
