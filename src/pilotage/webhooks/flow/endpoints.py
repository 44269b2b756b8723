"""Registers endpoints, disables and enables them, changes their secrets. Each change is in the audit log."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa

from pilotage.govern import flow as governing
from pilotage.govern.records import EVERY_USE_CASE, Principal
from pilotage.platform.egress import Egress, checked_addresses
from pilotage.platform.errors import Conflict, InvalidRequest, NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import store
from pilotage.webhooks.flow import sealing
from pilotage.webhooks.records import Endpoint
from pilotage.webhooks.rules import addresses, events

ENDPOINTS_MAX = 100
OVERLAP_HOURS = 24.0
OVERLAP_HOURS_MAX = 168.0
_USE_CASE_LETTERS_MAX = 64


def register(
    work: Workspace,
    by: Principal,
    url: str,
    types: tuple[str, ...] = (),
    use_case: str = EVERY_USE_CASE,
    description: str = "",
) -> tuple[Endpoint, str]:
    """Tell an address what happens from now on; the endpoint, and its secret, to be shown once.

    Raises:
        InvalidRequest: address, type, use case or description do not fit.
        EgressRefused: the address may not be called from here.
        Unreachable: nothing has this name.
        Conflict: there are a hundred endpoints already.
    """
    url = addresses.checked_url(url)
    kinds, about = events.checked_types(types), use_case.strip() or EVERY_USE_CASE
    if len(about) > _USE_CASE_LETTERS_MAX:
        raise InvalidRequest(f"{about[:20]}… is no name of a use case.", f"Name one, or {EVERY_USE_CASE} for all.")
    purpose = addresses.checked_description(description)
    _refuse_unreachable(work, url)
    now, secret = work.clock.now(), sealing.new_secret()
    name = new_id("whk", now)
    with work.database.writing() as connection:
        governing.take_turn(connection)
        if sum(each.disabled_at is None for each in store.all_endpoints(connection)) >= ENDPOINTS_MAX:
            raise Conflict(f"There are {ENDPOINTS_MAX} endpoints already.", "Disable one that is no longer needed.")
        detail = {**_detail(url, about), "types": kinds}
        entry = governing.record(connection, work, by, "webhook.registered", name, detail)
        store.begin_cursor(connection, entry.number)
        made = Endpoint(
            id=name,
            url=url,
            description=purpose,
            types=kinds,
            use_case=about,
            made_at=now,
            made_by=by.name,
            since_entry=entry.number,
        )
        store.insert_endpoint(connection, made, sealing.seal(work, name, secret))
    return made, secret


def all_endpoints(work: Workspace) -> list[Endpoint]:
    """Every endpoint, oldest first."""
    with work.database.reading() as connection:
        return store.all_endpoints(connection)


def find(work: Workspace, identifier: str) -> Endpoint:
    """One endpoint.

    Raises:
        NotFound: there is none with this identifier.
    """
    with work.database.reading() as connection:
        return found(connection, identifier)


def disable(work: Workspace, by: Principal, identifier: str) -> Endpoint:
    """Tell it nothing any more. What waits for it stays, and is sent when it is enabled again.

    Raises:
        NotFound: there is no such endpoint.
    """
    with work.database.writing() as connection:
        endpoint = found(connection, identifier)
        if store.set_disabled(connection, identifier, work.clock.now(), f"by {by.name}"):
            detail = _detail(endpoint.url, endpoint.use_case)
            governing.record(connection, work, by, "webhook.disabled", identifier, detail)
        return found(connection, identifier)


def enable(work: Workspace, by: Principal, identifier: str) -> Endpoint:
    """Tell it again what happens from now on.

    Raises:
        NotFound: there is no such endpoint.
    """
    with work.database.writing() as connection:
        endpoint = found(connection, identifier)
        if endpoint.disabled_at is not None:
            store.update_endpoint(
                connection,
                identifier,
                disabled_at=None,
                disabled_because="",
                failures=0,
                failing_since=None,
                resting_until=None,
            )
            detail = _detail(endpoint.url, endpoint.use_case)
            governing.record(connection, work, by, "webhook.enabled", identifier, detail)
        return found(connection, identifier)


def rotate(work: Workspace, by: Principal, identifier: str, hours: float = OVERLAP_HOURS) -> str:
    """Give an endpoint a new secret, to be shown once. For so many hours both sign, so that nothing is missed.

    Raises:
        NotFound: there is no such endpoint.
        InvalidRequest: the hours are not in 0 to 168.
    """
    if not 0 <= hours <= OVERLAP_HOURS_MAX:
        raise InvalidRequest(
            f"The old secret counts for 0 to {OVERLAP_HOURS_MAX:g} hours more (got {hours:g}).", "Choose 24."
        )
    secret, until = sealing.new_secret(), work.clock.now() + timedelta(hours=hours)
    with work.database.writing() as connection:
        endpoint = found(connection, identifier)
        before = store.secrets_of(connection, identifier)
        store.update_endpoint(
            connection,
            identifier,
            secret=sealing.seal(work, identifier, secret),
            old_secret=before.sealed if hours else None,
            old_secret_until=until if hours else None,
        )
        detail = {**_detail(endpoint.url, endpoint.use_case), "hours": hours}
        governing.record(connection, work, by, "webhook.secret_rotated", identifier, detail)
    return secret


def found(connection: sa.Connection, identifier: str) -> Endpoint:
    """One endpoint, in a transaction.

    Raises:
        NotFound: there is none with this identifier.
    """
    endpoint = store.find_endpoint(connection, identifier)
    if endpoint is None:
        raise NotFound(f"There is no webhook {identifier}.", "pilotage webhooks list names them.")
    return endpoint


def _refuse_unreachable(work: Workspace, url: str) -> None:
    hosts = work.settings.private_hosts
    place = Egress(url, hosts)
    host, _, port = place.host.rpartition(":")
    checked_addresses(host, int(port), hosts)


def _detail(url: str, use_case: str) -> dict[str, object]:
    """What the audit log keeps: the host alone, because paths of such addresses are often secrets."""
    about = {} if use_case == EVERY_USE_CASE else {"use_case": use_case}
    return {"host": urlsplit(url).hostname, **about}
