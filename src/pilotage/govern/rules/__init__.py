"""Decisions as pure functions: permissions, the Merkle tree, what an audit-log entry's bytes are, log-in waits."""
