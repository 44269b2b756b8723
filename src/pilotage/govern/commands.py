"""Commands of governing: keys of apps."""

from __future__ import annotations

from pilotage.govern import flow
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Key, Role
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


def list_keys(*, json: bool = False) -> None:
    """List the keys of apps, newest first: what each opens, and whether it still does. The keys themselves are kept
    nowhere.

    Parameters
    ----------
    json
        Print JSON.
    """
    terminal = Terminal(json)
    with opened() as work:
        keys = flow.every_key(work)
    columns = ("id", "name", "begins", "made", "by", "opens", "")
    terminal.table("Keys", columns, [_told(each) for each in keys])
    terminal.document(keys)


def disable_key(key: str, *, json: bool = False) -> None:
    """Disable a key: it opens nothing any more, within a second. For good; make another one.

    Parameters
    ----------
    key
        Its identifier, as ``pilotage key list`` shows it.
    json
        Print JSON.
    """
    terminal = Terminal(json)
    with opened() as work:
        flow.disable_key(work, SYSTEM, key)
    terminal.say(f"The key {key} opens nothing any more.")
    terminal.document({"key": key, "disabled": True})


def _told(key: Key) -> tuple[object, ...]:
    every = "every use case"
    opens = ", ".join(f"{g.role.value} of {every if g.use_case == EVERY_USE_CASE else g.use_case}" for g in key.grants)
    state = f"disabled {key.disabled_at:%Y-%m-%d %H:%M}" if key.disabled_at else ""
    return key.id, key.name, f"{key.prefix}…", f"{key.made_at:%Y-%m-%d %H:%M}", key.made_by, opens, state
