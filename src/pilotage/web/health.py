"""Addresses for programs that watch this one: alive, ready, and counts."""

from __future__ import annotations

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pilotage.govern.guards import public
from pilotage.platform.workspace import Workspace


@get("/health", guards=[public("says only that the process answers")], sync_to_thread=False)
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@get("/ready", guards=[public("says only that the database answers")], sync_to_thread=True)
def ready(work: Workspace) -> dict[str, str]:
    """The control database answers."""
    with work.database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
    return {"status": "ready"}


@get("/metrics", guards=[public("counts without entities, for a Prometheus on the same network")], sync_to_thread=True)
def metrics() -> Response[bytes]:
    """What was counted, in Prometheus' text format."""
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


ROUTES = [health, ready, metrics]
