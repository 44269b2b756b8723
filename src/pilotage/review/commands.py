"""Command line of review: what waits for a person."""

from __future__ import annotations

from pilotage.platform.instants import iso
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def review(use_case: str | None = None, *, json: bool = False) -> None:
    """List the cases that wait for a person, in the order to look at them.

    Args:
        use_case: Name of the use case, or path of its file; not needed when there is only one.
        json: Print one JSON document instead.
    """
    from pilotage.review import flow
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        name = defining.find(work, use_case).name
        waiting = flow.queue(work, name)
        count = flow.counts(work, name)
        terminal.document({"use_case": name, "counts": count, "cases": waiting})
        terminal.say(
            f"Waiting in {name}: {count.open + count.leased:,}, of them past their time {count.overdue:,}; "
            f"decided: {count.closed:,}."
        )
        if waiting:
            rows = [
                [each.id, each.entity, each.why, each.state, iso(each.due_at)[:16], each.leased_to] for each in waiting
            ]
            terminal.table("Cases", ["case", "entity", "why", "state", "due (UTC)", "taken by"], rows)
        terminal.next(f"pilotage serve   # then {work.settings.address}/use-cases/{name}/queue")


def skills(person: str, *skill: str, use_case: str | None = None, json: bool = False) -> None:
    """Say which of a use case's cases a reviewer can judge, in place of what was said before; with no skill, none.

    Args:
        person: The reviewer's name.
        skill: What they can judge, as the use-case file calls it.
        use_case: Name of the use case; not needed when there is only one.
        json: Print one JSON document instead.
    """
    from pilotage.govern.records import SYSTEM
    from pilotage.review import flow
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        flow.set_skills(work, SYSTEM, definition, person, skill)
    terminal.document({"person": person, "use_case": definition.name, "skills": sorted(set(skill))})
    terminal.say(f"{person} can judge in {definition.name}: {', '.join(sorted(set(skill))) or 'what needs no skill'}.")
