"""Of which roles an installation demands a second factor."""

from __future__ import annotations

from pilotage.govern.records import EVERY_USE_CASE, Role
from pilotage.platform.errors import SettingsError


def demanding_roles(text: str) -> frozenset[str]:
    """``admin, owner`` as names of roles; ``*`` is everybody.

    Raises:
        SettingsError: it names something that is no role.
    """
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    for name in sorted(names - {role.value for role in Role} - {EVERY_USE_CASE}):
        raise SettingsError(
            f"PILOTAGE_SECOND_FACTOR_ROLES must name roles with commas between them (got '{name}').",
            f"{EVERY_USE_CASE} is everybody; the roles are {', '.join(role.value for role in Role)}.",
        )
    return names
