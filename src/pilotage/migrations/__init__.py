"""Schema revisions of the control database, oldest first."""
