"""From an OpenID provider's groups to roles here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pilotage.govern.records import EVERY_USE_CASE, Grant, Role
from pilotage.govern.rules.permissions import INSTALLATION_WIDE, ROLES
from pilotage.platform.errors import SettingsError

_SETTING = "PILOTAGE_OIDC_ROLES"


def roles_by_group(text: str) -> dict[str, tuple[Grant, ...]]:
    """``ml-team=owner:late_arrival; everybody=viewer`` as grants by group; a role without a use case is for all.

    Raises:
        SettingsError: it cannot be read, or names no role.
    """
    found: dict[str, tuple[Grant, ...]] = {}
    for part in (each.strip() for each in text.split(";") if each.strip()):
        group, _, granted = part.rpartition("=")
        name, _, use_case = granted.strip().partition(":")
        if not group.strip() or name not in {role.value for role in Role}:
            raise SettingsError(
                f"{_SETTING} must read group=role or group=role:use_case, with ; between them (got '{part}').",
                f"The roles are {', '.join(role.value for role in Role)}.",
            )
        grant = Grant(Role(name), use_case.strip() or EVERY_USE_CASE)
        if grant.use_case != EVERY_USE_CASE and ROLES[grant.role] & INSTALLATION_WIDE:
            raise SettingsError(f"{_SETTING} gives {name} for {grant.use_case}.", f"{name} is for all: leave it out.")
        found[group.strip()] = (*found.get(group.strip(), ()), grant)
    return found


def grants_of(groups: Collection[str], by_group: Mapping[str, tuple[Grant, ...]]) -> frozenset[Grant]:
    """What somebody in these groups may."""
    return frozenset(grant for group in groups for grant in by_group.get(group, ()))


def groups_in(claim: Any) -> frozenset[str]:
    """The groups that a claim names: one text, or a list of texts; anything else names none."""
    if isinstance(claim, str):
        return frozenset({claim})
    return frozenset(each for each in claim if isinstance(each, str)) if isinstance(claim, list) else frozenset()
