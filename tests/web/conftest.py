"""The console over a fresh installation, and browsers that are logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar, get, post
from litestar.testing import TestClient

from pilotage.govern import flow
from pilotage.govern.guards import needs, principal_of, public
from pilotage.govern.records import SYSTEM, Grant, Permission
from pilotage.monitor.incidents import flow as incidents
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import InvalidRequest, Problem
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from pilotage.web.console import build_console
from pilotage.webhooks import flow as webhooks
from tests.living import happened, release
from tests.review.arranging import adopt, go_live, recorded

Browser = TestClient[Litestar]
ADDRESS = "http://console.test"


@get("/try/{use_case:str}/read", guards=[needs(Permission.READ)], sync_to_thread=False)
def read_page(use_case: str) -> str:
    """A page that needs READ."""
    return use_case


@get("/try/{use_case:str}/switch", guards=[needs(Permission.SWITCH)], sync_to_thread=False)
def switch_page(use_case: str) -> str:
    """A page that needs SWITCH."""
    return use_case


@post("/v1/try/{use_case:str}/decide", guards=[needs(Permission.DECIDE)], sync_to_thread=False)
def decide(request: Any, use_case: str, data: dict[str, int]) -> dict[str, str]:
    """A route that needs DECIDE."""
    return {"by": principal_of(request).name}


@get(["/try/defect", "/v1/try/defect"], guards=[public("a test")], sync_to_thread=False)
def defect() -> str:
    """Breaks, with secrets in what it says."""
    raise RuntimeError("pk_canary1234567890 postgresql://anna:canaryword@host/db")


@get(["/try/mistakes", "/v1/try/mistakes"], guards=[public("a test")], sync_to_thread=False)
def mistakes() -> str:
    """Says all that is wrong."""
    raise InvalidRequest(
        "Two fields do not fit.", "Correct them.", [Problem("a", "is < 0"), Problem("b", "is missing")]
    )


@pytest.fixture
def filled(work: Workspace, clock: FixedClock) -> Workspace:
    """Something of everything: a version, decisions, an outcome, a case, an incident, a webhook."""
    version = release(work, adopt(work), 1).version
    go_live(work)
    for number in range(8):
        clock.advance(timedelta(hours=1))
        decision = recorded(work, entity=f"UA{number}", version=version, band="uncertain", review=True)
        happened(work, decision.id, number % 2 == 0, clock.now())
    reviewing.take_in(work)
    reviewing.open_case(work, decision, "uncertain", "near the threshold")
    incidents.see(work, "drain_stuck", "Decisions wait for the ledger.")
    webhooks.register(work, SYSTEM, "https://8.8.8.8/pilotage")
    return work


@pytest.fixture
def console(work: Workspace) -> Litestar:
    return build_console(work, extra=[read_page, switch_page, decide, defect, mistakes])


@pytest.fixture
def stranger(console: Litestar) -> Iterator[Browser]:
    """A browser that is not logged in."""
    with TestClient(console, base_url=ADDRESS, raise_server_exceptions=False) as browser:
        browser.follow_redirects = False
        yield browser


@pytest.fixture
def log_in(work: Workspace, stranger: Browser) -> Callable[..., Browser]:
    """Logs a new person with these grants in, through the form."""

    def logged_in(*grants: Grant) -> Browser:
        password = flow.add_person(work, SYSTEM, "anna", grants)
        answer = post_form(stranger, "/log-in", name="anna", password=password)
        assert answer.status_code == 303
        return stranger

    return logged_in


def post_form(browser: Browser, path: str, **fields: str) -> Any:
    """Send a form as our own pages would, with the token that the browser was given."""
    if "pilotage_csrf" not in browser.cookies:
        browser.get("/log-in")
    return browser.post(path, data={**fields, "_csrf_token": browser.cookies["pilotage_csrf"]})
