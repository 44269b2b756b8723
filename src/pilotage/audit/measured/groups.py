"""Figures of declared groups: how many, and how often positive."""

from __future__ import annotations

from msgspec import Struct


class GroupFigures(Struct, frozen=True):
    """Per declared group column, its groups."""
