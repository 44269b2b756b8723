"""Commands of governing: make keys."""

from __future__ import annotations

from pilotage.govern import flow
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Role
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def make_key(
    name: str,
    *,
    role: Role = Role.APP,
    use_case: str = EVERY_USE_CASE,
    requests_per_minute: int = 0,
    card_secret: bool = False,
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
    card_secret
        Print also the secret with which the app's own server signs tokens of cards. It ends with the key.
    json
        Print JSON.
    """
    terminal = Terminal(json)
    with opened() as work:
        key = flow.make_key(work, SYSTEM, name, (Grant(role, use_case),), requests_per_minute)
        made = flow.principal_of_key(work, key) if card_secret else None
        secret = {} if made is None else {"card_secret": flow.card_secret(work, made.id)}
    if not json:
        terminal.say(f"{name} sends this key, shown this once: {key}")
    if secret and not json:
        terminal.say(f"Its server signs tokens of cards with this secret, shown this once: {secret['card_secret']}")
    terminal.document({"name": name, "key": key, **secret})
    terminal.next(f"pilotage decide {'' if use_case == EVERY_USE_CASE else use_case}".strip())
