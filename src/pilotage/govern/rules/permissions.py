"""Which role may do what, and whether a principal may do it here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pilotage.govern.records import EVERY_USE_CASE, Permission, Principal, Role
from pilotage.platform.errors import NotAllowed

ROLES: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Permission.READ}),
        Role.APP: frozenset({Permission.DECIDE, Permission.EMBED, Permission.FEEDBACK}),
        Role.REVIEWER: frozenset({Permission.READ, Permission.REVIEW, Permission.FEEDBACK}),
        Role.OPERATOR: frozenset({Permission.READ, Permission.SWITCH}),
        Role.BUILDER: frozenset({Permission.READ, Permission.BUILD, Permission.DECIDE}),
        Role.OWNER: frozenset(
            {
                Permission.READ,
                Permission.BUILD,
                Permission.RELEASE,
                Permission.SWITCH,
                Permission.REVIEW,
                Permission.DECIDE,
                Permission.FEEDBACK,
            }
        ),
        Role.AUDITOR: frozenset({Permission.READ, Permission.AUDIT}),
        Role.ADMIN: frozenset(Permission),
    }
)

INSTALLATION_WIDE = frozenset({Permission.GOVERN, Permission.AUDIT})
"""People, keys and the audit log belong to the whole installation: only a grant for every use case counts."""


def allowed(principal: Principal, permission: Permission, use_case: str | None) -> bool:
    """Whether a grant gives this permission for the use case; ``None`` asks for all of them."""
    one = EVERY_USE_CASE if use_case is None or permission in INSTALLATION_WIDE else use_case
    for grant in principal.grants:
        if (grant.use_case == one or grant.use_case == EVERY_USE_CASE) and permission in ROLES[grant.role]:
            return True
    return False


def allowed_somewhere(principal: Principal, permission: Permission) -> bool:
    """Whether there is any use case for which the principal has this permission."""
    if permission in INSTALLATION_WIDE:
        return allowed(principal, permission, None)
    return any(permission in ROLES[grant.role] for grant in principal.grants)


def demand(principal: Principal, permission: Permission, use_case: str | None) -> None:
    """Do nothing for those who may.

    Raises:
        NotAllowed: no grant gives this permission; the message names it and the roles that have it.
    """
    if allowed(principal, permission, use_case):
        return
    where = "" if use_case is None else f" for {use_case}"
    having = ", ".join(role.value for role, permissions in ROLES.items() if permission in permissions)
    raise NotAllowed(
        f"{principal.name} lacks the permission '{permission.value}'{where}.",
        f"Ask an admin for one of the roles {having}.",
    )
