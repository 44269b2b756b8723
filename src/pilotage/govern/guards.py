"""Every route says who may call it, once: ``needs(…)``, ``a_person()``, ``card_token()`` or ``public(reason)``.

An application with a route that says nothing is not built (``pilotage.web.policies``). Guards are asynchronous because
Litestar hands every other one to a thread: then a request would wait for one although it only looks into memory.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules import permissions
from pilotage.platform.errors import InvalidRequest, NotAllowed, NotAuthenticated, NotFound

PARAMETER = "use_case"
_TOKEN_BEGINS = b"eyJ"
"""How every signed token begins: a brace and a quotation mark in base64."""


@dataclasses.dataclass(frozen=True)
class Needs:
    """Lets those through who have a permission: for the path's use case, or for any when the path names none.

    A handler whose path names no use case still has to demand the permission for the one it then finds.
    """

    permission: Permission

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
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

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        return


@dataclasses.dataclass(frozen=True)
class WithCardToken:
    """Lets those through who bear a token in a header; its handler reads which card, page and time it is good for."""

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        bearer_of(connection)


@dataclasses.dataclass(frozen=True)
class APerson:
    """Lets people through who are logged in, whatever they may: to what is their own. No key, no card."""

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        if principal_of(connection).kind != "person":
            raise NotAllowed("This is for people.", "Log in.")


Policy = Needs | Public | WithCardToken | APerson


def needs(permission: Permission) -> Needs:
    """A guard for handlers: ``guards=[needs(Permission.READ)]``."""
    return Needs(permission)


def public(reason: str) -> Public:
    """A guard that says why everybody may call this: ``guards=[public("the log-in page")]``."""
    return Public(reason)


def a_person() -> APerson:
    """A guard for what is everybody's own: ``guards=[a_person()]``."""
    return APerson()


def card_token() -> WithCardToken:
    """A guard for the routes of cards: ``guards=[card_token()]``."""
    return WithCardToken()


def bearer_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The token that a card sends.

    Raises:
        NotAuthenticated: there is none in the header, which is the only place where it is looked for.
        InvalidRequest: one came in the address, where histories and logs keep it.
    """
    if _TOKEN_BEGINS in connection.scope["query_string"]:
        raise InvalidRequest("A token came in the address.", "Send it as Authorization: Bearer, and mint a new one.")
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("The card sent no token.", "Set card.token, or the attribute token-url.")
    return token.strip()


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
