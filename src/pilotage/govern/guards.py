"""Every route says who may call it: ``needs(permission)`` or ``public(reason)``; a test finds those that do not."""

from __future__ import annotations

import dataclasses
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules import permissions
from pilotage.platform.errors import NotAuthenticated, NotFound

PARAMETER = "use_case"


@dataclasses.dataclass(frozen=True)
class Needs:
    """Lets those through who have a permission: for the path's use case, or for any when the path names none.

    A handler whose path names no use case still has to demand the permission for the one it then finds.
    """

    permission: Permission

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        principal = principal_of(connection)
        use_case = connection.path_params.get(PARAMETER)
        if use_case is None:
            if not permissions.allowed_somewhere(principal, self.permission):
                permissions.demand(principal, self.permission, None)
        elif not permissions.allowed(principal, self.permission, use_case):
            _refuse(principal, self.permission, use_case)


@dataclasses.dataclass(frozen=True)
class Public:
    """Lets everybody through, for the reason given."""

    reason: str

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        return


def needs(permission: Permission) -> Needs:
    """A guard for handlers: ``guards=[needs(Permission.READ)]``."""
    return Needs(permission)


def public(reason: str) -> Public:
    """A guard that says why everybody may call this: ``guards=[public("the log-in page")]``."""
    return Public(reason)


def principal_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Principal:
    """Who is asking.

    Raises:
        NotAuthenticated: nobody we know.
    """
    principal = connection.scope.get("user")
    if not isinstance(principal, Principal):
        raise NotAuthenticated("This needs somebody we know.", "Log in, or send 'Authorization: Bearer pk_…'.")
    return principal


def _refuse(principal: Principal, permission: Permission, use_case: str) -> None:
    """Those who may not read a use case are not told that there is one."""
    if permissions.allowed(principal, Permission.READ, use_case):
        permissions.demand(principal, permission, use_case)
    raise NotFound(f"There is no use case '{use_case}' here that you may see.", "Look at the list of use cases.")
