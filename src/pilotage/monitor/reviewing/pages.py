"""The console page of review quality: one's own figures, and those of all for who leads."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.response import Template

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.govern.rules.permissions import allowed
from pilotage.monitor.reviewing import flow
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining


@get("/use-cases/{use_case:str}/queue/quality", guards=[needs(Permission.REVIEW)], sync_to_thread=True)
def quality_page(use_case: str, request: Request[Any, Any, Any], work: Workspace) -> Template:
    """How well people review: their own figures to each, all together to those who answer for the use case."""
    definition = defining.find_adopted(work, use_case)
    person = principal_of(request)
    leads = allowed(person, Permission.RELEASE, use_case)
    together = flow.quality(work, use_case) if leads else None
    queue = f"/use-cases/{use_case}/queue"
    context = {
        "page": {
            "use_case": use_case,
            "title": definition.use_case.title,
            "active": "queue",
            "crumbs": [("Queue", queue), ("Quality of review", f"{queue}/quality")],
        },
        "days": flow.DAYS,
        "people_min": flow.PEOPLE_MIN,
        "mine": flow.quality(work, use_case, person.name),
        "together": together,
        "too_few": together is not None and flow.is_too_few(together, person.name),
        "samples": definition.use_case.review.samples,
        "second_opinion": definition.use_case.review.second_opinion or definition.use_case.review.four_eyes,
    }
    return Template("monitor/review_quality.html", context=context)


PAGES = [quality_page]
