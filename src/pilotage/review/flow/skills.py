"""Who can judge what: reviewers' skills in a use case."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.govern import flow as governing
from pilotage.govern.records import Permission, Principal
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.workspace import Workspace
from pilotage.review import opinions_store as store
from pilotage.usecase.records import Definition


def reviewers(work: Workspace, use_case: str) -> dict[str, list[str]]:
    """Who may review in a use case, by name, with their skills."""
    names = [person.name for person in governing.who_may(work, Permission.REVIEW, use_case)]
    with work.database.reading() as connection:
        return {name: store.skills_of(connection, name, use_case) for name in names}


def set_skills(work: Workspace, by: Principal, definition: Definition, person: str, wanted: Sequence[str]) -> None:
    """Replace a reviewer's skills in a use case; counts from the next case on.

    Raises:
        InvalidRequest: a skill that the file does not name, or a person who may not review there.
    """
    known = tuple(definition.use_case.review.skills)
    if unknown := sorted(set(wanted) - set(known)):
        raise InvalidRequest(
            f"{definition.name} knows no skill '{unknown[0]}'.",
            f"Known: {', '.join(known)}." if known else "Its file names none: review.skills.",
        )
    if person not in reviewers(work, definition.name):
        raise InvalidRequest(f"{person} may not review in {definition.name}.", "Give the role reviewer first.")
    skills = sorted(set(wanted))
    with work.database.writing() as connection:
        if store.skills_of(connection, person, definition.name) == skills:
            return
        store.set_skills(connection, person, definition.name, skills)
        detail = {"use_case": definition.name, "skills": skills}
        governing.record(connection, work, by, "set-skills", person, detail)
