"""What waits in a use case's queue, one case with its history, and what a reviewer may answer."""

from __future__ import annotations

from pilotage.decisions import flow as deciding
from pilotage.decisions.records import Decision, Said
from pilotage.models import flow as modelling
from pilotage.platform.workspace import Workspace
from pilotage.review import store
from pilotage.review.flow.intake import take_in
from pilotage.review.flow.leasing import found
from pilotage.review.records import EVERYTHING_OPEN, Case, Event, Filter, QueueCounts
from pilotage.review.rules import verdicts
from pilotage.review.rules.viewing import hides_model
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition


def queue(
    work: Workspace,
    use_case: str,
    wanted: Filter = EVERYTHING_OPEN,
    person: str = "",
    limit: int = 200,
    skip: int = 0,
) -> list[Case]:
    """Cases of a use case: those undecided in the order to look at them, those being worked on among them."""
    take_in(work, rounds=1)
    with work.database.reading() as connection:
        return store.list_cases(connection, use_case, wanted, person, work.clock.now(), limit, skip)


def opened(work: Workspace, use_case: str) -> tuple[int, int]:
    """How many cases there ever were, besides those whose outcome was known; and how many of these."""
    with work.database.reading() as connection:
        return store.count_opened(connection, use_case)


def counts(work: Workspace, use_case: str) -> QueueCounts:
    """How many cases wait, are being worked on, are late or decided."""
    with work.database.reading() as connection:
        return store.count_cases(connection, use_case, work.clock.now())


def find_case(work: Workspace, case_id: str) -> Case:
    """The case with this identifier.

    Raises:
        NotFound: there is none.
    """
    with work.database.reading() as connection:
        return found(connection, case_id)


def history(work: Workspace, case_id: str) -> list[Event]:
    """Every step of a case, oldest first."""
    with work.database.reading() as connection:
        return store.events_of(connection, case_id)


def categories(work: Workspace, definition: Definition, decision: Decision, case: Case) -> tuple[str, ...]:
    """What a reviewer may correct a category to: all that are known, in order; none where the outcome is no category.

    Those of the newest comparison, of the policy, and of this decision: but not where it is kept from reviewers, whom
    one more to choose from would tell what was answered.
    """
    if definition.use_case.kind != "category":
        return ()
    comparison, policy = modelling.latest_comparison(work, definition.name), definition.use_case.policy
    known = {*(comparison.classes if comparison else ()), *policy.actions, policy.default}
    if not hides_model(case):
        known |= {*decision.shares, decision.answer, decision.model_answer, decision.rule_answer}
    return tuple(sorted(each for each in known if isinstance(each, str)))


def corrected(work: Workspace, case: Case, written: str) -> Said | None:
    """The answer that a reviewer wrote, as one of the outcome's kind; None where nothing was written.

    Raises:
        InvalidRequest: it is none.
    """
    definition, decision = defining.find(work, case.use_case), deciding.find(work, case.decision)
    return verdicts.read_answer(definition.use_case.kind, written, categories(work, definition, decision, case))
