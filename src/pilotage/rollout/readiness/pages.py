"""Console pages of readiness: the scorecard of one use case, the ranking of all. Both print."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.response import Template

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.govern.rules.permissions import allowed
from pilotage.monitor import lately
from pilotage.platform.workspace import Workspace
from pilotage.rollout.readiness import flow
from pilotage.rollout.readiness.rules.markdown import LIGHTS
from pilotage.rollout.readiness.rules.ranking import WORDS
from pilotage.usecase import flow as defining


@get("/use-cases/{use_case:str}/readiness", guards=[needs(Permission.READ)], sync_to_thread=True)
def readiness_page(use_case: str, work: Workspace) -> Template:
    """What is there, what is missing, and what turns each row green."""
    definition = defining.find_adopted(work, use_case)
    with lately.page():
        card = flow.readiness(work, definition)
    context = {
        "page": {"use_case": use_case, "title": definition.use_case.title, "active": "readiness"},
        "card": card,
        "lights": LIGHTS,
    }
    return Template("readiness/scorecard.html", context=context)


@get("/ranking", guards=[needs(Permission.READ)], sync_to_thread=True)
def ranking_page(request: Request[Any, Any, Any], work: Workspace) -> Template:
    """The use cases that the reader may see, the one to build first at the top, with the reasons."""
    person = principal_of(request)
    seen = [each for each in defining.definitions(work) if allowed(person, Permission.READ, each.name)]
    with lately.page():
        places = flow.ranking_of(work, seen)
    context = {"page": {"use_case": None, "active": "ranking"}, "places": places, "words": WORDS}
    return Template("readiness/ranking.html", context=context)


PAGES = [readiness_page, ranking_page]
