"""The console over a test's installation, and keys to call it with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import Browser, Page

from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console
from tests.embed.hosting import serving
from tests.review.arranging import NAME

ORIGIN = "https://app.example"


def console(work: Workspace) -> Litestar:
    """The whole console."""
    return build_console(work)


def session(work: Workspace, name: str, role: Role = Role.REVIEWER, use_case: str = NAME) -> str:
    """The cookie of a new person who has logged in."""
    password = governing.add_person(work, SYSTEM, name, (Grant(role, use_case),))
    return governing.log_in(work, name, password)


@contextmanager
def seated(
    work: Workspace, browser: Browser, name: str, at: str = f"/use-cases/{NAME}/queue", **look: Any
) -> Iterator[Page]:
    """A new reviewer in front of the queue, or of another page. ``look`` is the browser's."""
    token = session(work, name)
    with serving(console(work)) as origin:
        context = browser.new_context(base_url=origin, **look)
        try:
            context.add_cookies([{"name": SESSION, "value": token, "url": origin}])
            page = context.new_page()
            page.goto(at)
            yield page
        finally:
            context.close()


def app_key(work: Workspace, use_case: str = NAME) -> dict[str, str]:
    """Headers of an app that may show cards of this use case."""
    key = governing.make_key(work, SYSTEM, f"app of {use_case}", (Grant(Role.APP, use_case),))
    return {"Authorization": f"Bearer {key}"}


def card_headers(token: str, origin: str = ORIGIN) -> dict[str, str]:
    """Headers as a browser sends them for a card on this site."""
    return {"Authorization": f"Bearer {token}", "Origin": origin}


def minted(client: TestClient[Litestar], work: Workspace, entity: str, **changes: object) -> str:
    """A card token, minted through the API."""
    body = {"entity": entity, "origin": ORIGIN, "person": "maria", **changes}
    reply = client.post(f"/v1/use-cases/{NAME}/card-tokens", json=body, headers=app_key(work))
    assert reply.status_code == 201, reply.text
    return str(reply.json()["token"])
