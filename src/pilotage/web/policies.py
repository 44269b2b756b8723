"""Who may call what, of the whole application; one with a route that does not say is not built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from litestar import Litestar
from litestar.handlers.base import BaseRouteHandler
from litestar.routes import ASGIRoute, HTTPRoute
from msgspec import Struct

from pilotage.govern.guards import APerson, Needs, Policy, Public, WithCardToken
from pilotage.platform.errors import PilotageError

_LITESTARS_OWN = "litestar.routes.http"
"""Its answer to OPTIONS: names the methods, and nothing else."""


class PlainRoute(Protocol):
    """A route that is plain ASGI, in front of all others: it says for itself what it is."""

    method: str
    path: str
    policy: Needs


class DeclaredRoute(Struct, frozen=True):
    """Who may call a method of a path; ``handler`` is the name of the function behind it."""

    method: str
    path: str
    handler: str
    policy: Policy


class UndeclaredPolicy(PilotageError):
    """Routes do not say who may call them, or say it twice."""

    code = "undeclared-policy"


def declared_routes(console: Litestar, plain: Iterable[PlainRoute] = ()) -> list[DeclaredRoute]:
    """Every method of every path with its policy, in the order of paths.

    Raises:
        UndeclaredPolicy: naming each route that does not say exactly one.
    """
    found = [DeclaredRoute(each.method, each.path, type(each).__name__, each.policy) for each in plain]
    silent: list[str] = []
    for path, handler, methods in _handlers(console):
        policy = _policy_of(handler)
        if policy is None:
            silent.append(f"{' '.join(methods)} {path} ({handler.handler_name})")
            continue
        found += [DeclaredRoute(method, path, handler.handler_name, policy) for method in methods]
    if silent:
        raise UndeclaredPolicy(
            f"These routes do not say who may call them: {', '.join(silent)}.",
            "Give each exactly one guard: needs(permission), a_person(), card_token() or public(reason).",
        )
    return sorted(found, key=lambda route: (route.path, route.method))


def _handlers(console: Litestar) -> Iterable[tuple[str, BaseRouteHandler, list[str]]]:
    for route in console.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                if getattr(handler.fn, "__module__", "") != _LITESTARS_OWN:
                    yield route.path, handler, sorted(map(str, handler.http_methods))
        elif isinstance(route, ASGIRoute):
            yield route.path, route.route_handler, ["GET"]
        else:
            yield route.path, route.route_handler, ["WEBSOCKET"]


def _policy_of(handler: BaseRouteHandler) -> Policy | None:
    guards = [getattr(guard, "func", guard) for guard in handler.resolve_guards()]
    policies = [guard for guard in guards if isinstance(guard, Needs | Public | WithCardToken | APerson)]
    if len(policies) != 1 or (isinstance(policies[0], Public) and not policies[0].reason.strip()):
        return None
    return policies[0]
