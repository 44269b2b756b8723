"""Who may do what; masks; the tamper-evident audit log; retention and erasure."""
