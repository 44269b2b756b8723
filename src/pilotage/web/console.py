"""Assembles the console and the API: the rooms' handlers, who is asking, how errors look, what browsers may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.config.csrf import CSRFConfig
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.middleware import DefineMiddleware
from litestar.middleware.compression import CompressionMiddleware
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from pilotage.decisions.answering.service import Service
from pilotage.decisions.inference.providing import answering
from pilotage.govern.cookies import CSRF, is_secure
from pilotage.govern.flow import provider
from pilotage.govern.flow.secret_files import secret_of
from pilotage.govern.guards import public
from pilotage.platform.errors import PilotageError
from pilotage.platform.logs import configure
from pilotage.platform.workspace import Workspace
from pilotage.web.authentication import Authentication
from pilotage.web.lanes import ChoosingLane
from pilotage.web.policies import declared_routes
from pilotage.web.problems import DATABASE_AWAY, on_database_error, on_defect, on_http_error, on_pilotage_error
from pilotage.web.rendering import STATIC, environment
from pilotage.web.routes import handlers
from pilotage.web.security import add_headers
from pilotage.web.strict_bodies import demand_strict

_KEEP_SECONDS = 86_400


Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def build_console(
    work: Workspace,
    *,
    extra: Sequence[Any] = (),
    lifespan: Sequence[Lifespan] = (),
    service: Service | None = None,
) -> Litestar:
    """The console and API over one installation; with further handlers, and with what runs as long as it does.

    ``service`` is what answers decisions in this process; without it, its routes say that they are unavailable.

    Raises:
        UndeclaredPolicy: a route does not say who may call it.
    """
    configure(work.settings.log_level, work.settings.log_format)
    provider.demand_sound(work.settings)
    console = Litestar(
        # One router for all: Litestar prepares a path's handlers again for each one that is registered by itself, and
        # the second preparation wraps a synchronous handler twice (2.25).
        route_handlers=[_Only(path="/", route_handlers=[*handlers(), _static(), *extra])],
        dependencies={"work": Provide(lambda: work, sync_to_thread=False), **answering(service)},
        middleware=[ChoosingLane, DefineMiddleware(Authentication, work=work, service=service)],
        exception_handlers={
            PilotageError: on_pilotage_error,
            HTTPException: on_http_error,
            **dict.fromkeys(DATABASE_AWAY, on_database_error),
            Exception: on_defect,
        },
        csrf_config=_csrf(work),
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment())),
        before_request=demand_strict,
        before_send=[add_headers],
        lifespan=[*lifespan],
        request_max_body_size=work.settings.request_bytes_max,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    declared_routes(console)
    return console


class _Only(Router):
    """Hangs in one application: Litestar would copy every handler, so that a router can hang in several."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Only:
        return self


def _csrf(work: Workspace) -> CSRFConfig:
    """Forms prove that they come from our own pages. Where programs ask, no cookie is looked at: nothing to ride."""
    return CSRFConfig(
        secret=secret_of(work, "csrf").hex(),
        cookie_name=CSRF,
        cookie_httponly=True,
        cookie_samesite="lax",
        cookie_secure=is_secure(work),
        exclude=["^/v1/", "^/v2/", "^/ofrep/", "^/static/", "^/embed/"],
    )


def _static() -> Any:
    return create_static_files_router(
        path="/static",
        directories=[STATIC],
        guards=[public("stylesheet and script of the pages")],
        cache_control=CacheControlHeader(max_age=_KEEP_SECONDS, public=True),
        # Pages are not compressed: their length would tell of the token in them (BREACH).
        middleware=[DefineMiddleware(CompressionMiddleware, config=CompressionConfig(backend="gzip"))],
    )
