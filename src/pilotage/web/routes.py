"""The pages and routes of the rooms: everything that the console answers to, room by room."""

from __future__ import annotations

from typing import Any

from pilotage.audit import api as audit_api
from pilotage.audit import pages as audit
from pilotage.data import api as data
from pilotage.decisions import api as decisions_api
from pilotage.decisions.flags import api as flags
from pilotage.decisions.inference import api as inference
from pilotage.decisions.jobs import api as jobs_api
from pilotage.decisions.jobs import pages as jobs_pages
from pilotage.govern import log_in_pages, own_pages
from pilotage.govern import pages as govern
from pilotage.models import pages as models
from pilotage.monitor import decisions_pages as decisions
from pilotage.monitor import pages as monitor
from pilotage.monitor.incidents import pages as incidents
from pilotage.monitor.reviewing import api as reviewing_api
from pilotage.monitor.reviewing import pages as reviewing
from pilotage.outcomes import api as outcomes_api
from pilotage.outcomes import pages as outcomes_pages
from pilotage.releases import pages as releases
from pilotage.review import api as review_api
from pilotage.review import cases_api, queue_pages, reviewers_pages
from pilotage.review import pages as review
from pilotage.rollout import pages as rollout
from pilotage.rollout.readiness import pages as readiness
from pilotage.usecase import pages as usecase
from pilotage.web import embedding, health, interface
from pilotage.webhooks import api as webhooks_api
from pilotage.webhooks import pages as webhooks

HUNG_OUT: tuple[list[Any], ...] = (
    log_in_pages.PAGES,
    own_pages.PAGES,
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
    jobs_pages.PAGES,
    jobs_api.ROUTES,
    outcomes_api.ROUTES,
    outcomes_pages.PAGES,
    inference.ROUTES,
    flags.ROUTES,
    queue_pages.PAGES,
    review.PAGES,
    reviewers_pages.PAGES,
    review_api.ROUTES,
    cases_api.ROUTES,
    monitor.PAGES,
    reviewing.PAGES,
    reviewing_api.ROUTES,
    incidents.PAGES,
    rollout.PAGES,
    readiness.PAGES,
    interface.ROUTES,
    embedding.ROUTES,
    health.ROUTES,
)


def handlers() -> list[Any]:
    """All handlers of the rooms that have doors to the web.

    What their signatures say is read here: Litestar reads it for every path of every console where it is not known.
    """
    found = [handler for hung_out in HUNG_OUT for handler in hung_out]
    for each in found:
        _ = each.parsed_fn_signature
    return found
