"""Addresses for programs that watch this one: alive, ready, and counts."""

from __future__ import annotations

import os

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from pilotage.decisions.answering.service import Service
from pilotage.decisions.http.readiness import Readiness, readiness
from pilotage.govern.guards import public


@get("/healthz", guards=[public("says only that the process answers")], sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers. Looks at nothing else."""
    return {"status": "alive"}


@get("/readyz", guards=[public("says only whether this process can answer")], sync_to_thread=False)
def readyz(service: Service) -> Response[Readiness]:
    """This worker can answer questions: 200, else 503 and why. What is degraded while it answers is told beside."""
    found = readiness(service)
    return Response(found, status_code=200 if found.ready else 503)


@get(
    "/metrics",
    guards=[public("counts without entities, for a Prometheus on the same network")],
    sync_to_thread=True,
    control=True,
)
def metrics() -> Response[bytes]:
    """What was counted, in Prometheus' text format: by all workers of this server, whichever of them is asked."""
    return Response(generate_latest(_counted()), headers={"content-type": CONTENT_TYPE_LATEST})


def _counted() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


ROUTES = [healthz, readyz, metrics]
