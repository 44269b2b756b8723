"""The pages and routes of the rooms: everything that the console answers to, room by room."""

from __future__ import annotations

from typing import Any

from pilotage.audit import api as audit_api
from pilotage.audit import pages as audit
from pilotage.data import api as data
from pilotage.decisions import api as decisions_api
from pilotage.decisions import pages as decisions
from pilotage.govern import pages as govern
from pilotage.models import pages as models
from pilotage.monitor import pages as monitor
from pilotage.releases import pages as releases
from pilotage.review import api as review_api
from pilotage.review import pages as review
from pilotage.rollout import pages as rollout
from pilotage.usecase import pages as usecase
from pilotage.web import embedding, health

HUNG_OUT: tuple[list[Any], ...] = (
    govern.PAGES,
    usecase.PAGES,
    data.ROUTES,
    audit.PAGES,
    audit_api.ROUTES,
    models.PAGES,
    releases.PAGES,
    decisions.PAGES,
    decisions_api.ROUTES,
    review.PAGES,
    review_api.ROUTES,
    monitor.PAGES,
    rollout.PAGES,
    embedding.ROUTES,
    health.ROUTES,
)


def handlers() -> list[Any]:
    """All handlers of the rooms that have doors to the web."""
    return [handler for hung_out in HUNG_OUT for handler in hung_out]
