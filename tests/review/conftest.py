"""Every test of review starts with the use case adopted and in stage assist."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import Browser

from pilotage.govern.cookies import SESSION
from pilotage.platform.workspace import Workspace
from tests.browser import launch
from tests.review import arranging
from tests.review.serving import console, session


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """An installation with the use case adopted and in stage assist."""
    arranging.adopt(work)
    arranging.go_live(work)
    return work


@pytest.fixture
def client(live: Workspace) -> Iterator[TestClient[Litestar]]:
    """Anna's browser."""
    with TestClient(console(live), raise_server_exceptions=False) as client:
        client.cookies.set(SESSION, session(live, "anna"))
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a module."""
    with launch() as opened:
        yield opened
