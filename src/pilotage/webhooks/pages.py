"""Console pages of webhooks: the endpoints, and one of them with its deliveries."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from msgspec import Struct

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import EVERY_USE_CASE, Permission
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import flow
from pilotage.webhooks.flow.replaying import hours_before
from pilotage.webhooks.records import EVERY_TYPE, EventType
from pilotage.webhooks.rules.events import FREQUENT, MEANINGS

_ADMIN = [needs(Permission.GOVERN)]
_FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
AnyRequest = Request[Any, Any, Any]


class EndpointForm(Struct, frozen=True):
    """The form for a new endpoint; types with commas or spaces between."""

    url: str
    types: str = ""
    use_case: str = EVERY_USE_CASE
    description: str = ""


class RotationForm(Struct, frozen=True):
    """For how many hours the old secret signs, too."""

    hours: float = 24.0


class ReplayForm(Struct, frozen=True):
    """One event to send again, or all of so many past hours."""

    event: str = ""
    hours: float | None = None


@get("/webhooks", guards=_ADMIN, sync_to_thread=True)
def webhooks_page(work: Workspace) -> Template:
    """Every endpoint, the newest deliveries, and the form for another one."""
    return _webhooks(work)


@post("/webhooks", guards=_ADMIN, sync_to_thread=True, status_code=200)
def register(request: AnyRequest, work: Workspace, data: Annotated[EndpointForm, _FORM]) -> Template:
    """Register an endpoint; shows its secret this once."""
    types = tuple(data.types.replace(",", " ").split())
    made, secret = flow.register(work, principal_of(request), data.url, types, data.use_case, data.description)
    return _webhook(work, made.id, shown_once=secret)


@get("/webhooks/{webhook:str}", guards=_ADMIN, sync_to_thread=True)
def webhook_page(webhook: str, work: Workspace, before: str | None = None) -> Template:
    """One endpoint, its deliveries with every try, and what can be done."""
    return _webhook(work, webhook, before)


@post("/webhooks/{webhook:str}/disable", guards=_ADMIN, sync_to_thread=True)
def disable(webhook: str, request: AnyRequest, work: Workspace) -> Redirect:
    """Tell it nothing any more."""
    flow.disable(work, principal_of(request), webhook)
    return _back(webhook)


@post("/webhooks/{webhook:str}/enable", guards=_ADMIN, sync_to_thread=True)
def enable(webhook: str, request: AnyRequest, work: Workspace) -> Redirect:
    """Tell it again."""
    flow.enable(work, principal_of(request), webhook)
    return _back(webhook)


@post("/webhooks/{webhook:str}/rotate", guards=_ADMIN, sync_to_thread=True, status_code=200)
def rotate(webhook: str, request: AnyRequest, work: Workspace, data: Annotated[RotationForm, _FORM]) -> Template:
    """Give it a new secret; shows it this once."""
    return _webhook(work, webhook, shown_once=flow.rotate(work, principal_of(request), webhook, data.hours))


@post("/webhooks/{webhook:str}/test", guards=_ADMIN, sync_to_thread=True)
def send_test(webhook: str, request: AnyRequest, work: Workspace) -> Redirect:
    """Send it a test event."""
    flow.send_test(work, principal_of(request), webhook)
    return _back(webhook)


@post("/webhooks/{webhook:str}/replay", guards=_ADMIN, sync_to_thread=True)
def replay(webhook: str, request: AnyRequest, work: Workspace, data: Annotated[ReplayForm, _FORM]) -> Redirect:
    """Send one event again, or all of the past hours."""
    by = principal_of(request)
    if data.event:
        flow.replay(work, by, webhook, data.event)
    elif data.hours is not None:
        flow.replay_since(work, by, webhook, hours_before(work.clock.now(), data.hours))
    else:
        raise InvalidRequest("A replay is of one event or of the past hours.", "Give one of them.")
    return _back(webhook)


def _webhooks(work: Workspace) -> Template:
    newest = flow.page(work)
    context = {
        "page": {"active": "webhooks"},
        "endpoints": flow.all_endpoints(work),
        "deliveries": newest.deliveries,
        "attempts": flow.attempts_of(work, newest.deliveries),
        "types": [
            (kind.value, meaning, kind in FREQUENT)
            for kind, (meaning, _) in MEANINGS.items()
            if kind is not EventType.WEBHOOK_TEST
        ],
        "every": EVERY_USE_CASE,
        "every_type": EVERY_TYPE,
    }
    return Template("webhooks/webhooks.html", context=context)


def _webhook(work: Workspace, webhook: str, before: str | None = None, shown_once: str = "") -> Template:
    endpoint = flow.find(work, webhook)
    found = flow.page(work, webhook, before)
    context = {
        "page": {"active": "webhooks", "crumbs": [("Webhooks", "/webhooks"), (endpoint.id, "")]},
        "endpoint": endpoint,
        "deliveries": found.deliveries,
        "attempts": flow.attempts_of(work, found.deliveries),
        "before": found.before,
        "shown_once": shown_once,
        "now": work.clock.now(),
    }
    return Template("webhooks/webhook.html", context=context)


def _back(webhook: str) -> Redirect:
    return Redirect(f"/webhooks/{webhook}", status_code=303)


PAGES = [webhooks_page, register, webhook_page, disable, enable, rotate, send_test, replay]
