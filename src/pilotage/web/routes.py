"""The pages and routes of the rooms: everything that the console answers to, room by room."""

from __future__ import annotations

from typing import Any

from pilotage.audit import api as audit_api
from pilotage.audit import pages as audit
from pilotage.data import api as data
from pilotage.decisions import api as decisions_api
from pilotage.decisions import pages as decisions
from pilotage.decisions.flags import api as flags
from pilotage.decisions.inference import api as inference
from pilotage.decisions.jobs import api as jobs_api
from pilotage.govern import pages as govern
from pilotage.models import pages as models
from pilotage.monitor import pages as monitor
from pilotage.outcomes import api as outcomes_api
from pilotage.releases import pages as releases
from pilotage.review import api as review_api
from pilotage.review import pages as review
from pilotage.rollout import pages as rollout
from pilotage.usecase import pages as usecase
from pilotage.web import embedding, health, interface
from pilotage.webhooks import api as webhooks_api
from pilotage.webhooks import pages as webhooks

HUNG_OUT: tuple[list[Any], ...] = (
    govern.PAGES,
    webhooks.PAGES,
    webhooks_api.ROUTES,
    usecase.PAGES,
    data.ROUTES,
    audit.PAGES,
    audit_api.ROUTES,
    models.PAGES,
    releases.PAGES,
    decisions.PAGES,
    decisions_api.ROUTES,
    jobs_api.ROUTES,
    outcomes_api.ROUTES,
    inference.ROUTES,
    flags.ROUTES,
    review.PAGES,
    review_api.ROUTES,
    monitor.PAGES,
    rollout.PAGES,
    interface.ROUTES,
    embedding.ROUTES,
    health.ROUTES,
)


def handlers() -> list[Any]:
    """All handlers of the rooms that have doors to the web."""
    return [handler for hung_out in HUNG_OUT for handler in hung_out]
