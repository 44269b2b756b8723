"""The reference page of who may call what, made from the application itself."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from pilotage.app import Application
from pilotage.decisions.http import arrivals, exchange, route
from pilotage.govern.guards import APerson, Needs, Public
from pilotage.govern.records import Permission
from pilotage.govern.rules.permissions import INSTALLATION_WIDE, ROLES
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from pilotage.web import connections
from pilotage.web.policies import DeclaredRoute

_PROGRAMS = ("/v1/", "/v2", "/ofrep/")
_HEAD = """\
# Who may call what

Every route declares who may call it, beside its code; an application with a route that does not is not built. People
come in by the log-in, with a session's cookie, and open pages. Programs come with a key, `Authorization: Bearer pk_…`,
and reach `/v1`, `/v2` and `/ofrep`. A cookie opens nothing there, and a key opens no page. Who may not read a use case
is told that there is none.

A person or key is granted roles, each for one use case or for all (`*`). *For all* stands below where one use case is
not enough. A role's permissions:
"""
_MORE = """\
Some routes are narrower than their permission: a job belongs to the key that sent it, and to people who may release; a
reviewer's case to who has taken it.

A card's token is good for five minutes, for one use case, one entity and one origin, and is read from the header
`Authorization` only. One that comes in an address is refused, whatever else comes with it.
"""
_FORWARDED = (
    "Nothing depends on `Forwarded`, `X-Forwarded-*` or headers that would change the method or the address, but for "
    "one: from proxies that `PILOTAGE_TRUSTED_PROXIES` names, `X-Forwarded-For` says "
    "[whose wrong log-ins are counted together](../how-to/let-people-in.md#passwords)."
)


@cache
def page() -> str:
    """The page's text."""
    with tempfile.TemporaryDirectory() as folder:
        work = open_workspace(Settings(home=Path(folder)))
        app = Application(work)
        app.service.close()
        work.close()
    pages = [each for each in app.policies if not each.path.startswith(_PROGRAMS)]
    programs = [each for each in app.policies if each.path.startswith(_PROGRAMS)]
    tables = ["## Pages\n", *_table(pages), "\n## For programs\n", *_table(programs)]
    return "\n".join([_HEAD, *_roles(), f"\n{_MORE}", *tables, "\n## Bounds\n", *_bounds(), ""])


def _roles() -> list[str]:
    names = [permission.value for permission in Permission]
    head = ["| role | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    rows = []
    for role, permissions in ROLES.items():
        marks = ["✓" if permission in permissions else "" for permission in Permission]
        rows.append(f"| {role.value} | " + " | ".join(marks) + " |")
    return [*head, *rows]


def _table(routes: list[DeclaredRoute]) -> list[str]:
    rows = [f"| `{each.method} {_path(each.path)}` | {_who(each)} |" for each in routes]
    return ["| route | who |", "| --- | --- |", *dict.fromkeys(rows)]


def _path(path: str) -> str:
    return "/".join(f"{{{part[1:-1].partition(':')[0]}}}" if part.endswith("}") else part for part in path.split("/"))


def _who(declared: DeclaredRoute) -> str:
    policy = declared.policy
    if isinstance(policy, Public):
        return f"everybody: {policy.reason}"
    if isinstance(policy, Needs):
        return f"{policy.permission.value}{', for all' if policy.permission in INSTALLATION_WIDE else ''}"
    return "who is logged in, about themselves" if isinstance(policy, APerson) else "who bears a card's token"


def _bounds() -> list[str]:
    return [
        "What a worker accepts of a connection, so that callers who dribble, flood or garble take nothing from others:",
        "",
        "| what | bound | then |",
        "| --- | --- | --- |",
        (
            f"| a request's head | {connections.HEAD_SECONDS:.0f} s, {connections.HEAD_BYTES_MAX // 1024} KiB,"
            f" {connections.HEADERS_MAX} headers | 408, 431, 400 |"
        ),
        (
            f"| its body | {connections.BODY_SECONDS:.0f} s, and a second more for each"
            f" {connections.BODY_BYTES_PER_SECOND:,} bytes; of questions {arrivals.BODY_SECONDS} s | 408 |"
        ),
        f"| an answer that nobody reads | {connections.READ_SECONDS:.0f} s | the connection is closed |",
        f"| connections | {connections.CONNECTIONS_MAX:,}; one more takes the place of the slowest | 408, else 503 |",
        f"| questions of one key whose body is still coming | {route.ARRIVING_MAX} | 503 |",
        f"| requests beyond a key's limit | each refusal waits {exchange.HELD_BACK_SECONDS * 1000:.0f} ms | 429 |",
        "| what can be read in two ways: two hosts, keys or lengths, a length and chunks, no host | none | 400 |",
        "| other protocols: HTTP/0.9, WebSocket, h2c | none | 400, or answered as HTTP/1.1 |",
        "",
        _FORWARDED,
    ]
