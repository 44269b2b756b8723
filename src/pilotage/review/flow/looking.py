"""One case with everything that its reviewer may see."""

from __future__ import annotations

from pilotage.data.flow import contracting
from pilotage.decisions import flow as deciding
from pilotage.decisions.parity.sighting import personal_columns
from pilotage.platform.workspace import Workspace
from pilotage.review import opinions_store, store
from pilotage.review.flow.cases import categories
from pilotage.review.records import Case, CaseView, Comment, Opinion
from pilotage.review.rules import viewing
from pilotage.review.rules.cases import CLOSED
from pilotage.usecase import flow as defining


def look(work: Workspace, case: Case, viewer: str = "") -> CaseView:
    """The case with its evidence; of a blind one nothing of the model before it is closed.

    ``viewer`` is who looks: they read their own comments also where those would lead others.
    """
    definition, decision = defining.find(work, case.use_case), deciding.find(work, case.decision)
    personal = personal_columns(definition, contracting.current(work, definition.name))
    known = categories(work, definition, decision, case)
    with work.database.reading() as connection:
        said = store.feedback_on(connection, case.decision)
        written = opinions_store.comments_on(connection, case.id)
        opinions = opinions_store.opinions_on(connection, case.id)
    comments = viewing.comments_for(viewer, case, written, opinions)
    return viewing.view_of(case, decision, definition, personal, known, said, comments, opinions)


def talk_on(work: Workspace, case: Case, viewer: str) -> tuple[list[Opinion], tuple[Comment, ...]]:
    """What reviewers said of a case, once it is closed, and what they wrote beside it that the viewer may read."""
    with work.database.reading() as connection:
        written = opinions_store.comments_on(connection, case.id)
        opinions = opinions_store.opinions_on(connection, case.id)
    return opinions if case.state in CLOSED else [], viewing.comments_for(viewer, case, written, opinions)
