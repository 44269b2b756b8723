"""The application that a test's requests go to ends before its installation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.decisions.jobs import arranging

from pilotage.platform.workspace import Workspace


@pytest.fixture(autouse=True)
def applications(work: Workspace) -> Iterator[None]:
    yield
    arranging.close_all()
