"""Commands of governing: add people, make keys."""

from __future__ import annotations

from pilotage.govern import flow
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Role
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def add_person(name: str, *, role: Role = Role.VIEWER, use_case: str = EVERY_USE_CASE, json: bool = False) -> None:
    """Add a person who may log in; prints the generated password this once."""
    terminal = Terminal(json)
    with opened() as work:
        password = flow.add_person(work, SYSTEM, name, (Grant(role, use_case),))
    if not json:
        terminal.say(f"{name} can log in with this password, shown this once: {password}")
    terminal.document({"name": name, "password": password})
    terminal.next("pilotage serve")


def make_key(
    name: str,
    *,
    role: Role = Role.APP,
    use_case: str = EVERY_USE_CASE,
    requests_per_minute: int = 0,
    json: bool = False,
) -> None:
    """Make a key with which an app comes; prints it this once.

    Parameters
    ----------
    name
        The app that uses it.
    role
        What it may do.
    use_case
        Where; every use case unless told otherwise.
    requests_per_minute
        How often it may ask; 0 is the installation's usual limit.
    json
        Print JSON.
    """
    terminal = Terminal(json)
    with opened() as work:
        key = flow.make_key(work, SYSTEM, name, (Grant(role, use_case),), requests_per_minute)
    if not json:
        terminal.say(f"{name} sends this key, shown this once: {key}")
    terminal.document({"name": name, "key": key})
    terminal.next(f"pilotage decide {'' if use_case == EVERY_USE_CASE else use_case}".strip())
