"""What people write beside a case, with a link to what they looked at."""

from __future__ import annotations

from urllib.parse import urlsplit

from pilotage.govern.records import Principal
from pilotage.platform.errors import InvalidRequest, Problem
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.review import opinions_store
from pilotage.review.flow.leasing import found
from pilotage.review.records import Comment
from pilotage.review.rules.verdicts import NOTE_CHARACTERS_MAX


def comment(work: Workspace, case_id: str, text: str, link: str, person: Principal) -> Comment:
    """Keep a comment; ``link`` is empty or an address of the web that is shown beside it.

    Raises:
        NotFound: there is no such case.
        InvalidRequest: it says nothing, is too long, or its link is none.
    """
    now = work.clock.now()
    problems = _problems(text.strip(), link.strip())
    if problems:
        raise InvalidRequest("The comment does not fit.", problems=problems)
    made = Comment(
        id=new_id("cmt", now), case=case_id, person=person.name, at=now, text=text.strip(), link=link.strip()
    )
    with work.database.writing() as connection:
        found(connection, case_id)
        opinions_store.insert_comment(connection, made)
    return made


def comments_on(work: Workspace, case_id: str) -> list[Comment]:
    """Every comment on a case, oldest first."""
    with work.database.reading() as connection:
        return opinions_store.comments_on(connection, case_id)


def _problems(text: str, link: str) -> list[Problem]:
    problems = []
    if not text:
        problems.append(Problem("text", "must say something."))
    for name, value in (("text", text), ("link", link)):
        if len(value) > NOTE_CHARACTERS_MAX:
            problems.append(Problem(name, f"must be at most {NOTE_CHARACTERS_MAX} characters (got {len(value)})."))
    if link and not _is_web(link):
        problems.append(Problem("link", "must begin with https:// or http:// and name a host."))
    return problems


def _is_web(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(c.isspace() for c in link)
