"""Figures of two sources beside each other."""

from __future__ import annotations

from msgspec import Struct


class SystemsFigures(Struct, frozen=True):
    """What two systems say of the same thing."""
