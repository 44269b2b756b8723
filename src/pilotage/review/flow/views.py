"""Views of a queue: a reviewer keeps filters under a name, for themselves or, where they own the use case, for all."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.platform.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.review import views_store as store
from pilotage.review.records import View, Wanted
from pilotage.review.rules import views as rules
from pilotage.usecase.records import CaseReason, Definition


def views(work: Workspace, use_case: str, person: Principal) -> list[View]:
    """The views that this person keeps of a queue, then those that are shared with all its reviewers."""
    with work.database.reading() as connection:
        return store.views_of(connection, use_case, person.name)


def waiting(work: Workspace, use_case: str) -> dict[CaseReason, tuple[int, int]]:
    """(how many cases wait, how many of these past their time), by why they came, as far as reviewers may know it.

    What is judged blind is not told apart from what is known already.
    """
    with work.database.reading() as connection:
        counted = store.count_waiting(connection, use_case, work.clock.now())
    found = {why: (every, late) for why, every, late in counted}
    hidden = [found.pop(why) for why in ("blind", "known") if why in found]
    if hidden:
        found["blind"] = (sum(every for every, _ in hidden), sum(late for _, late in hidden))
    return found  # type: ignore[return-value]  # the column holds nothing else


def may_share(person: Principal, use_case: str) -> bool:
    """Whether this person says what all reviewers of a use case have before them: whoever answers for it does."""
    return allowed(person, Permission.RELEASE, use_case)


def keep_view(
    work: Workspace, definition: Definition, name: str, wanted: Wanted, shared: bool, person: Principal
) -> View:
    """Keep filters under a name.

    Raises:
        InvalidRequest: its name or its filters are not possible, or this person keeps too many.
        Conflict: this person has one of this name.
        NotAllowed: it is to be shared, and the use case is another's.
    """
    name, use_case = rules.tidy(name), definition.name
    asked = rules.filter_of(wanted)
    rules.refuse_unfit(name, asked, tuple(definition.use_case.review.skills))
    if shared:
        _refuse_sharing(person, use_case)
    now = work.clock.now()
    view = View(
        id=new_id("view", now),
        use_case=use_case,
        person=person.name,
        name=name,
        shared=shared,
        show=asked.state,
        why=wanted.why,  # type: ignore[arg-type]  # one of those shown, looked at above
        skill=asked.skill,
        entity=asked.entity,
        overdue=asked.overdue,
        at=now,
    )
    with work.database.writing() as connection:
        while not store.insert_view(connection, view, _free_place(connection, view)):
            continue  # another window of the same person took the place: the next one
    return view


def change_view(work: Workspace, use_case: str, view_id: str, name: str, shared: bool, person: Principal) -> View:
    """Rename a view, and share it or not.

    Raises:
        NotFound, NotAllowed: it is not this person's to change.
        InvalidRequest: there is no such name.
        Conflict: its person has another one of this name.
    """
    name = rules.tidy(name)
    if problems := rules.name_problems(name):
        raise InvalidRequest("The view cannot be renamed.", problems=problems)
    try:
        with work.database.writing() as connection:
            view = _found(connection, use_case, view_id, person)
            if shared != view.shared:
                _refuse_sharing(person, use_case)
            store.change_view(connection, view_id, name, shared)
    except sa.exc.IntegrityError:
        raise _taken(name) from None
    return msgspec.structs.replace(view, name=name, shared=shared)


def remove_view(work: Workspace, use_case: str, view_id: str, person: Principal) -> None:
    """Keep a view no longer.

    Raises:
        NotFound, NotAllowed: it is not this person's to remove.
    """
    with work.database.writing() as connection:
        _found(connection, use_case, view_id, person)
        store.delete_view(connection, view_id)


def _free_place(connection: sa.Connection, view: View) -> int:
    taken = store.names_and_places(connection, view.use_case, view.person)
    if view.name.casefold() in taken:
        raise _taken(view.name)
    free = sorted(set(range(1, rules.VIEWS_MAX + 1)) - set(taken.values()))
    if not free:
        raise InvalidRequest(
            f"{view.person} keeps {rules.VIEWS_MAX} views of this queue already, which is as many as there can be.",
            "Remove one that is not needed any more.",
        )
    return free[0]


def _found(connection: sa.Connection, use_case: str, view_id: str, person: Principal) -> View:
    view = store.find_view(connection, view_id)
    if view is None or view.use_case != use_case or not (view.shared or view.person == person.name):
        raise NotFound(f"There is no view {view_id} of {use_case}.", "Look at the views of the queue.")
    if view.shared:
        _refuse_sharing(person, use_case)
    return view


def _refuse_sharing(person: Principal, use_case: str) -> None:
    if not may_share(person, use_case):
        raise NotAllowed(
            f"Only an owner of {use_case} says which views all its reviewers share.",
            "Keep one of your own, or ask an owner.",
        )


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a view '{name}' among yours already.", "Choose another name, or remove that one first.")
