"""The brief as a page: for those who may read the use case, and by adopted name only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow
from pilotage.web.console import build_console
from tests.usecase.example import defined

Client = TestClient[Litestar]


@pytest.fixture
def client(work: Workspace) -> Iterator[Client]:
    flow.adopt(work, defined(("  default: negative\n", "")), SYSTEM)
    with TestClient(build_console(work)) as client:
        yield client


def as_reader(work: Workspace, use_case: str) -> dict[str, str]:
    """The cookie of somebody who may read this use case."""
    password = governing.add_person(work, SYSTEM, "anna", (Grant(Role.VIEWER, use_case),))
    return {"Cookie": f"{SESSION}={governing.log_in(work, 'anna', password)}"}


def test_the_brief_is_a_page_with_its_warnings(client: Client, work: Workspace) -> None:
    response = client.get("/use-cases/late_arrival/brief", headers=as_reader(work, "late_arrival"))
    assert response.status_code == 200
    for part in ("Late arrivals", "Dispatch planners", "no-fallback", "+180.00 USD"):
        assert part in response.text


def test_who_may_not_read_the_use_case_is_not_told_that_there_is_one(client: Client, work: Workspace) -> None:
    assert client.get("/use-cases/late_arrival/brief", headers=as_reader(work, "other")).status_code == 404


def test_a_path_in_place_of_a_name_opens_nothing(client: Client, work: Workspace) -> None:
    response = client.get("/use-cases/late_arrival.yaml/brief", headers=as_reader(work, "*"))
    assert response.status_code == 404
