"""HTTP of webhooks: endpoints, their deliveries, and sending again. For admins of the installation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from litestar import Request, get, post
from msgspec import Meta, Struct

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import EVERY_USE_CASE, Permission
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.instants import as_utc
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import flow
from pilotage.webhooks.records import Attempt, Delivery, Endpoint, Page

_ADMIN = [needs(Permission.GOVERN)]
AnyRequest = Request[Any, Any, Any]


class NewEndpoint(Struct, frozen=True, forbid_unknown_fields=True):
    """An address, and what it is to be told. No types are all but the frequent ones."""

    url: str
    types: tuple[str, ...] = ()
    use_case: str = EVERY_USE_CASE
    description: str = ""


class Registered(Struct, frozen=True):
    """A new endpoint, with its secret: shown this once."""

    endpoint: Endpoint
    secret: str


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """For how many hours the old secret signs, too."""

    hours: Annotated[float, Meta(ge=0, le=168)] = 24.0


class NewSecret(Struct, frozen=True):
    """A secret, shown this once."""

    secret: str


class Replay(Struct, frozen=True, forbid_unknown_fields=True):
    """What to send again: one event, or all since an instant."""

    event: str = ""
    since: datetime | None = None


class Replayed(Struct, frozen=True):
    """How many events are on their way again."""

    events: int


class Logged(Struct, frozen=True):
    """A delivery, and each try."""

    delivery: Delivery
    attempts: tuple[Attempt, ...]


@get("/v1/webhooks", guards=_ADMIN, sync_to_thread=True)
def endpoints(work: Workspace) -> list[Endpoint]:
    """Every endpoint, oldest first."""
    return flow.all_endpoints(work)


@post("/v1/webhooks", guards=_ADMIN, sync_to_thread=True)
def register(data: NewEndpoint, request: AnyRequest, work: Workspace) -> Registered:
    """Register an endpoint."""
    by = principal_of(request)
    made, secret = flow.register(work, by, data.url, data.types, data.use_case, data.description)
    return Registered(made, secret)


@get("/v1/webhooks/{webhook:str}", guards=_ADMIN, sync_to_thread=True)
def endpoint(webhook: str, work: Workspace) -> Endpoint:
    """One endpoint."""
    return flow.find(work, webhook)


@post("/v1/webhooks/{webhook:str}/disable", guards=_ADMIN, sync_to_thread=True, status_code=200)
def disable(webhook: str, request: AnyRequest, work: Workspace) -> Endpoint:
    """Tell it nothing any more."""
    return flow.disable(work, principal_of(request), webhook)


@post("/v1/webhooks/{webhook:str}/enable", guards=_ADMIN, sync_to_thread=True, status_code=200)
def enable(webhook: str, request: AnyRequest, work: Workspace) -> Endpoint:
    """Tell it again."""
    return flow.enable(work, principal_of(request), webhook)


@post("/v1/webhooks/{webhook:str}/rotate", guards=_ADMIN, sync_to_thread=True, status_code=200)
def rotate(webhook: str, data: Rotation, request: AnyRequest, work: Workspace) -> NewSecret:
    """Give it a new secret; the old one signs for some hours, too."""
    return NewSecret(flow.rotate(work, principal_of(request), webhook, data.hours))


@post("/v1/webhooks/{webhook:str}/test", guards=_ADMIN, sync_to_thread=True, status_code=202)
def send_test(webhook: str, request: AnyRequest, work: Workspace) -> Delivery:
    """Send it a test event; what became of it is in the delivery's log."""
    return flow.send_test(work, principal_of(request), webhook)


@post("/v1/webhooks/{webhook:str}/replay", guards=_ADMIN, sync_to_thread=True, status_code=202)
def replay(webhook: str, data: Replay, request: AnyRequest, work: Workspace) -> Replayed:
    """Send one event again, or all since an instant."""
    by = principal_of(request)
    if bool(data.event) == (data.since is not None):
        raise InvalidRequest("A replay is of one event or of all since an instant.", "Send either event or since.")
    if data.since is not None:
        return Replayed(flow.replay_since(work, by, webhook, as_utc(data.since)))
    flow.replay(work, by, webhook, data.event)
    return Replayed(1)


@get("/v1/webhooks/{webhook:str}/deliveries", guards=_ADMIN, sync_to_thread=True)
def deliveries(webhook: str, work: Workspace, before: str | None = None) -> Page:
    """The endpoint's newest deliveries, fifty at a time."""
    return flow.page(work, webhook, before)


@get("/v1/webhook-deliveries/{delivery:str}", guards=_ADMIN, sync_to_thread=True)
def one_delivery(delivery: str, work: Workspace) -> Logged:
    """One delivery, and each try."""
    found, attempts = flow.delivery(work, delivery)
    return Logged(found, tuple(attempts))


ROUTES = [endpoints, register, endpoint, disable, enable, rotate, send_test, replay, deliveries, one_delivery]
