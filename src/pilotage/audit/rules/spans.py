"""A span of time in words."""

from __future__ import annotations


def span(seconds: float) -> str:
    """Such as '40 s', '45 min', '3.9 hours', '12 days'."""
    if abs(seconds) < 90:
        return f"{seconds:.0f} s"
    if abs(seconds) < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} hours" if abs(seconds) < 172_800 else f"{seconds / 86_400:.1f} days"
