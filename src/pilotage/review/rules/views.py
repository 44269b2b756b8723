"""Which cases a queue lists, and what a view may be: filters that a reviewer keeps under a name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import get_args
from urllib.parse import urlencode

from pilotage.platform.errors import InvalidRequest, Problem
from pilotage.review.records import Filter, QueueState, View, Wanted
from pilotage.review.rules.picking import meant
from pilotage.usecase.records import CaseReason

NAME_CHARACTERS_MAX = 60
ENTITY_CHARACTERS_MAX = 200
VIEWS_MAX = 30
"""So many views of a queue one person keeps."""
SHOWN: tuple[CaseReason, ...] = tuple(why for why in get_args(CaseReason) if why != "known")
"""Why a case comes, as far as reviewers may know."""
STATES: tuple[QueueState, ...] = get_args(QueueState)


def filter_of(wanted: Wanted) -> Filter:
    """What a page or a view asks for.

    Raises:
        InvalidRequest: there is no such state, or no case comes for that reason.
    """
    if wanted.show not in STATES:
        raise InvalidRequest(f"There is no state {wanted.show!r}.", f"Known: {', '.join(STATES)}.")
    if wanted.why and wanted.why not in SHOWN:
        raise InvalidRequest(f"No case comes because of {wanted.why!r}.", f"Known: {', '.join(SHOWN)}.")
    kinds = meant(wanted.why) if wanted.why else ()
    entity = wanted.entity.strip()
    return Filter(state=wanted.show, why=kinds, skill=wanted.skill, entity=entity, overdue=wanted.overdue)


def address_of(path: str, wanted: Wanted, **more: str) -> str:
    """An address with what is asked for, and more besides; what is empty is left out."""
    said = {
        "show": "" if wanted.show == "open" else wanted.show,
        "why": wanted.why,
        "skill": wanted.skill,
        "entity": wanted.entity.strip(),
        "overdue": "true" if wanted.overdue else "",
        **more,
    }
    query = urlencode({name: value for name, value in said.items() if value})
    return f"{path}?{query}" if query else path


def tidy(name: str) -> str:
    """A name without what nobody sees: spaces around it, and more than one between its words."""
    return " ".join(name.split())


def refuse_unfit(name: str, wanted: Filter, skills: Collection[str]) -> None:
    """Do nothing where a view may be so.

    Raises:
        InvalidRequest: every mistake in its name and its filters is named.
    """
    problems = [*name_problems(name)]
    if wanted.skill and wanted.skill not in skills:
        known = f"Known: {', '.join(skills)}." if skills else "The use-case file names none: review.skills."
        problems.append(Problem("skill", f"must be a skill of the use case (got {wanted.skill!r}).", known))
    if len(wanted.entity) > ENTITY_CHARACTERS_MAX:
        got = len(wanted.entity)
        problems.append(Problem("entity", f"must be at most {ENTITY_CHARACTERS_MAX} characters (got {got})."))
    if problems:
        raise InvalidRequest("The view cannot be kept.", problems=problems)


def name_problems(name: str) -> list[Problem]:
    """What is wrong with the name of a view."""
    if not name:
        return [Problem("name", "must say what the view shows.", "Write a name.")]
    if len(name) > NAME_CHARACTERS_MAX:
        return [Problem("name", f"must be at most {NAME_CHARACTERS_MAX} characters (got {len(name)}).")]
    if not name.isprintable():
        return [Problem("name", "must have no characters that cannot be seen.", "Write it anew.")]
    return []


def count_of(view: View, waiting: Mapping[CaseReason, tuple[int, int]]) -> int | None:
    """How many cases a view lists, from those that wait by reason: (all, past their time).

    None where they would have to be read to be counted: what is closed or one's own, of one skill, or looked for.
    """
    if view.show != "open" or view.skill or view.entity:
        return None
    reasons = [view.why] if view.why else list(waiting)
    return sum(waiting.get(why, (0, 0))[1 if view.overdue else 0] for why in reasons)
