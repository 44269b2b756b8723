"""One case with everything that its reviewer may see, and of all listed what is at stake."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.flow import contracting
from pilotage.decisions import flow as deciding
from pilotage.decisions import store as ledger
from pilotage.decisions.parity.sighting import personal_columns
from pilotage.platform.workspace import Workspace
from pilotage.review import opinions_store, store
from pilotage.review.flow.cases import categories
from pilotage.review.records import Case, CaseView, Comment, Opinion
from pilotage.review.rules import viewing
from pilotage.review.rules.cases import CLOSED
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition


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


def stakes(work: Workspace, definition: Definition, cases: Sequence[Case]) -> dict[str, float]:
    """What is at stake in each of these cases by its identifier, in the currency of the file, where people may see it.

    By the file of today: cases keep the order in which they came.
    """
    if definition.use_case.review.at_stake is None or not cases:
        return {}
    personal = personal_columns(definition, contracting.current(work, definition.name))
    with work.database.reading() as connection:
        decisions = {each.id: each for each in ledger.find_all(connection, [case.decision for case in cases])}
    found = {
        case.id: viewing.at_stake(decisions[case.decision], definition, personal)
        for case in cases
        if case.decision in decisions
    }
    return {case: amount for case, amount in found.items() if amount is not None}


def talk_on(work: Workspace, case: Case, viewer: str) -> tuple[list[Opinion], tuple[Comment, ...]]:
    """What reviewers said of a case, once it is closed, and what they wrote beside it that the viewer may read."""
    with work.database.reading() as connection:
        written = opinions_store.comments_on(connection, case.id)
        opinions = opinions_store.opinions_on(connection, case.id)
    return opinions if case.state in CLOSED else [], viewing.comments_for(viewer, case, written, opinions)
