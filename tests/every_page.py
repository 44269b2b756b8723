"""Every page of the console, from its routes: a new page is in every test and picture of pages by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from litestar import Litestar
from litestar.routes import HTTPRoute
from playwright.sync_api import Browser, BrowserContext, Page

from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console
from tests.embed.hosting import serving

PHONE, DESK = {"width": 400, "height": 800}, {"width": 1280, "height": 900}
ELSEWHERE = {"/log-in/provider", "/log-in/provider/back"}
"""Routes that only send browsers on."""
BEFORE_LOG_IN = re.compile(r"^/log-in")
NEWEST = {
    "use_case": "SELECT name FROM use_cases ORDER BY name LIMIT 1",
    "decision_id": "SELECT id FROM decisions ORDER BY id DESC LIMIT 1",
    "case_id": "SELECT id FROM review_cases ORDER BY blind, id DESC LIMIT 1",
    "incident": "SELECT id FROM incidents ORDER BY id DESC LIMIT 1",
    "webhook": "SELECT id FROM webhook_endpoints ORDER BY id DESC LIMIT 1",
    "operation": "SELECT 'decide_many_' || name FROM use_cases ORDER BY name LIMIT 1",
}
"""What a name in an address may be, in an installation that has one."""
_BAD = ("serious", "critical")
_SHOWN = (200, 409)
"""A page, or one that says what has to be done first."""
_axe = Axe()


def routes(console: Litestar) -> list[str]:
    """Every address that shows a page, such as ``/use-cases/{use_case}/brief``."""
    return sorted(
        route.path_format
        for route in console.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if "GET" in handler.http_methods and "Template" in str(handler.parsed_fn_signature.return_type.annotation)
        if route.path_format not in ELSEWHERE
    )


def addresses(work: Workspace, console: Litestar) -> dict[str, str]:
    """Each route with an address of it in this installation, as far as it holds what the address names."""
    found = {}
    with work.database.reading() as connection:
        for route in routes(console):
            names = re.findall(r"\{(\w+)\}", route)
            assert set(names) <= set(NEWEST), f"{route} names something new: say in {__name__}.NEWEST where to find one"
            values = {name: connection.execute(sa.text(NEWEST[name])).scalar() for name in names}
            if all(values.values()):
                found[route] = route.format(**values)
    return found


@contextmanager
def visited(work: Workspace, browser: Browser, **look: Any) -> Iterator[Callable[[str, str], Page]]:
    """Opens pages as an administrator: given a route and an address of it, the page. ``look`` is the browser's."""
    name = f"visitor {new_id('usr', work.clock.now())}"
    password = governing.add_person(work, SYSTEM, name, (Grant(Role.ADMIN, "*"),))
    console = build_console(work)
    with serving(console) as origin:
        inside = browser.new_context(**look)
        outside = browser.new_context(**look)
        inside.add_cookies([{"name": SESSION, "value": governing.log_in(work, name, password), "url": origin}])
        try:
            yield lambda route, address: _opened(outside if BEFORE_LOG_IN.match(route) else inside, origin + address)
        finally:
            inside.close()
            outside.close()


def _opened(context: BrowserContext, address: str) -> Page:
    page = context.pages[0] if context.pages else context.new_page()
    answer = page.goto(address)
    assert answer and answer.status in _SHOWN, f"{address}: {answer and answer.status}"
    return page


def faults(page: Page) -> list[str]:
    """What is seriously wrong for people with disabilities, by axe-core, and whether the page scrolls sideways."""
    found = []
    for violation in _axe.run(page).response["violations"]:
        if violation["impact"] in _BAD:
            places = "; ".join(str(node["html"])[:160] for node in violation["nodes"][:3])
            found.append(f"{violation['id']}: {violation['help']} ({len(violation['nodes'])}): {places}")
    wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if wide > room + 1:
        found.append(f"scrolls sideways: {wide} in {room} pixels: {page.evaluate(_SPILLS)}")
    return found


_SPILLS = """[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
  && !e.closest('.scroll, pre, figure, svg')).slice(0, 3).map(e => e.outerHTML.slice(0, 120))"""
