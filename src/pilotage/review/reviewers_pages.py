"""Console page of a use case's reviewers: what each can judge."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from msgspec import Struct

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.usecase import flow as defining

_GOVERN = [needs(Permission.GOVERN)]


class SkillsForm(Struct, frozen=True):
    """A reviewer, and the skills that were ticked."""

    person: str
    skill: str | list[str] = ""


@get("/use-cases/{use_case:str}/reviewers", guards=_GOVERN, sync_to_thread=True)
def reviewers_page(use_case: str, work: Workspace) -> Template:
    """Who may review here, and the skills of each."""
    definition = defining.find_adopted(work, use_case)
    context = {
        "page": {"use_case": use_case, "title": definition.use_case.title, "active": "queue"},
        "skills": {name: str(wanted) for name, wanted in definition.use_case.review.skills.items()},
        "reviewers": flow.reviewers(work, use_case),
    }
    return Template("review/reviewers.html", context=context)


@post("/use-cases/{use_case:str}/reviewers", guards=_GOVERN, sync_to_thread=True)
def set_skills(
    use_case: str,
    data: Annotated[SkillsForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Redirect:
    """Say what a reviewer can judge."""
    definition = defining.find_adopted(work, use_case)
    ticked = [data.skill] if isinstance(data.skill, str) else data.skill
    flow.set_skills(work, principal_of(request), definition, data.person, [each for each in ticked if each])
    return Redirect(f"/use-cases/{use_case}/reviewers", status_code=303)


PAGES: list[Any] = [reviewers_page, set_skills]
