"""The room's SQL: the audit log, people with their sessions, keys."""

from pilotage.govern.store import audit_log, keys, people

__all__ = ["audit_log", "keys", "people"]
