"""One browser, one installation and one host app for all tests of the card."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from tests.browser import launch
from tests.embed.hosting import Host, serving
from tests.review import arranging
from tests.review.serving import app_key, console


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Host]]:
    """A served installation in stage assist, and a host app of another origin."""
    work = open_workspace(Settings(home=Path(tmp_path_factory.mktemp("card") / "home")))
    arranging.adopt(work)
    arranging.go_live(work)
    with serving(console(work)) as server:
        host = Host(server, app_key(work))
        with serving(host.app()) as origin:
            host.origin = origin
            yield work, host
    work.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch() as browser:
        yield browser


@dataclasses.dataclass
class Visit:
    """A page in the browser, what it asked for, and what it complained about."""

    page: Page
    work: Workspace
    host: Host
    complaints: list[str]
    requests: list[str]


@pytest.fixture
def visit(running: tuple[Workspace, Host], browser: Browser) -> Iterator[Visit]:
    work, host = running
    host.tokens_given, host.first_token = 0, ""
    context = browser.new_context(viewport={"width": 480, "height": 900})
    page = context.new_page()
    seen = Visit(page, work, host, [], [])
    page.on("console", lambda message: seen.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    yield seen
    context.close()
