"""The ground: clock, settings, errors, database, lake, engine, jobs. Knows nothing of use cases."""
