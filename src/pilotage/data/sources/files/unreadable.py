"""What is wrong with a file, before it is said of which source."""

from __future__ import annotations


class Unreadable(Exception):
    """A file cannot be read: where and why, and the repair."""

    def __init__(self, message: str, repair: str) -> None:
        self.message = message
        self.repair = repair
        super().__init__(message)
