"""The columns that we add to a source's own, as SQL names, and the order of versions that follows from them."""

from __future__ import annotations

from collections.abc import Iterable

from pilotage.platform.quoting import quoted
from pilotage.usecase.records import SEEN_AT

KNOWN_AT = quoted("_known_at")
DELETED = quoted("_deleted")
SEEN = quoted(SEEN_AT)
OURS = frozenset({"_known_at", "_deleted", SEEN_AT})


def oldest_first(ties: Iterable[str]) -> str:
    """Versions by when they became known; of one instant, a deletion comes last."""
    return ", ".join(dict.fromkeys([KNOWN_AT, DELETED, *ties]))


def newest_first(ties: Iterable[str]) -> str:
    """The newest version first; of one instant, a deletion."""
    return ", ".join(dict.fromkeys([f"{KNOWN_AT} DESC", f"{DELETED} DESC", *ties]))


def same(one: str, other: str, names: Iterable[str]) -> str:
    """That two rows agree in these columns; the unknown agrees with the unknown."""
    return " AND ".join(f"{one}.{name} IS NOT DISTINCT FROM {other}.{name}" for name in names)
